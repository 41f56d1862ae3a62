//! One stream of records, whatever its format.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::block;
use super::buffer::{Buffer, End};
use super::counts::{Damage, Stored};
use super::error::OpenErrorKind;
use super::layout::{FILE_HEADER_LEN, Layout};
use super::pcap::Pcap;
use super::pcapng::Pcapng;
use super::source;
use super::{Frames, InputStats, Record};
use crate::{Defect, Frame, LinkType};

/// An opened stream: the window and the format that walks over it.
pub(super) struct Stream {
    buffer: Buffer,
    format: Format,
    stored: Stored,
    damage: Damage,
    number: u64,
    is_over: bool,
}

enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

impl Stream {
    /// Recognises compression and format. Reads no further than the header of the file.
    pub fn new(source: Box<dyn Read + Send>, window: usize) -> Result<Self, OpenErrorKind> {
        let stored = Stored::default();
        let damage = Damage::default();
        let mut buffer = source::window(source, &stored, &damage, window)?;
        // Without its begin, what follows damage is no capture by itself.
        let format = Format::recognise(&mut buffer).map_err(|kind| match damage.load(Ordering::Relaxed) {
            0 => kind,
            _ => OpenErrorKind::BadCompression,
        })?;
        Ok(Self {
            buffer,
            format,
            stored,
            damage,
            number: 0,
            is_over: false,
        })
    }

    /// Goes to the next record. What [`Stream::frame`] returned before is gone.
    #[inline]
    pub fn advance(&mut self, stats: &mut InputStats) -> Option<Record> {
        if self.is_over {
            return None;
        }
        let mut frames = Frames {
            number: &mut self.number,
            defects: &mut stats.defects,
            is_over: &mut self.is_over,
        };
        let record = match &mut self.format {
            Format::Pcap(pcap) => pcap.advance(&mut self.buffer, &mut frames),
            Format::Pcapng(pcapng) => pcapng.advance(&mut self.buffer, &mut frames),
        };
        if self.buffer.refilled {
            self.buffer.refilled = false;
            stats.bytes = self.bytes_read();
            for _ in 0..self.damage.swap(0, Ordering::Relaxed) {
                stats.defects.add(Defect::CorruptCompression);
            }
        }
        record
    }

    /// Whether [`Stream::advance`] would have to read, and wait where the input is slow.
    pub fn must_read(&self) -> bool {
        let bytes = self.buffer.available();
        !match &self.format {
            Format::Pcap(pcap) => pcap.is_next_there(bytes),
            Format::Pcapng(pcapng) => pcapng.is_next_there(bytes),
        }
    }

    /// Bytes of the input as stored that have been read.
    pub fn bytes_read(&self) -> u64 {
        Arc::as_ref(&self.stored).load(Ordering::Relaxed)
    }

    /// The frame of the record that [`Stream::advance`] returned last.
    #[inline]
    pub fn frame(&self, record: &Record, file: u32) -> Frame<'_> {
        Frame {
            time_ns: record.time_ns,
            timed: record.timed,
            number: record.number,
            file,
            link: LinkType(record.link as u32),
            interface: record.interface as u32,
            wire_len: record.wire_len as u32,
            data: self.buffer.slice((record.from, record.to)),
        }
    }
}

impl Format {
    fn recognise(buffer: &mut Buffer) -> Result<Self, OpenErrorKind> {
        let Some(magic) = buffer.head::<4>() else {
            return Err(Self::too_short(buffer));
        };
        if magic == block::SECTION_HEADER.to_be_bytes() {
            let Some(head) = buffer.head::<12>() else {
                return Err(Self::too_short(buffer));
            };
            let big_endian = block::section_order(&head).ok_or(OpenErrorKind::NotACapture)?;
            return Ok(Self::Pcapng(Pcapng::new(big_endian)));
        }
        if !Layout::is_magic(magic) {
            return Err(OpenErrorKind::NotACapture);
        }
        let Some(header) = buffer.head::<FILE_HEADER_LEN>() else {
            return Err(Self::too_short(buffer));
        };
        let layout = Layout::parse(&header).ok_or(OpenErrorKind::NotACapture)?;
        buffer.skip(FILE_HEADER_LEN);
        Ok(Self::Pcap(Pcap::new(layout)))
    }

    fn too_short(buffer: &Buffer) -> OpenErrorKind {
        match buffer.end() {
            End::Failed(defect) => source::failed(defect),
            End::Clean => OpenErrorKind::HeaderCutOff,
        }
    }
}
