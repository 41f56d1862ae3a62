//! The reader of captures. Whatever the bytes, it says frames and defects and comes to an end; numbers rise, lengths and
//! times stay in their bounds, and one byte at a time gives the same as all at once.

use std::io::{self, Cursor, Read};
use std::path::Path;

use halfopen_wire::Defect;
use halfopen_wire::capture::Reader;

/// Frames that are looked at in one input: a few bytes of gzip inflate to millions of empty records.
const MAX_FRAMES: usize = 20_000;

/// A file, by its seeds pcap.
pub fn pcap(data: &[u8]) {
    check(data);
}

/// A file, by its seeds pcapng of one or more sections.
pub fn pcapng(data: &[u8]) {
    check(data);
}

/// A file, by its seeds compressed with gzip or zstd, or with one inside the other.
pub fn compressed(data: &[u8]) {
    check(data);
}

fn check(data: &[u8]) {
    let whole = walk(Cursor::new(data.to_vec()));
    let dripped = walk(Drip(Cursor::new(data.to_vec())));
    assert_eq!(whole, dripped, "the size of the reads shows");
}

/// What one way of reading saw: a digest of the frames, and the defects.
#[derive(PartialEq, Eq, Debug)]
struct Seen {
    frames: usize,
    digest: u64,
    defects: Vec<(Defect, u64)>,
}

fn walk(source: impl Read + Send + 'static) -> Option<Seen> {
    let mut reader = Reader::new(source, Path::new("fuzz")).ok()?;
    let mut seen = Seen {
        frames: 0,
        digest: 0,
        defects: Vec::new(),
    };
    let mut last_number = 0;
    while let Some(frame) = reader.next() {
        assert!(frame.number > last_number, "frame numbers rise");
        assert!(
            frame.data.len() <= frame.wire_len as usize,
            "no more captured than sent"
        );
        assert!(
            frame.time_ns.unsigned_abs() <= 1 << 62,
            "the difference of two times fits 64 bits"
        );
        last_number = frame.number;
        for byte in frame.time_ns.to_le_bytes().iter().chain(frame.data) {
            seen.digest = seen.digest.wrapping_mul(0x0100_0000_01b3) ^ u64::from(*byte);
        }
        seen.frames += 1;
        if seen.frames == MAX_FRAMES {
            return Some(seen);
        }
    }
    assert!(reader.next().is_none(), "the end stays the end");
    seen.defects = reader.stats().defects.nonzero().collect();
    Some(seen)
}

/// Yields one byte at a time.
struct Drip(Cursor<Vec<u8>>);

impl Read for Drip {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match out.first_mut() {
            Some(byte) => self.0.read(std::slice::from_mut(byte)),
            None => Ok(0),
        }
    }
}
