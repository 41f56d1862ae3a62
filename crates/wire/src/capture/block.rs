//! The frame around every pcapng block: a type, and its length before and behind; and how to find one in rubble.

use std::ops::Range;

use super::MAX_BLOCK_LEN;
use super::buffer::Buffer;
use super::field::u32_at;

/// Section Header Block; the same in both byte orders.
pub(super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
/// Interface Description Block.
pub(super) const INTERFACE_DESCRIPTION: u32 = 1;
/// Packet Block, obsolete.
pub(super) const OBSOLETE_PACKET: u32 = 2;
/// Simple Packet Block.
pub(super) const SIMPLE_PACKET: u32 = 3;
/// Enhanced Packet Block.
pub(super) const ENHANCED_PACKET: u32 = 6;

/// Byte-order magic of a Section Header Block.
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// Type and both lengths.
const MIN_LEN: u32 = 12;

/// What the first bytes of a block say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// No block has such a length.
    Impossible,
    /// A block of `len` bytes, as it says itself; it fills `padded`.
    Block { kind: u32, len: u32, padded: usize },
}

/// The byte order that a Section Header Block declares; `None` for any other block.
#[inline]
pub(super) fn section_order(head: &[u8; 12]) -> Option<bool> {
    let order = u32_at(head, 8, false)?;
    match order {
        _ if u32_at(head, 0, false) != Some(SECTION_HEADER) => None,
        BYTE_ORDER => Some(false),
        _ if order.swap_bytes() == BYTE_ORDER => Some(true),
        _ => None,
    }
}

/// Reads type and length. A length that is no multiple of 4 breaks the rule, but some writers do it, and pad all the same.
#[inline]
pub(super) fn shape(head: &[u8; 12], big_endian: bool) -> Shape {
    let kind = u32_at(head, 0, big_endian).unwrap_or_default();
    let len = u32_at(head, 4, big_endian).unwrap_or_default();
    let min = match kind {
        SECTION_HEADER if section_order(head).is_none() => return Shape::Impossible,
        SECTION_HEADER => 28,
        INTERFACE_DESCRIPTION => 20,
        ENHANCED_PACKET | OBSOLETE_PACKET => 32,
        SIMPLE_PACKET => 16,
        _ => MIN_LEN,
    };
    if len < min || len > MAX_BLOCK_LEN {
        return Shape::Impossible;
    }
    Shape::Block {
        kind,
        len,
        padded: len.next_multiple_of(4) as usize,
    }
}

/// The length at the end of a block that fills `padded` bytes.
#[inline]
pub(super) fn trailing_len(bytes: &[u8], padded: usize, big_endian: bool) -> Option<u32> {
    u32_at(bytes, padded.checked_sub(4)?, big_endian)
}

/// Blocks that hold a packet.
pub(super) const fn is_packet(kind: u32) -> bool {
    matches!(kind, ENHANCED_PACKET | OBSOLETE_PACKET | SIMPLE_PACKET)
}

/// Blocks that are no packets, and that Wireshark numbers as if they were: journal entries (9), custom blocks, and the
/// events of sysdig. Tried with tshark 4.0.
pub(super) const fn is_frame_for_wireshark(kind: u32) -> bool {
    matches!(
        kind,
        9 | 0xbad | 0x4000_0bad | 0x204 | 0x208 | 0x216 | 0x217 | 0x221 | 0x222
    )
}

/// The types that are looked for in rubble: anything else would be found anywhere.
const fn is_known(kind: u32) -> bool {
    matches!(kind, SECTION_HEADER | 1..=6 | 10) || is_frame_for_wireshark(kind)
}

/// Whether a block of a known type lies at `at`, whole and with both lengths alike.
pub(super) fn is_whole(buffer: &mut Buffer, at: usize, big_endian: bool) -> bool {
    whole_len(buffer, at, big_endian).is_some()
}

fn whole_len(buffer: &mut Buffer, at: usize, big_endian: bool) -> Option<usize> {
    let head = buffer.peek::<12>(at)?;
    let (padded, len, big_endian) = candidate(&head, big_endian)?;
    if !buffer.ensure(at + padded) {
        return None;
    }
    let bytes = buffer.available().get(at..)?;
    (trailing_len(bytes, padded, big_endian) == Some(len)).then_some(padded)
}

#[inline]
fn candidate(head: &[u8; 12], big_endian: bool) -> Option<(usize, u32, bool)> {
    let big_endian = section_order(head).unwrap_or(big_endian);
    match shape(head, big_endian) {
        Shape::Block { kind, len, padded } if is_known(kind) && len as usize == padded => {
            Some((padded, len, big_endian))
        }
        _ => None,
    }
}

/// Consumes everything before the next block that is whole; false when the stream ends before (all is consumed then).
pub(super) fn search(buffer: &mut Buffer, big_endian: bool) -> bool {
    // The block at the front is the damaged one.
    let mut searched = 1;
    loop {
        let left = buffer.available().len();
        if let Some(offset) = find(buffer, searched..left, big_endian) {
            buffer.skip(offset);
            return true;
        }
        if !buffer.ensure(left + 1) {
            buffer.skip(left);
            return false;
        }
        // A block may begin in the last eleven bytes; everything before has been ruled out.
        let ruled_out = left.saturating_sub(11).max(searched);
        buffer.skip(ruled_out);
        searched = 0;
    }
}

/// Where in the rest of a stream that has ended the next whole block begins.
pub(super) fn search_rest(buffer: &mut Buffer, big_endian: bool) -> Option<usize> {
    let left = buffer.available().len();
    search_until(buffer, left, big_endian)
}

/// Where a whole block begins before `end`, the one at the front aside.
pub(super) fn search_until(buffer: &mut Buffer, end: usize, big_endian: bool) -> Option<usize> {
    find(buffer, 1..end, big_endian)
}

/// At every byte, not at every fourth: what damaged the file may have changed the alignment. No block that begins behind
/// `range` is looked at, so that what is read to look at one does not make the search, and the window with it, go on for ever.
fn find(buffer: &mut Buffer, range: Range<usize>, big_endian: bool) -> Option<usize> {
    let mut from = range.start;
    loop {
        let end = range.end.saturating_add(11).min(buffer.available().len());
        let window = buffer.available().get(from..end)?;
        let place = window.windows(12).position(|head| {
            head.first_chunk()
                .is_some_and(|head| candidate(head, big_endian).is_some())
        })?;
        let at = from + place;
        if is_whole(buffer, at, big_endian) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::super::MAX_BLOCK_LEN;
    use super::super::buffer::Buffer;
    use super::search;

    /// Yields so many pieces of up to 4096 bytes; each begins like a packet block as long as one may be, and none is one.
    struct Liar(usize);

    impl Read for Liar {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let Some(left) = self.0.checked_sub(1) else {
                return Ok(0);
            };
            self.0 = left;
            let head = [6, MAX_BLOCK_LEN & !3].map(u32::to_le_bytes).concat();
            let len = out.len().min(4096);
            out[..len].fill(0xee);
            out.iter_mut().zip(head).for_each(|(to, from)| *to = from);
            Ok(len)
        }
    }

    #[test]
    fn rubbish_that_looks_like_long_blocks_is_searched_in_bounded_memory() {
        let mut buffer = Buffer::new(Box::new(Liar((72 << 20) / 4096)), 4096);
        assert!(!search(&mut buffer, false));
        assert!(buffer.capacity() <= 64 << 20, "{}", buffer.capacity());
    }
}
