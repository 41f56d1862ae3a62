//! Several inputs as one capture: a ring of `tcpdump -C` or `-G` files, or the files of several machines.
//!
//! Every input is looked at once for the time of its first packet, then closed; they are read in the order of those times,
//! and opened when their turn comes. Where files overlap in time they are merged, packet by packet. Within a file the order
//! is the file's own.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::path::{Path, PathBuf};

use super::error::{OpenError, OpenErrorKind};
use super::stream::Stream;
use super::{InputStats, MAX_OPEN_INPUTS, Record, WINDOW, source};
use crate::{Defects, Frame};

/// Bytes that are read to learn the time of the first packet, and the window of each of several files that are merged.
const SMALL_WINDOW: usize = 64 << 10;

/// Several captures in the order of time; or one.
pub struct CaptureSet {
    inputs: Vec<InputStats>,
    /// Those not begun, by the time of their first packet.
    waiting: VecDeque<Waiting>,
    /// Those that overlap with the current one.
    others: BinaryHeap<Reverse<Open>>,
    current: Option<Current>,
    /// The current input is read without looking at the others as long as its time stays at or below this.
    until_ns: i64,
}

/// An input whose turn has not come.
struct Waiting {
    first_ns: i64,
    file: usize,
    /// Open already, because a pipe cannot be opened twice.
    stream: Option<(Stream, Record)>,
    /// A pipe without a packet: it has been read to its end.
    is_read: bool,
}

/// The input that is being read, at the record that was delivered last.
struct Current {
    stream: Stream,
    file: usize,
}

/// An input at a record that has not been delivered.
struct Open {
    stream: Stream,
    file: usize,
    record: Record,
}

