//! pcap, <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-05.html>, and its old and modified relatives.

use super::buffer::{Buffer, End};
use super::layout::{FILE_HEADER_LEN, Header, Layout, MAX_WIRE_LEN, MODIFIED_HEADER_LEN, SS990915_HEADER_LEN};
use super::resync;
use super::{Frames, Record};
use crate::Defect;

/// So many odd headers in a row, each where the one before leads, are no accident.
const ODD_CHAIN: usize = 4;
/// Looking around for a better place costs as much as a thousand records: files of nothing but odd ones are to be read in linear time.
const MAX_DOUBTS: u8 = 64;
/// So many headers in a row of which nothing but the time is odd show that the clock was set.
const LINE: usize = 16;

/// The records of one pcap stream.
#[derive(Debug)]
pub(super) struct Pcap {
    pub(super) layout: Layout,
    /// Seconds of the record before, for what is plausible.
    last: Option<u32>,
    /// How often a better place may still be looked for, see [`Pcap::right_place`].
    doubts: u8,
    /// Set while a run of zeros is being skipped, so that it is counted once.
    in_hole: bool,
    started: bool,
}

/// What becomes of a suspect record header.
enum Verdict {
    Good,
    /// Looked at again from the start: something was skipped.
    Again,
    /// The capture length is the lie: this many bytes are the record's.
    Mended(u32),
    End,
}

