//! A sliding window over a byte stream: the only place that reads, and the only memory that grows with a record.
//!
//! A record is looked at where it lies; nothing is copied but the short tail of a full window. Reading happens only when
//! the next record is not whole yet, and takes what one `read` gives, so that a slow pipe is followed packet by packet.

use std::io::{ErrorKind, Read};

use crate::Defect;

/// Why there is no more to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// The stream ended as streams do.
    Clean,
    /// Reading failed; the bytes before the failure were delivered.
    Failed(Defect),
}

/// The window. Positions that its methods take count from the first byte that has not been consumed.
pub(super) struct Buffer {
    source: Box<dyn Read + Send>,
    /// All of it initialised; what counts lies in `start..end`.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// At or before `start`: consumed bytes from here on are kept for [`Buffer::rewind`].
    kept: usize,
    over: Option<End>,
    /// Set by each read: time to look how far the file has been read.
    pub refilled: bool,
}

impl Buffer {
    /// A window of `capacity` bytes at first; it doubles as long as one record does not fit.
    pub fn new(source: Box<dyn Read + Send>, capacity: usize) -> Self {
        Self {
            source,
            bytes: vec![0; capacity.max(64)],
            start: 0,
            end: 0,
            kept: 0,
            over: None,
            refilled: false,
        }
    }

    /// The bytes that have been read and not consumed.
    #[inline]
    pub fn available(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether `wanted` bytes are there, after reading as much as that takes.
    #[inline]
    pub fn ensure(&mut self, wanted: usize) -> bool {
        self.end - self.start >= wanted || self.fill(wanted)
    }

    /// The first `N` bytes, if the stream has as many.
    #[inline]
    pub fn head<const N: usize>(&mut self) -> Option<[u8; N]> {
        if self.ensure(N) {
            self.available().first_chunk().copied()
        } else {
            None
        }
    }

    /// `N` bytes at a distance, if the stream has as many.
    pub fn peek<const N: usize>(&mut self, at: usize) -> Option<[u8; N]> {
        if !self.ensure(at.checked_add(N)?) {
            return None;
        }
        self.available().get(at..)?.first_chunk().copied()
    }

    /// Consumes a header and the body behind it; says where the body lies for [`Buffer::slice`]. Both must be available.
    #[inline]
    pub fn take(&mut self, header: usize, body: usize) -> (usize, usize) {
        self.kept = self.start + header;
        self.start = (self.kept + body).min(self.end);
        (self.kept, self.start)
    }

    /// Consumes `count` bytes for good.
    pub fn skip(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
        self.kept = self.start;
    }

    /// Brings the body that was taken last back; returns its length.
    pub fn rewind(&mut self) -> usize {
        let back = self.start - self.kept;
        self.start = self.kept;
        back
    }

    /// Bytes that [`Buffer::take`] named; good until the next call that reads.
    #[inline]
    pub fn slice(&self, (from, to): (usize, usize)) -> &[u8] {
        self.bytes.get(from..to).unwrap_or_default()
    }

    /// How the stream ended; `Clean` also before it did.
    pub fn end(&self) -> End {
        self.over.unwrap_or(End::Clean)
    }

    /// Gives the source back, with the bytes that were read ahead.
    pub fn into_parts(self) -> (Vec<u8>, Box<dyn Read + Send>) {
        let rest = self.available().to_vec();
        (rest, self.source)
    }

    /// How large the window has become, bytes.
    #[cfg(test)]
    pub fn capacity(&self) -> usize {
        self.bytes.len()
    }

    #[cold]
    fn fill(&mut self, wanted: usize) -> bool {
        while self.end - self.start < wanted {
            if self.over.is_some() {
                return false;
            }
            // Only when it must: moving the tail for each byte of a slow pipe would be quadratic.
            if self.kept > 0 && self.start + wanted > self.bytes.len() {
                self.bytes.copy_within(self.kept..self.end, 0);
                self.start -= self.kept;
                self.end -= self.kept;
                self.kept = 0;
            }
            // Full, and still not enough. Growing by what has arrived, not by what a length field claims.
            if self.end == self.bytes.len() {
                self.bytes.resize(self.bytes.len() * 2, 0);
            }
            self.read();
        }
        true
    }

    fn read(&mut self) {
        self.refilled = true;
        let space = self.bytes.get_mut(self.end..).unwrap_or_default();
        match self.source.read(space) {
            Ok(0) => self.over = Some(End::Clean),
            Ok(count) => self.end = (self.end + count).min(self.bytes.len()),
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                // What the decompressors of this module say; an operating system says neither of a plain file.
                ErrorKind::InvalidData => self.over = Some(End::Failed(Defect::CorruptCompression)),
                ErrorKind::UnexpectedEof => self.over = Some(End::Failed(Defect::CutOff)),
                _ => self.over = Some(End::Failed(Defect::ReadError)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::{Buffer, End};

    fn buffer(bytes: &[u8], capacity: usize) -> Buffer {
        Buffer::new(Box::new(Cursor::new(bytes.to_vec())), capacity)
    }

    #[test]
    fn a_record_larger_than_the_window_grows_it() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let mut b = buffer(&bytes, 64);
        assert!(b.ensure(700));
        assert_eq!(b.available().get(..700), bytes.get(..700));
        b.skip(700);
        assert!(b.ensure(300));
        assert!(!b.ensure(301));
        assert_eq!(b.available(), &bytes[700..]);
        assert_eq!(b.end(), End::Clean);
    }

    #[test]
    fn a_length_that_is_never_filled_allocates_little() {
        let mut b = buffer(&[1; 100], 64);
        assert!(!b.ensure(usize::MAX / 2));
        assert!(b.bytes.len() <= 256);
    }

    #[test]
    fn the_last_body_comes_back_after_a_refill() {
        let bytes: Vec<u8> = (0..200).collect();
        let mut b = buffer(&bytes, 64);
        assert!(b.ensure(40));
        let body = b.take(10, 30);
        assert_eq!(b.slice(body), &bytes[10..40]);
        assert!(b.ensure(100));
        assert_eq!(b.rewind(), 30);
        assert_eq!(b.available().first(), Some(&10));
    }
}