impl Open {
    fn key(&self) -> (i64, usize) {
        (self.record.time_ns, self.file)
    }
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Open {}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Open {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl CaptureSet {
    /// Opens the inputs; `-` is standard input. Fails only if not one of them can be read, with the reason of the first; an
    /// unreadable one among others is noted in its [`InputStats::failure`].
    ///
    /// A single input is read no further than its file header, so that a pipe is followed as it is written.
    pub fn open<P: AsRef<Path>>(paths: &[P]) -> Result<Self, OpenError> {
        let mut set = Self {
            inputs: paths
                .iter()
                .map(|p| InputStats::new(p.as_ref().to_path_buf()))
                .collect(),
            waiting: VecDeque::new(),
            others: BinaryHeap::new(),
            current: None,
            until_ns: i64::MAX,
        };
        match set.inputs.len() {
            0 => return Err(OpenError::new(Path::new(""), OpenErrorKind::NoInput)),
            1 => set.open_only()?,
            _ => set.open_several()?,
        }
        Ok(set)
    }

    /// The next frame in time; `None` at the end, again and again.
    #[allow(clippy::should_implement_trait)] // A frame is borrowed from the set: no `Iterator` can say that.
    #[inline]
    pub fn next(&mut self) -> Option<Frame<'_>> {
        self.next_counted().map(|(frame, _)| frame)
    }

    /// The next frame, and where to count what is found to be wrong inside it.
    #[inline]
    pub fn next_counted(&mut self) -> Option<(Frame<'_>, &mut Defects)> {
        let record = match self.advance_current() {
            Some(record) => record,
            None => self.switch()?,
        };
        let current = self.current.as_ref()?;
        let stats = self.inputs.get_mut(current.file)?;
        stats.packets += 1;
        Some((current.stream.frame(&record, current.file as u32), &mut stats.defects))
    }

    /// What has been read of each input, in the order in which they were given.
    pub fn inputs(&self) -> &[InputStats] {
        &self.inputs
    }

    /// Whether an input is no regular file: what it will yield may not be written yet.
    pub fn is_live(&self) -> bool {
        self.inputs
            .iter()
            .any(|input| input.size.is_none() && input.failure.is_none())
    }

    /// Whether the next frame has to be read first. Of a pipe, that may take as long as its writer likes.
    pub fn must_read(&self) -> bool {
        self.current.as_ref().is_none_or(|current| current.stream.must_read())
    }

    /// The counters of one input; `None` for a number that no [`Frame::file`] has.
    pub fn defects_mut(&mut self, file: u32) -> Option<&mut Defects> {
        self.inputs.get_mut(file as usize).map(|input| &mut input.defects)
    }

    fn open_only(&mut self) -> Result<(), OpenError> {
        let stream = self.open_input(0, WINDOW)?;
        self.current = Some(Current { stream, file: 0 });
        Ok(())
    }

    fn open_several(&mut self) -> Result<(), OpenError> {
        let mut waiting = Vec::new();
        let mut first_error = None;
        for file in 0..self.inputs.len() {
            match self.look_at(file) {
                Ok(found) => waiting.push(found),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        if let (true, Some(error)) = (waiting.is_empty(), first_error) {
            return Err(error);
        }
        waiting.sort_by_key(|w| (w.first_ns, w.file));
        self.waiting = waiting.into();
        Ok(())
    }

    fn open_input(&mut self, file: usize, window: usize) -> Result<Stream, OpenError> {
        let Some(stats) = self.inputs.get_mut(file) else {
            return Err(OpenError::new(Path::new(""), OpenErrorKind::NoInput));
        };
        let opened = source::open(&stats.path).and_then(|opened| {
            stats.size = opened.size;
            Stream::new(opened.source, window)
        });
        opened.map_err(|kind| {
            let error = OpenError::new(&stats.path, kind);
            stats.failure = Some(error.clone());
            error
        })
    }

    /// Learns when an input begins. One without a packet comes last: reading it then counts its defects.
    fn look_at(&mut self, file: usize) -> Result<Waiting, OpenError> {
        let mut stream = self.open_input(file, SMALL_WINDOW)?;
        let can_reopen = self
            .inputs
            .get(file)
            .is_some_and(|i| i.size.is_some() && !source::is_stdin(&i.path));
        let mut unused = InputStats::new(PathBuf::new());
        let stats = match self.inputs.get_mut(file) {
            Some(stats) if !can_reopen => stats,
            _ => &mut unused,
        };
        let record = stream.advance(stats);
        Ok(Waiting {
            first_ns: record.map_or(i64::MAX, |r| r.time_ns),
            file,
            stream: record.filter(|_| !can_reopen).map(|r| (stream, r)),
            is_read: record.is_none() && !can_reopen,
        })
    }

    /// The way of almost every frame: the current input goes on.
    #[inline]
    fn advance_current(&mut self) -> Option<Record> {
        let current = self.current.as_mut()?;
        let stats = self.inputs.get_mut(current.file)?;
        let record = current.stream.advance(stats);
        match record {
            Some(record) if record.time_ns <= self.until_ns => Some(record),
            _ => {
                self.put_back(record);
                None
            }
        }
    }

    /// The current input is at its end (and closed), or another one may be earlier.
    #[cold]
    fn put_back(&mut self, record: Option<Record>) {
        if let (Some(Current { stream, file }), Some(record)) = (self.current.take(), record) {
            self.others.push(Reverse(Open { stream, file, record }));
        }
    }

    /// Makes the input with the earliest record the current one.
    #[cold]
    fn switch(&mut self) -> Option<Record> {
        while let Some(first_ns) = self.next_waiting_ns() {
            if self
                .others
                .peek()
                .is_some_and(|Reverse(open)| open.record.time_ns < first_ns)
            {
                break;
            }
            self.begin_waiting();
        }
        let Reverse(Open { stream, file, record }) = self.others.pop()?;
        self.current = Some(Current { stream, file });
        let other_ns = self.others.peek().map_or(i64::MAX, |Reverse(open)| open.record.time_ns);
        self.until_ns = self.next_waiting_ns().map_or(other_ns, |ns| ns.min(other_ns));
        Some(record)
    }

    /// When the next input begins that may be opened now.
    fn next_waiting_ns(&self) -> Option<i64> {
        let has_room = self.others.len() < MAX_OPEN_INPUTS;
        self.waiting.front().filter(|_| has_room).map(|w| w.first_ns)
    }

    fn begin_waiting(&mut self) {
        let Some(Waiting {
            file, stream, is_read, ..
        }) = self.waiting.pop_front()
        else {
            return;
        };
        if is_read {
            return;
        }
        if let Some((stream, record)) = stream {
            self.others.push(Reverse(Open { stream, file, record }));
            return;
        }
        let window = if self.others.is_empty() { WINDOW } else { SMALL_WINDOW };
        // It could be opened before: if not now, its failure is noted, and the others are read.
        let Ok(mut stream) = self.open_input(file, window) else {
            return;
        };
        let record = self.inputs.get_mut(file).and_then(|stats| stream.advance(stats));
        if let Some(record) = record {
            self.others.push(Reverse(Open { stream, file, record }));
        }
    }
}
