//! What is done with each handshake: chosen, summed up, and written on a thread of its own.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use halfopen_table::jsonl::JsonLines;
use halfopen_table::parquet::ParquetFile;
use halfopen_table::{Collection, Filter, Names, Sorter, csv};
use halfopen_track::summary::Limits as SummaryLimits;
use halfopen_track::{Fetch, Handshake, Leaving, Sink, Summary};
use halfopen_wire::EncapTable;

use crate::Consumer;

/// All times: from the first one up to, not including, the second.
const EVER: (i64, i64) = (i64::MIN, i64::MAX);

/// A moment, absolute or counted from the first frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Nanoseconds, since the epoch or since the first frame.
    pub ns: i64,
    /// Counted from the first frame.
    pub relative: bool,
}

impl Moment {
    const fn absolute(self, first_ns: i64) -> i64 {
        if self.relative {
            first_ns.saturating_add(self.ns)
        } else {
            self.ns
        }
    }
}

/// Which handshakes count.
#[derive(Default)]
pub struct Choice {
    /// Begun at or after.
    pub since: Option<Moment>,
    /// Begun before.
    pub until: Option<Moment>,
    /// And for which this holds.
    pub filter: Option<Filter>,
}

/// Where the records go.
pub enum Records {
    /// Nowhere: only the summary is wanted.
    None,
    /// Into memory.
    Kept,
    /// Into a file, one JSON object a line.
    JsonLines(Box<dyn Write + Send>),
    /// Into a file, as CSV with a header.
    Csv(Box<dyn Write + Send>),
    /// Into a file, as Parquet.
    Parquet(Box<dyn Write + Send>),
}

/// Up to this many handshakes are written in the order in which they began; more, in the order in which they ended, unless
/// an order was asked for. So are those of a pipe that has not ended after half a second: somebody waits for them.
pub const SORTED: usize = 1 << 17;
/// Handshakes sent to the writing thread at a time.
const PORTION: usize = 1024;
/// Portions under way.
const QUEUE: usize = 8;

type Portion = (Vec<Handshake>, Arc<EncapTable>);

/// The consumer of [`crate::run`] that the commands use.
pub struct Outlet {
    choice: Choice,
    /// Nothing is left out: only then need no record be looked at.
    takes_all: bool,
    span: (i64, i64),
    sources: Arc<[String]>,
    summary: Summary,
    encaps: Arc<EncapTable>,
    waiting: Vec<Handshake>,
    held_back: bool,
    /// Records are lines, which a reader can take one by one.
    is_stream: bool,
    sorter: Option<Sorter>,
    wants_records: bool,
    unstarted: Option<Records>,
    writer: Option<Writer>,
}

struct Writer {
    to: SyncSender<Portion>,
    thread: JoinHandle<io::Result<Option<Collection>>>,
}

impl Outlet {
    /// `sources` are the names of the inputs, in their order. With a `sorter`, the records are those that it keeps, in its
    /// order; the summary is of all that were chosen.
    pub fn new(
        choice: Choice,
        sources: Vec<String>,
        limits: SummaryLimits,
        records: Records,
        sorter: Option<Sorter>,
    ) -> Self {
        let sources: Arc<[String]> = sources.into();
        Self {
            takes_all: choice.since.is_none() && choice.until.is_none() && choice.filter.is_none(),
            choice,
            span: EVER,
            sources,
            summary: Summary::new(limits),
            encaps: Arc::default(),
            waiting: Vec::new(),
            held_back: true,
            is_stream: matches!(records, Records::JsonLines(_) | Records::Csv(_)),
            sorter,
            wants_records: !matches!(records, Records::None),
            unstarted: Some(records),
            writer: None,
        }
    }

    /// Whether the writing thread has given up (a full disk, a closed pipe): reading on is useless.
    pub fn is_broken(&self) -> bool {
        self.writer.as_ref().is_some_and(|w| w.thread.is_finished())
    }

    /// Writes what is left. Gives the summary, and the records where they were to be kept.
    ///
    /// # Errors
    /// What the operating system said when the records were written.
    pub fn finish(mut self) -> io::Result<(Summary, Option<Collection>)> {
        self.send_all();
        self.start_writer();
        let kept = match self.writer.take() {
            None => None,
            Some(writer) => writer.join()?,
        };
        Ok((self.summary, kept))
    }

    fn is_wanted(&self, handshake: &Handshake) -> bool {
        let begun = handshake.start_ns;
        // What has no time was begun at no moment that is known.
        let outside = begun < self.span.0 || begun >= self.span.1;
        if outside || !handshake.timed && self.span != EVER {
            return false;
        }
        let names = Names {
            sources: &self.sources,
            encaps: &self.encaps,
        };
        let filter = self.choice.filter.as_ref();
        filter.is_none_or(|filter| filter.matches(handshake, &names))
    }

    fn send_all(&mut self) {
        if let Some(sorter) = self.sorter.take() {
            self.waiting = sorter.finish();
        } else if self.held_back {
            self.order();
        }
        self.send();
    }

    fn order(&mut self) {
        self.waiting.sort_by_key(|h| (h.start_ns, h.number));
    }

