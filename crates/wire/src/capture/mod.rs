//! Capture files to [`crate::Frame`]s, and [`PcapWriter`] back: pcap and pcapng, plain or inside gzip or zstd, from files or a pipe.
//!
//! [`Reader`] reads one input, [`CaptureSet`] several as one capture in the order of time. Formats are recognised by their
//! first bytes, never by the name of the file. A frame is delivered as soon as its bytes are there, and borrowed from the
//! window over the stream (`buffer`): reading allocates nothing for a packet.
//!
//! **What is damaged** is counted in [`InputStats::defects`], and the reading goes on behind it:
//!
//! - A record header that cannot be one (`corrupt_record`), a block whose lengths contradict each other
//!   (`corrupt_block`): the next believable record is searched (`resync`, `block`). One defect for one damaged place.
//! - A stream that ends inside a record (`cut_off`): the partial record is not delivered, as with tcpdump and Wireshark.
//!   A SYN without its options would look like a SYN that offered none.
//! - A record with more captured bytes than its own length on the wire, or than the snapshot length of the file: delivered.
//!   A record of no bytes: delivered.
//! - A packet without a time (pcapng Simple Packet Blocks) carries the time of the packet before it, 0 if it is the first,
//!   and says so ([`crate::Frame::timed`]).
//!
//! **Architecture Invariant:** no length field of a file decides how much memory is allocated; only bytes that have arrived
//! make the window grow, up to the constants of this module.

mod block;
mod buffer;
mod counts;
mod error;
mod field;
mod gzip;
mod interface;
mod layout;
mod pcap;
mod pcapng;
mod reader;
mod resync;
mod set;
mod source;
mod stream;
mod timestamp;
mod write;
mod zstandard;

use std::path::PathBuf;

use crate::{Defect, Defects};
use buffer::End;

pub use error::{OpenError, OpenErrorKind};
pub use reader::Reader;
pub use set::CaptureSet;
pub use write::PcapWriter;

/// The longest captured packet, bytes, where the file does not announce longer ones: the largest snapshot length of
/// tcpdump (`MAXIMUM_SNAPLEN` of libpcap). A pcap record that claims more is damaged.
pub const STANDARD_RECORD_LEN: u32 = 262_144;

/// The longest captured packet, bytes, even where the snapshot length of a pcap file allows more.
pub const MAX_RECORD_LEN: u32 = 16 << 20;

/// The longest pcapng block, bytes: a packet of [`MAX_RECORD_LEN`] and its options. A longer one is taken for damage.
pub const MAX_BLOCK_LEN: u32 = MAX_RECORD_LEN + (1 << 20);

/// The most interfaces of one pcapng section that are told apart; packets of a later one count as `unknown_interface`.
pub const MAX_INTERFACES: usize = 1 << 16;

/// How many times over an input may be compressed (a `.gz` of a `.zst`). Each layer costs memory: zstd up to 128 MiB.
pub const MAX_COMPRESSION_DEPTH: usize = 2;

/// Files of a [`CaptureSet`] that are read at the same time, when their times overlap. Should more than these overlap, the
/// surplus waits until one has ended, and its packets come late.
pub const MAX_OPEN_INPUTS: usize = 64;

/// Bytes of a file that are read at a time: large enough to make the system calls vanish, small enough for the L2 cache.
const WINDOW: usize = 256 << 10;

/// What has been read of one input.
#[derive(Clone, Debug)]
pub struct InputStats {
    /// The input as it was given; `-` is standard input.
    pub path: PathBuf,
    /// Frames delivered.
    pub packets: u64,
    /// Bytes read from the file as it is stored (compressed, if it is).
    pub bytes: u64,
    /// Its length in bytes, where it is a regular file: so that `bytes` of `size` is progress.
    pub size: Option<u64>,
    /// What was wrong with it, counted.
    pub defects: Defects,
    /// Why nothing, or nothing more, could be read: set on an unreadable one among several inputs.
    pub failure: Option<OpenError>,
}

impl InputStats {
    fn new(path: PathBuf) -> Self {
        Self {
            path,
            packets: 0,
            bytes: 0,
            size: None,
            defects: Defects::default(),
            failure: None,
        }
    }
}

/// One record, where it lies in the window.
///
/// As wide as registers, and in this order so that no two fields stand side by side both here and in a [`crate::Frame`]: a
/// compiler copies such a pair with one load, and a processor cannot serve that from two stores before both have reached
/// the cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
struct Record {
    time_ns: i64,
    link: usize,
    /// Where its bytes begin, for [`buffer::Buffer::slice`].
    from: usize,
    interface: usize,
    number: u64,
    wire_len: usize,
    /// Where they end.
    to: usize,
    timed: bool,
}

/// What a format counts while it reads.
struct Frames<'a> {
    /// Number of the frame before, as Wireshark counts.
    number: &'a mut u64,
    defects: &'a mut Defects,
    is_over: &'a mut bool,
}

impl Frames<'_> {
    #[inline]
    fn next_number(&mut self) -> u64 {
        *self.number += 1;
        *self.number
    }

    fn count(&mut self, defect: Defect) {
        self.defects.add(defect);
    }

    /// Nothing more will come.
    fn end(&mut self, end: End) {
        *self.is_over = true;
        if let End::Failed(defect) = end {
            self.count(defect);
        }
    }
}
