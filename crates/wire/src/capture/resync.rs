//! Finding the way back into a pcap stream after a record header that cannot be one.
//!
//! pcap has no marks between records: a header is sixteen bytes of numbers. A place counts as the next record when its
//! header is regular, its time lies near the last good one, and its length leads to another such header or exactly to
//! the end of the file. The search begins inside the record before the damage, because a length that was too large
//! has swallowed what follows it.

use super::STANDARD_RECORD_LEN;
use super::buffer::Buffer;
use super::layout::{Header, Layout};

/// Regular headers in a row that make a place believable.
const CHAIN: usize = 2;
/// A chain of this length is believed although it has not got past the damage yet: this bounds the work for a position.
const MAX_CHAIN: usize = 256;
/// A record whose captured length is the lie is mended up to this length, bytes: a whole IP packet and its link layer.
pub(super) const MAX_MENDED_LEN: usize = 66_000;

/// Where the next record was found, before anything was consumed.
pub(super) enum Found {
    /// So many bytes behind the suspect header; that header is still at the front of the buffer.
    Behind(usize),
    /// At the front of the buffer (plus so many bytes).
    At(usize),
}

impl Found {
    pub fn skip_to(&self, layout: &Layout, buffer: &mut Buffer) {
        match *self {
            Self::Behind(distance) => buffer.skip(layout.header_len + distance),
            Self::At(offset) => buffer.skip(offset),
        }
    }
}

/// Searches from the body of the record before the suspect one onwards, to the end of the stream if need be. `None`
/// when there is nothing more; all is consumed then.
pub(super) fn search(layout: &Layout, buffer: &mut Buffer, last: Option<u32>) -> Option<Found> {
    search_back(layout, buffer, last).or_else(|| search_onwards(layout, buffer, last))
}

/// Searches in what is left of a stream that has ended. Without success nothing is consumed.
pub(super) fn search_rest(layout: &Layout, buffer: &mut Buffer, last: Option<u32>) -> Option<Found> {
    search_back(layout, buffer, last).or_else(|| {
        let left = buffer.available().len();
        find(layout, buffer, 1..left, 0, last).map(Found::At)
    })
}

/// How far behind the start of the suspect header the next record begins, if no further than a record reaches. Nothing is
/// consumed.
pub(super) fn search_nearby(layout: &Layout, buffer: &mut Buffer, last: Option<u32>) -> Option<usize> {
    let reach = layout.header_len + MAX_MENDED_LEN;
    buffer.ensure(reach);
    let end = reach.min(buffer.available().len());
    find(layout, buffer, 1..end, 0, last)
}

/// Searches the body of the record before, for a chain that leads beyond the suspect header.
pub(super) fn search_back(layout: &Layout, buffer: &mut Buffer, last: Option<u32>) -> Option<Found> {
    let suspect = buffer.rewind();
    let found = find(layout, buffer, 0..suspect, suspect, last).map(Found::At);
    if found.is_none() {
        buffer.skip(suspect);
    }
    found
}

fn search_onwards(layout: &Layout, buffer: &mut Buffer, last: Option<u32>) -> Option<Found> {
    let in_place = layout.header_len + MAX_MENDED_LEN + 16;
    // How many bytes behind the suspect header have been given up.
    let mut skipped = 0;
    let mut searched = 1;
    loop {
        let left = buffer.available().len();
        if let Some(offset) = find(layout, buffer, searched..left, 0, last) {
            let behind = offset.checked_sub(layout.header_len);
            return Some(match behind {
                Some(distance) if skipped == 0 && distance <= MAX_MENDED_LEN => Found::Behind(distance),
                _ => Found::At(offset),
            });
        }
        if !buffer.ensure(left + 1) {
            buffer.skip(left);
            return None;
        }
        // A header may begin in the last fifteen bytes; everything before has been ruled out.
        searched = searched.max(left.saturating_sub(15));
        if searched > in_place {
            buffer.skip(searched);
            skipped += searched;
            searched = 0;
        }
    }
}

/// The first place in `range` that begins a believable chain.
fn find(
    layout: &Layout,
    buffer: &mut Buffer,
    range: std::ops::Range<usize>,
    beyond: usize,
    last: Option<u32>,
) -> Option<usize> {
    let mut from = range.start;
    loop {
        let window = buffer
            .available()
            .get(from..(range.end + 15).min(buffer.available().len()))?;
        let place = window.windows(16).position(|bytes| {
            bytes
                .first_chunk()
                .is_some_and(|bytes| is_candidate(layout, &layout.header(bytes), last))
        })?;
        let at = from + place;
        if leads_on(layout, buffer, at, beyond, last) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// A time of the first half year since the epoch is none to go by: zeros and small numbers, of which packets are full, look like
/// empty records of that time.
pub(super) const FIRST_TIME_S: u32 = 1 << 24;

fn is_candidate(layout: &Layout, header: &Header, last: Option<u32>) -> bool {
    // Longer ones exist where the file announces them, but looking behind several of those would take much memory.
    header.caplen <= STANDARD_RECORD_LEN
        && layout.is_regular(header)
        && last.map_or(header.seconds >= FIRST_TIME_S, |last| header.is_near(last))
}

/// Whether the record at `at` is whole and leads to others, up to a place beyond `beyond`, or to the end.
pub(super) fn leads_on(layout: &Layout, buffer: &mut Buffer, at: usize, beyond: usize, last: Option<u32>) -> bool {
    let (mut at, mut near) = (at, last);
    // Where the time fits, the exact end of the stream vouches for a single record.
    let enough_at_end = if last.is_some() { 1 } else { CHAIN };
    for link in 0..MAX_CHAIN {
        let Some(bytes) = buffer.peek::<16>(at) else {
            // The end of the stream: exactly here, or behind a chain that is long enough without it.
            return link >= CHAIN || (link >= enough_at_end && buffer.available().len() == at);
        };
        let header = layout.header(&bytes);
        if !is_candidate(layout, &header, near) {
            return false;
        }
        if link >= CHAIN && at > beyond {
            return true;
        }
        at += layout.header_len + header.caplen as usize;
        near = Some(header.seconds);
        if !buffer.ensure(at) {
            return link >= CHAIN;
        }
    }
    true
}