    /// Not before there is something to write, so that a capture that cannot be opened leaves no header line behind.
    fn start_writer(&mut self) {
        if let Some(records) = self.unstarted.take_if(|_| self.wants_records) {
            self.writer = Some(Writer::start(records, Arc::clone(&self.sources)));
        }
    }

    fn send(&mut self) {
        if !self.waiting.is_empty() {
            self.start_writer();
        }
        let Some(writer) = &self.writer else { return };
        let all = std::mem::take(&mut self.waiting);
        for portion in all.chunks(PORTION) {
            // A thread that has given up says why when it is joined.
            if writer.to.send((portion.to_vec(), Arc::clone(&self.encaps))).is_err() {
                return;
            }
        }
    }
}

impl Consumer for Outlet {
    fn begin(&mut self, first_ns: i64) {
        self.span = (
            self.choice.since.map_or(i64::MIN, |m| m.absolute(first_ns)),
            self.choice.until.map_or(i64::MAX, |m| m.absolute(first_ns)),
        );
    }

    fn release(&mut self) {
        if self.is_stream && self.sorter.is_none() && !self.waiting.is_empty() {
            self.held_back = false;
            self.order();
            self.send();
        }
    }

    fn expect<F: Fetch>(&mut self, one: Leaving<'_>) {
        self.summary.expect::<F>(&one);
    }

    fn ended(&mut self, ended: Leaving<'_>, encaps: &Arc<EncapTable>) {
        if self.wants_records || !self.takes_all {
            self.handshake(&ended.record(), encaps);
        } else {
            self.summary.ended(ended);
        }
    }

    fn handshake(&mut self, handshake: &Handshake, encaps: &Arc<EncapTable>) {
        if !Arc::ptr_eq(&self.encaps, encaps) {
            self.encaps = Arc::clone(encaps);
        }
        if !self.is_wanted(handshake) {
            return;
        }
        self.summary.handshake(handshake);
        if !self.wants_records {
            return;
        }
        if let Some(sorter) = &mut self.sorter {
            let names = Names {
                sources: &self.sources,
                encaps: &self.encaps,
            };
            sorter.push(handshake, &names);
            return;
        }
        self.waiting.push(handshake.clone());
        let limit = if self.held_back { SORTED } else { PORTION };
        if self.waiting.len() >= limit {
            self.held_back = false;
            self.send();
        }
    }
}

impl Writer {
    fn start(records: Records, sources: Arc<[String]>) -> Self {
        let (to, from) = sync_channel::<Portion>(QUEUE);
        let thread = std::thread::spawn(move || match records {
            Records::None => Ok(None),
            Records::Kept => Ok(Some(keep(&from, sources))),
            Records::JsonLines(out) => {
                let mut lines = JsonLines::new();
                text(&from, &sources, out, |_| {}, move |r, n, b| lines.write_batch(r, n, b))
            }
            Records::Csv(out) => text(&from, &sources, out, csv::write_header, csv::write_batch),
            Records::Parquet(out) => parquet(&from, &sources, out),
        });
        Self { to, thread }
    }

    fn join(self) -> io::Result<Option<Collection>> {
        drop(self.to);
        match self.thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

fn text(
    from: &Receiver<Portion>,
    sources: &[String],
    mut out: Box<dyn Write + Send>,
    header: impl FnOnce(&mut Vec<u8>),
    mut write: impl FnMut(&[Handshake], &Names<'_>, &mut Vec<u8>),
) -> io::Result<Option<Collection>> {
    let mut bytes = Vec::with_capacity(2 << 20);
    header(&mut bytes);
    while let Ok((records, encaps)) = from.recv() {
        write(
            &records,
            &Names {
                sources,
                encaps: &encaps,
            },
            &mut bytes,
        );
        out.write_all(&bytes)?;
        bytes.clear();
    }
    out.write_all(&bytes)?;
    out.flush()?;
    Ok(None)
}

/// What the operating system said inside Parquet's own error, so that a closed pipe is still known as one.
fn io_error(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if let Some(known) = inner.downcast_ref::<io::Error>() {
            return known
                .raw_os_error()
                .map_or_else(|| known.kind().into(), io::Error::from_raw_os_error);
        }
        cause = inner.source();
    }
    io::Error::other(error)
}

fn parquet(from: &Receiver<Portion>, sources: &[String], out: Box<dyn Write + Send>) -> io::Result<Option<Collection>> {
    let mut file = ParquetFile::new(BufWriter::with_capacity(1 << 20, out)).map_err(io_error)?;
    while let Ok((records, encaps)) = from.recv() {
        file.write_batch(
            &records,
            &Names {
                sources,
                encaps: &encaps,
            },
        )
        .map_err(io_error)?;
    }
    file.finish().map_err(io_error)?.flush()?;
    Ok(None)
}

fn keep(from: &Receiver<Portion>, sources: Arc<[String]>) -> Collection {
    let mut collection = Collection::new(sources);
    while let Ok((records, encaps)) = from.recv() {
        collection.push(&records, &encaps);
    }
    collection
}