impl Pcap {
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            last: None,
            doubts: MAX_DOUBTS,
            in_hole: false,
            started: false,
        }
    }

    /// Whether the next record is whole in what was read already.
    pub fn is_next_there(&self, bytes: &[u8]) -> bool {
        let body = bytes.first_chunk().map(|head| self.layout.header(head).caplen as usize);
        body.is_some_and(|body| bytes.len() >= self.layout.header_len + body)
    }

    #[inline]
    pub fn advance(&mut self, buffer: &mut Buffer, frames: &mut Frames<'_>) -> Option<Record> {
        loop {
            if !self.started {
                self.choose_header_len(buffer);
            }
            let Some(bytes) = buffer.head::<16>() else {
                return self.cut_off(buffer, frames);
            };
            let mut header = self.layout.header(&bytes);
            if self.is_suspect(&header) {
                match self.judge(buffer, &header, frames) {
                    Verdict::Good => {}
                    Verdict::Again => continue,
                    Verdict::Mended(caplen) => header.caplen = caplen,
                    Verdict::End => return None,
                }
            }
            let body = header.caplen as usize;
            if !buffer.ensure(self.layout.header_len + body) {
                if self.recover(buffer, &header, frames) {
                    continue;
                }
                return self.cut_off(buffer, frames);
            }
            self.last = Some(header.seconds);
            self.in_hole = false;
            let (from, to) = buffer.take(self.layout.header_len, body);
            return Some(Record {
                time_ns: self.layout.time_ns(&header),
                timed: true,
                number: frames.next_number(),
                link: self.layout.link as usize,
                interface: 0,
                wire_len: header.len.max(header.caplen) as usize,
                from,
                to,
            });
        }
    }

    /// One branch for a good header; anything else is looked at closely, and not often.
    #[inline]
    fn is_suspect(&self, header: &Header) -> bool {
        header.caplen > header.len
            || header.len > MAX_WIRE_LEN
            || header.caplen > self.layout.limit
            || header.fraction >= self.layout.fractions_per_second()
            || self.last.is_some_and(|last| !header.is_near(last))
    }

    /// The same magic number stands for two lengths of the record header; the first that leads to a second record is it.
    fn choose_header_len(&mut self, buffer: &mut Buffer) {
        self.started = true;
        if self.layout.header_len != MODIFIED_HEADER_LEN {
            return;
        }
        for len in [MODIFIED_HEADER_LEN, SS990915_HEADER_LEN] {
            self.layout.header_len = len;
            if resync::leads_on(&self.layout, buffer, 0, 0, None) {
                return;
            }
        }
        self.layout.header_len = MODIFIED_HEADER_LEN;
    }

    #[cold]
    fn judge(&mut self, buffer: &mut Buffer, header: &Header, frames: &mut Frames<'_>) -> Verdict {
        if header.is_zero() {
            return self.hole(buffer, frames);
        }
        if let Some(layout) = buffer.head().and_then(|bytes| Layout::parse(&bytes)) {
            // Two captures written one after the other (`cat a b > c`): the second has its own file header.
            frames.count(Defect::CorruptRecord);
            buffer.skip(FILE_HEADER_LEN);
            *self = Self {
                doubts: self.doubts,
                ..Self::new(layout)
            };
            return Verdict::Again;
        }
        let near = self.last.is_none_or(|last| header.is_near(last));
        let misplaced = match self.last {
            Some(last) if !near && last >= resync::FIRST_TIME_S => self.right_place(buffer, header),
            Some(_) => self.shorter(buffer, header),
            None => self
                .shorter(buffer, header)
                .or_else(|| self.right_place(buffer, header)),
        };
        if misplaced.is_none() && self.layout.is_possible(header) && self.is_borne_out(buffer, header) {
            return Verdict::Good;
        }
        if !self.in_hole {
            frames.count(Defect::CorruptRecord);
        }
        match misplaced.or_else(|| resync::search(&self.layout, buffer, self.last)) {
            Some(resync::Found::Behind(distance)) if near && distance == header.len as usize => {
                Verdict::Mended(header.len)
            }
            Some(found) => {
                found.skip_to(&self.layout, buffer);
                Verdict::Again
            }
            None => {
                frames.end(buffer.end());
                Verdict::End
            }
        }
    }

    /// Where bytes are missing, a header is read too late, and may look like one of another time, with its fraction for the
    /// seconds and its length for the captured length; and so may every one behind it. So before another time is believed,
    /// a header that fits the time of the record before is looked for nearby.
    fn right_place(&mut self, buffer: &mut Buffer, header: &Header) -> Option<resync::Found> {
        resync::search_back(&self.layout, buffer, self.last).or_else(|| {
            if !self.layout.is_possible(header) || self.is_in_line(buffer, header) {
                return None;
            }
            self.doubts = self.doubts.checked_sub(1)?;
            let nearby = resync::search_nearby(&self.layout, buffer, self.last)?;
            (nearby != self.layout.header_len + header.caplen as usize).then_some(resync::Found::At(nearby))
        })
    }

    /// Whether nothing but the time of this header, and of those behind it, is odd: a clock that was set.
    fn is_in_line(&self, buffer: &mut Buffer, header: &Header) -> bool {
        let (mut at, mut header) = (0, *header);
        for _ in 0..LINE {
            if !self.layout.is_regular(&header) {
                return false;
            }
            if self.last.is_some_and(|last| header.is_near(last)) {
                return true;
            }
            at += self.layout.header_len + header.caplen as usize;
            match buffer.peek::<16>(at) {
                Some(bytes) => header = self.layout.header(&bytes),
                None => return buffer.ensure(at),
            }
        }
        true
    }

    /// Of a captured length above the length on the wire, which leads to a record by chance (or for good, in files of
    /// writers that leave the second one out), whether the second one leads to a record as well: it is the right one then.
    fn shorter(&self, buffer: &mut Buffer, header: &Header) -> Option<resync::Found> {
        let distance = header.len as usize;
        let behind = self.layout.header_len + distance;
        let is_odd = distance > 0 && header.len < header.caplen && header.len <= resync::MAX_MENDED_LEN as u32;
        (is_odd && resync::leads_on(&self.layout, buffer, behind, 0, Some(header.seconds)))
            .then_some(resync::Found::Behind(distance))
    }

    /// Zeros where a header should be, after records that have a time: a hole in the file (a crash, a sparse copy). Other
    /// readers take it for empty records; it is skipped here, but numbered as they number it.
    fn hole(&mut self, buffer: &mut Buffer, frames: &mut Frames<'_>) -> Verdict {
        if !self.in_hole {
            self.in_hole = true;
            frames.count(Defect::CorruptRecord);
        }
        let count = self.layout.header_len;
        if !buffer.ensure(count) {
            buffer.skip(count);
            return Verdict::Again;
        }
        frames.next_number();
        // Not for good: the record after the hole may begin before this header ends.
        buffer.take(0, count);
        Verdict::Again
    }

    /// Whether what follows an odd header shows that it was meant so: writers that put 1 000 000 and more microseconds, a
    /// length of 0, or times years apart exist.
    fn is_borne_out(&self, buffer: &mut Buffer, header: &Header) -> bool {
        let (mut at, mut header) = (0, *header);
        for _ in 0..ODD_CHAIN {
            at += self.layout.header_len + header.caplen as usize;
            let Some(bytes) = buffer.peek::<16>(at) else {
                // The last record of the file, whole.
                return buffer.ensure(at);
            };
            let next = self.layout.header(&bytes);
            if !self.layout.is_possible(&next) || next.is_zero() {
                return false;
            }
            if next.is_near(header.seconds) || self.layout.is_regular(&next) {
                return true;
            }
            header = next;
        }
        true
    }

    /// The file ends before the record does. Either it was cut off, or the length is a lie and there are whole records
    /// in what is left.
    #[cold]
    fn recover(&self, buffer: &mut Buffer, header: &Header, frames: &mut Frames<'_>) -> bool {
        let last = self.last.or(Some(header.seconds));
        let Some(found) = resync::search_rest(&self.layout, buffer, last) else {
            return false;
        };
        frames.count(Defect::CorruptRecord);
        found.skip_to(&self.layout, buffer);
        true
    }

    #[cold]
    fn cut_off(&mut self, buffer: &mut Buffer, frames: &mut Frames<'_>) -> Option<Record> {
        let left = buffer.available();
        // A hole that ends the file is one defect, not two.
        let is_rest_of_hole = self.in_hole && left.iter().all(|&b| b == 0);
        let end = if left.is_empty() || is_rest_of_hole || buffer.end() != End::Clean {
            buffer.end()
        } else {
            End::Failed(Defect::CutOff)
        };
        buffer.skip(usize::MAX);
        frames.end(end);
        None
    }
}
