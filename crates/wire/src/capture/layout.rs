//! The headers of a pcap file and of its records, in all their variants.

use super::{MAX_RECORD_LEN, STANDARD_RECORD_LEN};

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
pub(super) const MODIFIED_HEADER_LEN: usize = 24;
/// An older patch with the same magic number (libpcap-ss990915): two CPU numbers and three bytes of padding instead.
pub(super) const SS990915_HEADER_LEN: usize = 28;
/// A jump in time by more than this between neighbours makes a record header suspect: 30 days, in seconds.
const JUMP_S: u32 = 30 * 86_400;
/// No packet is longer on the wire than this, whatever a header claims: jumbograms and segmentation offload (Linux's
/// `GSO_MAX_SIZE` is 524 280) stay below.
pub(super) const MAX_WIRE_LEN: u32 = 1 << 20;

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
    /// Length of a record header, bytes.
    pub header_len: usize,
    /// Records longer than this are damage.
    pub limit: u32,
    pub link: u32,
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

    #[inline]
    pub fn header(&self, bytes: &[u8; 16]) -> Header {
        let [seconds, fraction, first, second] = words(bytes, self.big_endian);
        let swapped = match self.lengths {
            Lengths::InOrder => false,
            Lengths::Guess => first > second,
            Lengths::Swapped => true,
        };
        let (caplen, len) = if swapped { (second, first) } else { (first, second) };
        Header {
            seconds,
            fraction,
            caplen,
            len,
        }
    }

    #[inline]
    pub fn fractions_per_second(&self) -> u32 {
        if self.nanoseconds { 1_000_000_000 } else { 1_000_000 }
    }

    /// Nanoseconds since the epoch. Seconds are unsigned: the format ends in 2106, not in 2038. A fraction of more than a
    /// second is added as it stands, as every reader does.
    #[inline]
    pub fn time_ns(&self, header: &Header) -> i64 {
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

/// Four 32-bit fields.
#[inline]
fn words(bytes: &[u8; 16], big_endian: bool) -> [u32; 4] {
    let all = u128::from_le_bytes(*bytes);
    let words = [0, 32, 64, 96].map(|at| (all >> at) as u32);
    // One branch that always goes the same way.
    if big_endian { words.map(u32::swap_bytes) } else { words }
}
