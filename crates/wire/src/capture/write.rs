//! Writes pcap with nanoseconds, in the byte order of this machine.

use std::io::{self, Write};

use super::layout::magic;

/// A capture that is being written. Nothing is read back or seeked: a pipe will do.
#[derive(Debug)]
pub struct PcapWriter<W> {
    output: W,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the file header: link type and the most bytes of a packet that will be written.
    pub fn new(mut output: W, link_type: u16, snaplen: u32) -> io::Result<Self> {
        let mut header = magic::NANO.to_ne_bytes().to_vec();
        // Version 2.4; time zone and accuracy are always 0.
        header.extend([2_u16.to_ne_bytes(), 4_u16.to_ne_bytes()].concat());
        header.extend([0; 8]);
        header.extend(snaplen.to_ne_bytes());
        header.extend(u32::from(link_type).to_ne_bytes());
        output.write_all(&header)?;
        Ok(Self { output })
    }

    /// One packet: nanoseconds since the epoch, its length on the wire, and what was captured of it in parts.
    pub fn write(&mut self, time_ns: i64, wire_len: u32, parts: &[&[u8]]) -> io::Result<()> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let (seconds, fraction) = (time_ns.div_euclid(1_000_000_000), time_ns.rem_euclid(1_000_000_000));
        let words = [
            seconds as u32,
            fraction as u32,
            length as u32,
            wire_len.max(length as u32),
        ];
        for word in words {
            self.output.write_all(&word.to_ne_bytes())?;
        }
        parts.iter().try_for_each(|part| self.output.write_all(part))
    }

    /// Hands on what is buffered, so that the file ends with a whole packet.
    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
