//! Where the bytes come from: a file or standard input, and the layers of compression around the capture.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::buffer::{Buffer, End};
use super::counts::{Damage, Stored};
use super::error::OpenErrorKind;
use super::{MAX_COMPRESSION_DEPTH, gzip, zstandard};

/// An input that has been opened.
pub(super) struct Opened {
    /// The open file; reading it again from the start is possible only where `size` is known.
    pub source: Box<dyn Read + Send>,
    /// Length of a regular file, bytes.
    pub size: Option<u64>,
}

/// Whether the path means standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Opens a file, or standard input for `-`.
pub(super) fn open(path: &Path) -> Result<Opened, OpenErrorKind> {
    let file = if is_stdin(path) {
        // The descriptor itself: `std::io::Stdin` would put a small buffer and a lock between.
        io::stdin().as_fd().try_clone_to_owned().map(File::from)
    } else {
        File::open(path)
    };
    let file = file.map_err(|e| OpenErrorKind::of(&e))?;
    let about = file.metadata().map_err(|e| OpenErrorKind::of(&e))?;
    if about.is_dir() {
        return Err(OpenErrorKind::IsDirectory);
    }
    let size = about.is_file().then_some(about.len());
    Ok(Opened {
        source: Box::new(file),
        size,
    })
}

/// Puts a window over `source`, behind as many decompressors as its magic numbers call for.
pub(super) fn window(
    source: Box<dyn Read + Send>,
    stored: &Stored,
    damage: &Damage,
    capacity: usize,
) -> Result<Buffer, OpenErrorKind> {
    let counted = Counted {
        source,
        stored: Arc::clone(stored),
    };
    let mut buffer = Buffer::new(Box::new(counted), capacity);
    for _ in 0..=MAX_COMPRESSION_DEPTH {
        let Some(compression) = compression(&mut buffer)? else {
            return Ok(buffer);
        };
        let (ahead, rest) = buffer.into_parts();
        let inner = BufReader::with_capacity(INNER_BUFFER, Cursor::new(ahead).chain(rest));
        let plain: Box<dyn Read + Send> = match compression {
            Compression::Gzip => Box::new(gzip::Gunzip::new(inner, Arc::clone(damage))),
            Compression::Zstd => Box::new(
                zstandard::Unzstd::new(inner, Arc::clone(damage)).map_err(|e| OpenErrorKind::Io(e.to_string()))?,
            ),
        };
        buffer = Buffer::new(plain, capacity);
    }
    Err(OpenErrorKind::CompressedTooDeep)
}

/// Compressed bytes that are read at a time.
const INNER_BUFFER: usize = 128 << 10;

enum Compression {
    Gzip,
    Zstd,
}

/// Recognises compression by its magic number; the name of a file says nothing.
fn compression(buffer: &mut Buffer) -> Result<Option<Compression>, OpenErrorKind> {
    // Two bytes are enough for gzip: a file of three must not be taken for something else.
    let Some(two) = buffer.head::<2>() else {
        return Err(why_short(buffer));
    };
    if two == gzip::MAGIC {
        return Ok(Some(Compression::Gzip));
    }
    let Some(four) = buffer.head::<4>() else {
        return Err(why_short(buffer));
    };
    let is_zstd = four == zstandard::MAGIC || zstandard::is_skippable(four);
    Ok(is_zstd.then_some(Compression::Zstd))
}

/// Why there are not even four bytes.
fn why_short(buffer: &Buffer) -> OpenErrorKind {
    match buffer.end() {
        End::Failed(defect) => failed(defect),
        End::Clean if buffer.available().is_empty() => OpenErrorKind::Empty,
        End::Clean => OpenErrorKind::NotACapture,
    }
}

/// What an input is called that fails before its capture begins.
pub(super) fn failed(defect: crate::Defect) -> OpenErrorKind {
    match defect {
        crate::Defect::CorruptCompression => OpenErrorKind::BadCompression,
        crate::Defect::CutOff => OpenErrorKind::HeaderCutOff,
        _ => OpenErrorKind::Io("reading failed".to_owned()),
    }
}

/// Counts what passes.
struct Counted {
    source: Box<dyn Read + Send>,
    stored: Stored,
}

impl Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(out)?;
        // A figure for a progress bar, read by this very thread: no ordering is needed.
        self.stored.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
