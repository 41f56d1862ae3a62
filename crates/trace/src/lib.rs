//! # trace: capture files to handshakes, on three threads
//!
//! Puts `wire` and `track` together: one thread reads and decodes, one walks the state table, and the caller's makes the
//! records of what has ended and hands them to a [`Consumer`]. All work on batches, so that a lock is taken once for some
//! hundred packets.
//!
//! - [`run`] takes whole captures; [`outlet`] chooses, sums up and writes; [`exchange`] collects the packets of chosen
//!   connections, for ladders, and [`states`] says where both ends are beside each.
//!
//! **Limits.** `QUEUE` batches of `BATCH` packets are under way at most, some 2 MiB.
//!
//! **Architecture Invariant:** no Python, and no clock but the one that says when the records of a pipe are due.
#![forbid(unsafe_code)]

pub mod against;
pub mod exchange;
pub mod outlet;
mod reader;
pub mod states;
mod walker;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use halfopen_track::{EndedList, Fetch, Handshake, Leaving, Limits, TrackStats, Tracker};
use halfopen_wire::capture::{CaptureSet, InputStats, OpenError, OpenErrorKind};
use halfopen_wire::decode::{Decoder, Options};
use halfopen_wire::{Address, EncapTable};

use reader::{Batch, Shared};
use walker::Portion;

/// What to read, and how.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The captures; `-` is standard input. Several are one capture, in time order.
    pub inputs: Vec<PathBuf>,
    /// Bounds of the flow table.
    pub limits: Limits,
    /// Mark handshakes whose segments have a wrong checksum.
    pub verify_checksums: bool,
}

/// What was read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// One for each input, in the order given.
    pub inputs: Vec<InputStats>,
    /// Frames read.
    pub packets: u64,
    /// Time of the earliest frame, nanoseconds since the epoch; `None` without frames.
    pub first_ns: Option<i64>,
    /// Time of the latest frame.
    pub last_ns: Option<i64>,
    /// What the tracker counted.
    pub track: TrackStats,
    /// Hosts that sent segments of connections from before the capture, 4096 at most.
    pub midstream_senders: Vec<Address>,
    /// What the encapsulation numbers of the records mean.
    pub encaps: Arc<EncapTable>,
    /// The watcher stopped it before the end.
    pub stopped: bool,
}

/// How far the reading is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Frames read so far.
    pub packets: u64,
    /// Bytes of the inputs, as stored, that were read.
    pub bytes: u64,
    /// Bytes of all inputs together, where every size is known.
    pub total: Option<u64>,
}

/// Takes finished handshakes in the order in which they end.
pub trait Consumer {
    /// The time of the first frame, before any handshake.
    fn begin(&mut self, first_ns: i64);

    /// One handshake; `encaps` explains its encapsulation number.
    fn handshake(&mut self, handshake: &Handshake, encaps: &Arc<EncapTable>);

    /// The inputs are slow, and somebody may wait for what was given. Whoever keeps nothing back does nothing.
    fn release(&mut self) {}

