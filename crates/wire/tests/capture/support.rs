//! Frames as owned values, and the ways to read them.

use std::io::{self, Cursor, Read};
use std::path::Path;

use halfopen_wire::Defect;
use halfopen_wire::capture::{OpenErrorKind, Reader};

/// A frame that outlives its reader.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owned {
    pub time_ns: i64,
    pub number: u64,
    pub link: u32,
    pub interface: u32,
    pub wire_len: u32,
    pub data: Vec<u8>,
}

/// What reading a whole stream gives.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    pub frames: Vec<Owned>,
    pub defects: Vec<(Defect, u64)>,
}

impl Outcome {
    pub fn defect_count(&self) -> u64 {
        self.defects.iter().map(|(_, n)| n).sum()
    }

    pub fn data(&self) -> Vec<Vec<u8>> {
        self.frames.iter().map(|f| f.data.clone()).collect()
    }

    pub fn times(&self) -> Vec<i64> {
        self.frames.iter().map(|f| f.time_ns).collect()
    }

    pub fn numbers(&self) -> Vec<u64> {
        self.frames.iter().map(|f| f.number).collect()
    }
}

/// Reads a stream to its end.
pub fn read_from(source: impl Read + Send + 'static) -> Result<Outcome, OpenErrorKind> {
    let mut reader = Reader::new(source, Path::new("test")).map_err(|e| e.kind)?;
    let mut frames = Vec::new();
    while let Some(f) = reader.next() {
        frames.push(Owned {
            time_ns: f.time_ns,
            number: f.number,
            link: f.link.0,
            interface: f.interface,
            wire_len: f.wire_len,
            data: f.data.to_vec(),
        });
    }
    assert!(reader.next().is_none(), "the end stays the end");
    assert_eq!(reader.stats().packets, frames.len() as u64);
    Ok(Outcome {
        frames,
        defects: reader.stats().defects.nonzero().collect(),
    })
}

/// Reads bytes, whole and one at a time: both must give the same.
pub fn try_read(bytes: &[u8]) -> Result<Outcome, OpenErrorKind> {
    let whole = read_from(Cursor::new(bytes.to_vec()));
    let dripped = read_from(Drip(Cursor::new(bytes.to_vec())));
    assert_eq!(whole, dripped, "byte by byte");
    whole
}

/// As [`try_read`], of a stream that can be opened.
pub fn read(bytes: &[u8]) -> Outcome {
    try_read(bytes).expect("a capture")
}

/// Yields one byte at a time, and is interrupted between them.
pub struct Drip<R>(pub R);

impl<R: Read> Read for Drip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let one = out.len().min(1);
        self.0.read(&mut out[..one])
    }
}
