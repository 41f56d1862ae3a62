//! # trace: capture files to handshakes, on two threads
//!
//! Puts `wire` and `track` together: one thread reads and decodes, the other walks the state table and hands each finished
//! handshake to a [`Consumer`]. Both work on batches, so that a lock is taken once for some hundred packets.
//!
//! - [`run`] takes whole captures; [`outlet`] chooses, sums up and writes; [`exchange`] collects the packets of chosen
//!   connections, for ladders.
//!
//! **Limits.** `QUEUE` batches of `BATCH` packets are under way at most, under 1 MiB.
//!
//! **Architecture Invariant:** no clock and no Python.
#![forbid(unsafe_code)]

pub mod against;
pub mod exchange;
pub mod outlet;
mod reader;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use halfopen_track::{Handshake, Limits, Sink, TrackStats, Tracker};
use halfopen_wire::EncapTable;
use halfopen_wire::capture::{CaptureSet, InputStats, OpenError};
use halfopen_wire::decode::{Decoder, Options};

use reader::{Batch, Shared};

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
}

struct Adapter<'a, C> {
    consumer: &'a mut C,
    encaps: Arc<EncapTable>,
}

impl<C: Consumer> Sink for Adapter<'_, C> {
    fn handshake(&mut self, handshake: &Handshake) {
        self.consumer.handshake(handshake, &self.encaps);
    }
}

/// Batches under way between the threads.
const QUEUE: usize = 6;
/// The watcher is asked once for this many batches.
const WATCH_EVERY: u32 = 256;

/// Reads the captures to their end, or until `watch` breaks.
///
/// # Errors
/// When no input can be opened, or none is a capture. Damage inside is counted in [`Reading::inputs`].
///
/// # Panics
/// Only where the reading thread panicked, which would be a defect of ours.
pub fn run<C: Consumer>(
    request: &Request,
    consumer: &mut C,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Reading, OpenError> {
    let captures = CaptureSet::open(&request.inputs)?;
    let mut tracker = Tracker::new(request.limits);
    let hasher = tracker.hasher();
    let shared = Shared::default();
    let (full_in, full_out) = sync_channel::<Batch>(QUEUE);
    let (empty_in, empty_out) = sync_channel::<Batch>(QUEUE + 2);
    let decoder = Decoder::new(Options {
        verify_checksums: request.verify_checksums,
    });
    let mut adapter = Adapter {
        consumer,
        encaps: Arc::default(),
    };
    thread::scope(|scope| {
        let shared = &shared;
        let reading = scope.spawn(move || reader::read(captures, decoder, hasher, shared, &full_in, &empty_out));
        let stopped = walk(&mut tracker, &mut adapter, shared, &full_out, &empty_in, watch);
        shared.stop.store(stopped, Ordering::Relaxed);
        // The reader may wait for room in a queue that nobody empties any more.
        drop(full_out);
        let end = match reading.join() {
            Ok(end) => end,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        tracker.finish(&mut adapter);
        Ok(Reading {
            inputs: end.inputs,
            packets: end.packets,
            first_ns: end.first_ns,
            last_ns: end.last_ns,
            track: *tracker.stats(),
            encaps: adapter.encaps,
            stopped,
        })
    })
}

fn walk<C: Consumer>(
    tracker: &mut Tracker,
    adapter: &mut Adapter<'_, C>,
    shared: &Shared,
    full: &Receiver<Batch>,
    empty: &SyncSender<Batch>,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> bool {
    let mut until_watch = 1;
    while let Ok(mut batch) = full.recv() {
        if let Some(encaps) = batch.encaps.take() {
            adapter.encaps = encaps;
        }
        if let Some(first_ns) = batch.first_ns.take() {
            adapter.consumer.begin(first_ns);
        }
        tracker.push_hashed(&batch.packets, &batch.hashes, adapter);
        batch.clear();
        // A full queue of empties only means that this one is not needed again.
        let _unneeded = empty.try_send(batch);
        until_watch -= 1;
        if until_watch == 0 {
            until_watch = WATCH_EVERY;
            if watch(shared.progress()).is_break() {
                return true;
            }
        }
    }
    watch(shared.progress()).is_break()
}