    /// One that comes some handshakes later: whoever keeps much may ask for memory.
    fn expect<F: Fetch>(&mut self, _: Leaving<'_>) {}

    /// The same before its record is made. Whoever needs none overrides this.
    fn ended(&mut self, ended: Leaving<'_>, encaps: &Arc<EncapTable>) {
        self.handshake(&ended.record(), encaps);
    }
}

/// How many handshakes ahead the consumer is told of one.
const AHEAD: usize = 24;
/// Batches of packets under way between the threads.
const QUEUE: usize = 3;
/// Without news for this long the watcher is asked all the same: a slow pipe must not make Ctrl-C wait.
const PATIENCE: Duration = Duration::from_millis(100);
/// Records of an input that is still being written are released this often.
const RELEASE_EVERY: Duration = Duration::from_millis(500);
/// The watcher is asked once for this many portions of ended handshakes.
const WATCH_EVERY: u32 = 64;

/// Reads the captures to their end, or until `watch` breaks; `F` asks for memory ahead.
///
/// # Errors
/// When no input can be opened, or none is a capture. Damage inside is counted in [`Reading::inputs`].
///
/// # Panics
/// Only where another thread panicked, which would be a defect of ours.
pub fn run<F: Fetch, C: Consumer>(
    request: &Request,
    consumer: &mut C,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Reading, OpenError> {
    let captures = CaptureSet::open(&request.inputs)?;
    let mut pace = Pace::new(captures.is_live());
    let tracker = Tracker::<F>::fetching(request.limits);
    let hasher = tracker.hasher();
    let shared = Shared::default();
    let (full_in, full_out) = sync_channel::<Batch>(QUEUE);
    let (empty_in, empty_out) = sync_channel::<Batch>(QUEUE + 2);
    let (ended_in, ended_out) = sync_channel::<Portion>(QUEUE);
    let (taken_in, taken_out) = sync_channel::<EndedList>(QUEUE + 2);
    let decoder = Decoder::new(Options {
        verify_checksums: request.verify_checksums,
    });
    thread::scope(|scope| {
        let shared = &shared;
        let read = move || reader::read(captures, decoder, hasher, shared, &full_in, &empty_out);
        let walk = move || walker::walk(tracker, &full_out, &empty_in, ended_in, taken_out);
        let reading = named("halfopen-read")
            .spawn_scoped(scope, read)
            .map_err(|e| no_thread(request, &e))?;
        let walking = named("halfopen-walk")
            .spawn_scoped(scope, walk)
            .map_err(|e| no_thread(request, &e))?;
        let (stopped, encaps) = consume::<F, C>(consumer, shared, &ended_out, &taken_in, &mut pace, watch);
        shared.stop.store(stopped, Ordering::Relaxed);
        // The others may wait for room in a queue that nobody empties any more.
        drop(ended_out);
        let (track, midstream_senders) = joined(walking.join());
        let end = joined(reading.join());
        Ok(Reading {
            inputs: end.inputs,
            packets: end.packets,
            first_ns: end.first_ns,
            last_ns: end.last_ns,
            track,
            midstream_senders,
            encaps,
            stopped,
        })
    })
}

/// Names are seen in `top -H` and in core files.
fn named(name: &str) -> thread::Builder {
    thread::Builder::new().name(name.to_owned())
}

/// The operating system grants no thread: the captures cannot be read.
fn no_thread(request: &Request, error: &std::io::Error) -> OpenError {
    let path = request.inputs.first().cloned().unwrap_or_default();
    OpenError {
        path,
        kind: OpenErrorKind::Io(format!("no thread for it: {error}")),
    }
}

fn joined<T>(result: thread::Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// When records are released: the one use of a clock, and it decides no more than when they are seen.
struct Pace {
    last: Option<Instant>,
}

impl Pace {
    fn new(is_live: bool) -> Self {
        Self {
            last: is_live.then(Instant::now),
        }
    }

    fn is_due(&mut self) -> bool {
        let is_due = self.last.is_some_and(|last| last.elapsed() >= RELEASE_EVERY);
        if is_due {
            self.last = Some(Instant::now());
        }
        is_due
    }
}

/// Makes the records of what has ended, and gives them to the consumer. Says whether the watcher broke it off.
fn consume<F: Fetch, C: Consumer>(
    consumer: &mut C,
    shared: &Shared,
    ended: &Receiver<Portion>,
    empty: &SyncSender<EndedList>,
    pace: &mut Pace,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> (bool, Arc<EncapTable>) {
    let mut encaps = Arc::default();
    let mut until_watch = 1u32;
    loop {
        let portion = match ended.recv_timeout(PATIENCE) {
            Ok(portion) => Some(portion),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return (watch(shared.progress()).is_break(), encaps),
        };
        until_watch = if portion.is_some() { until_watch - 1 } else { 0 };
        if let Some(portion) = portion {
            if let Some(newer) = portion.encaps {
                encaps = newer;
            }
            if let Some(first_ns) = portion.first_ns {
                consumer.begin(first_ns);
            }
            hand_over::<F, C>(consumer, &portion.ended, &encaps);
            let mut taken = portion.ended;
            taken.clear();
            // Full, or the walking thread has ended: it is not needed again.
            let _unneeded = empty.try_send(taken);
        }
        if pace.is_due() {
            consumer.release();
        }
        if until_watch == 0 {
            until_watch = WATCH_EVERY;
            if watch(shared.progress()).is_break() {
                return (true, encaps);
            }
        }
    }
}

/// Gives the consumer all that has ended, and tells it of each some time before.
fn hand_over<F: Fetch, C: Consumer>(consumer: &mut C, ended: &EndedList, encaps: &Arc<EncapTable>) {
    let mut ahead = ended.wholes();
    ahead.by_ref().take(AHEAD).for_each(|one| consumer.expect::<F>(one));
    for one in ended.iter() {
        if one.is_whole()
            && let Some(later) = ahead.next()
        {
            consumer.expect::<F>(later);
        }
        consumer.ended(one, encaps);
    }
}
