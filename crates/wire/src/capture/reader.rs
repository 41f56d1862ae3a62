//! One input.

use std::io::Read;
use std::path::Path;

use super::stream::Stream;
use super::{InputStats, OpenError, WINDOW, source};
use crate::{Defects, Frame};

/// Reads one capture from a file, a pipe or anything that yields bytes.
pub struct Reader {
    stream: Stream,
    stats: InputStats,
}

impl Reader {
    /// Opens a file, or standard input for `-`.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let opened = source::open(path).map_err(|kind| OpenError::new(path, kind))?;
        let mut reader = Self::new(opened.source, path)?;
        reader.stats.size = opened.size;
        Ok(reader)
    }

    /// Reads `source`; `path` is only what it is called.
    pub fn new(source: impl Read + Send + 'static, path: &Path) -> Result<Self, OpenError> {
        let stream = Stream::new(Box::new(source), WINDOW).map_err(|kind| OpenError::new(path, kind))?;
        let stats = InputStats::new(path.to_path_buf());
        Ok(Self { stream, stats })
    }

    /// The next frame; `None` at the end, again and again.
    #[allow(clippy::should_implement_trait)] // A frame is borrowed from the reader: no `Iterator` can say that.
    #[inline]
    pub fn next(&mut self) -> Option<Frame<'_>> {
        self.next_counted().map(|(frame, _)| frame)
    }

    /// The next frame, and where to count what is found to be wrong inside it.
    #[inline]
    pub fn next_counted(&mut self) -> Option<(Frame<'_>, &mut Defects)> {
        let record = self.stream.advance(&mut self.stats)?;
        self.stats.packets += 1;
        Some((self.stream.frame(&record, 0), &mut self.stats.defects))
    }

    /// What has been read so far.
    pub fn stats(&self) -> &InputStats {
        &self.stats
    }
}
