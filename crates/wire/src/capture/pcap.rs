//! pcap, <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-05.html>, and its old and modified relatives.

use super::buffer::{Buffer, End};
use super::resync;
use super::{Frames, MAX_RECORD_LEN, Record, STANDARD_RECORD_LEN};
use crate::Defect;

/// Length of the file header, bytes.
pub(super) const FILE_HEADER_LEN: usize = 24;

/// Magic numbers, as the writer's own byte order has them.
pub(super) mod magic {
    /// Microseconds.
    pub const MICRO: u32 = 0xa1b2_c3d4;
    /// Nanoseconds.
    pub const NANO: u32 = 0xa1b2_3c4d;
    /// Microseconds, record headers with an interface and a protocol (Alexey Kuznetzov's patches to libpcap).
    pub const MODIFIED: u32 = 0xa1b2_cd34;
}

/// The modified record header: 16 bytes, interface index (4), protocol (2), packet type (1), padding (1).
const MODIFIED_HEADER_LEN: usize = 24;
/// An older patch with the same magic number (libpcap-ss990915): two CPU numbers and three bytes of padding instead.
const SS990915_HEADER_LEN: usize = 28;
/// A jump in time by more than this between neighbours makes a record header suspect: 30 days, in seconds.
const JUMP_S: u32 = 30 * 86_400;
/// No packet is longer on the wire than this, whatever a header claims: jumbograms and segmentation offload (Linux's
/// `GSO_MAX_SIZE` is 524 280) stay below.
const MAX_WIRE_LEN: u32 = 1 << 20;

/// So many odd headers in a row, each where the one before leads, are no accident.
const ODD_CHAIN: usize = 4;
/// Looking around for a better place costs as much as a thousand records: files of nothing but odd ones are to be read in linear time.
const MAX_DOUBTS: u8 = 64;
/// So many headers in a row of which nothing but the time is odd show that the clock was set.
const LINE: usize = 16;

/// Where `caplen` and `len` stand in the record header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lengths {
    /// As the format says since version 2.3.
    InOrder,
    /// Version 2.3: some programs wrote the old order under the new number. A captured length above the length on the
    /// wire gives them away (libpcap and Wireshark decide so too).
    Guess,
    /// Before version 2.3, and DG/UX (version 543.0).
    Swapped,
}

/// What the file header says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    big_endian: bool,
    nanoseconds: bool,
    lengths: Lengths,
    header_len: usize,
    /// Records longer than this are damage.
    limit: u32,
    link: u32,
}

/// A record header, in host order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub seconds: u32,
    pub fraction: u32,
    pub caplen: u32,
    pub len: u32,
}

impl Layout {
    /// Whether a file that begins so is pcap.
    pub fn is_magic(first: [u8; 4]) -> bool {
        let is_one = |word| matches!(word, magic::MICRO | magic::NANO | magic::MODIFIED);
        is_one(u32::from_le_bytes(first)) || is_one(u32::from_be_bytes(first))
    }

    /// Reads a file header; `None` when it is not one of pcap.
    pub fn parse(bytes: &[u8; FILE_HEADER_LEN]) -> Option<Self> {
        let first = u32_at(bytes, 0, false);
        let big_endian = match first {
            magic::MICRO | magic::NANO | magic::MODIFIED => false,
            _ => matches!(first.swap_bytes(), magic::MICRO | magic::NANO | magic::MODIFIED),
        };
        let magic = u32_at(bytes, 0, big_endian);
        let header_len = match magic {
            magic::MICRO | magic::NANO => 16,
            magic::MODIFIED => MODIFIED_HEADER_LEN,
            _ => return None,
        };
        let version = u32_at(bytes, 4, big_endian);
        // Two 16-bit fields in the writer's order: major first in the file.
        let (major, minor) = if big_endian {
            (version >> 16, version & 0xffff)
        } else {
            (version & 0xffff, version >> 16)
        };
        let snaplen = u32_at(bytes, 16, big_endian);
        Some(Self {
            big_endian,
            nanoseconds: magic == magic::NANO,
            lengths: match (major, minor) {
                (2, 0..=2) | (543, _) => Lengths::Swapped,
                (2, 3) => Lengths::Guess,
                _ => Lengths::InOrder,
            },
            header_len,
            // A snapshot length beyond the usual bound is believed up to ours; 0 and 2^31 stand for «none».
            limit: if snaplen <= MAX_RECORD_LEN {
                snaplen.max(STANDARD_RECORD_LEN)
            } else {
                STANDARD_RECORD_LEN
            },
            // The upper bits: length of the frame check sequence, and the NetBSD class. Neither is the link type.
            link: u32_at(bytes, 20, big_endian) & 0xffff,
        })
    }

    pub fn header_len(&self) -> usize {
        self.header_len
    }

    #[inline]
    pub fn header(&self, bytes: &[u8; 16]) -> Header {
        let (first, second) = (u32_at(bytes, 8, self.big_endian), u32_at(bytes, 12, self.big_endian));
        let swapped = match self.lengths {
            Lengths::InOrder => false,
            Lengths::Guess => first > second,
            Lengths::Swapped => true,
        };
        let (caplen, len) = if swapped { (second, first) } else { (first, second) };
        Header {
            seconds: u32_at(bytes, 0, self.big_endian),
            fraction: u32_at(bytes, 4, self.big_endian),
            caplen,
            len,
        }
    }

    #[inline]
    fn fractions_per_second(&self) -> u32 {
        if self.nanoseconds { 1_000_000_000 } else { 1_000_000 }
    }

    /// Nanoseconds since the epoch. Seconds are unsigned: the format ends in 2106, not in 2038. A fraction of more than a
    /// second is added as it stands, as every reader does.
    #[inline]
    fn time_ns(&self, header: &Header) -> i64 {
        let fraction = i64::from(header.fraction);
        i64::from(header.seconds) * 1_000_000_000 + if self.nanoseconds { fraction } else { fraction * 1000 }
    }

    /// Whether the header could be a record's at all.
    pub fn is_possible(&self, header: &Header) -> bool {
        header.caplen <= self.limit
    }

    /// Whether the header looks like what every writer writes.
    pub fn is_regular(&self, header: &Header) -> bool {
        self.is_possible(header)
            && header.caplen <= header.len
            && header.len <= MAX_WIRE_LEN
            && header.fraction < self.fractions_per_second()
            && !header.is_zero()
    }
}

impl Header {
    pub fn is_zero(&self) -> bool {
        (self.seconds | self.fraction | self.caplen | self.len) == 0
    }

    pub fn is_near(&self, seconds: u32) -> bool {
        self.seconds.abs_diff(seconds) <= JUMP_S
    }
}

#[inline]
fn u32_at<const N: usize>(bytes: &[u8; N], at: usize, big_endian: bool) -> u32 {
    let word = bytes
        .get(at..)
        .and_then(|b| b.first_chunk())
        .copied()
        .unwrap_or_default();
    if big_endian {
        u32::from_be_bytes(word)
    } else {
        u32::from_le_bytes(word)
    }
}

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
            (nearby != self.layout.header_len() + header.caplen as usize).then_some(resync::Found::At(nearby))
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
