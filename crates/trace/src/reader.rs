//! The reading thread: frames to packets with their hashes, a batch at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};

use halfopen_track::{Key, KeyHasher};
use halfopen_wire::capture::{CaptureSet, InputStats};
use halfopen_wire::decode::Decoder;
use halfopen_wire::{Defects, EncapTable, Frame, Packet};

use crate::Progress;

/// Packets in a batch: enough that neither the queue's lock nor waking a thread counts, few enough that some batches stay in
/// the cache.
const BATCH: usize = 2048;
/// Frames that are read for a batch at most, where few of them hold a segment.
const FRAMES_PER_BATCH: usize = 4096;

/// Packets on their way to the tracker.
pub struct Batch {
    /// As many as there is room for; what counts are the first ones, as many as there are hashes. Decoded where they lie.
    packets: Vec<Packet>,
    /// Of the TCP packets' keys; 0 for others.
    hashes: Vec<u64>,
    /// The table as it was when the batch was filled, where it has grown since the last one.
    pub encaps: Option<Arc<EncapTable>>,
    /// Time of the first frame, in the first batch.
    pub first_ns: Option<i64>,
    /// What comes behind it may not be written yet: nobody waits for that with this in hand.
    pub is_urgent: bool,
}

impl Batch {
    fn new() -> Self {
        Self {
            packets: vec![Packet::Other; BATCH],
            hashes: Vec::with_capacity(BATCH),
            encaps: None,
            first_ns: None,
            is_urgent: false,
        }
    }

    /// TCP and ICMP packets, nothing else travels, and their hashes.
    pub fn packets(&self) -> (&[Packet], &[u64]) {
        (&self.packets[..self.hashes.len()], &self.hashes)
    }

    /// Empties it for the next use.
    pub fn clear(&mut self) {
        self.hashes.clear();
        self.encaps = None;
        self.first_ns = None;
        self.is_urgent = false;
    }
}

/// What both threads see.
#[derive(Default)]
pub struct Shared {
    packets: AtomicU64,
    bytes: AtomicU64,
    /// Bytes of all inputs plus one; 0 where it is not known.
    total_plus_one: AtomicU64,
    /// The walking thread wants no more.
    pub stop: AtomicBool,
}

impl Shared {
    /// Where the reading is.
    pub fn progress(&self) -> Progress {
        Progress {
            packets: self.packets.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            total: self.total_plus_one.load(Ordering::Relaxed).checked_sub(1),
        }
    }

    fn update(&self, packets: u64, inputs: &[InputStats]) {
        let total = inputs.iter().try_fold(0u64, |sum, i| Some(sum.saturating_add(i.size?)));
        self.packets.store(packets, Ordering::Relaxed);
        self.bytes
            .store(inputs.iter().map(|i| i.bytes).sum(), Ordering::Relaxed);
        self.total_plus_one
            .store(total.map_or(0, |t| t.saturating_add(1)), Ordering::Relaxed);
    }
}

/// What the reading thread leaves behind.
pub struct End {
    /// One for each input.
    pub inputs: Vec<InputStats>,
    /// Frames.
    pub packets: u64,
    /// Earliest frame.
    pub first_ns: Option<i64>,
    /// Latest frame.
    pub last_ns: Option<i64>,
}

/// Reads until the captures end or the receiver is gone.
pub fn read(
    mut captures: CaptureSet,
    mut decoder: Decoder,
    hasher: KeyHasher,
    shared: &Shared,
    full: &SyncSender<Batch>,
    empty: &Receiver<Batch>,
) -> End {
    let mut tally = Tally::default();
    let mut known_encaps = 0;
    let mut more = true;
    let mut begun = false;
    while more && !shared.stop.load(Ordering::Relaxed) {
        let mut batch = empty.try_recv().unwrap_or_else(|_| Batch::new());
        more = fill(&mut batch, &mut captures, &mut decoder, hasher, &mut tally);
        if !begun {
            begun = true;
            batch.first_ns = tally.span.map(|s| s.0);
        }
        if decoder.encaps().len() != known_encaps {
            known_encaps = decoder.encaps().len();
            batch.encaps = Some(Arc::new(decoder.encaps().clone()));
        }
        shared.update(tally.packets, captures.inputs());
        if full.send(batch).is_err() {
            break;
        }
    }
    let mut inputs = captures.inputs().to_vec();
    for (input, defects) in inputs.iter_mut().zip(&tally.defects) {
        input.defects.merge(defects);
    }
    End {
        inputs,
        packets: tally.packets,
        first_ns: tally.span.map(|s| s.0),
        last_ns: tally.span.map(|s| s.1),
    }
}

/// What is counted while reading.
#[derive(Default)]
struct Tally {
    packets: u64,
    span: Option<(i64, i64)>,
    /// What the decoder found, by input: the frame is borrowed from the reader, which keeps its own.
    defects: Vec<Defects>,
}

impl Tally {
    fn frame(&mut self, frame: &Frame<'_>) -> &mut Defects {
        self.packets += 1;
        if frame.timed {
            let t = frame.time_ns;
            self.span = Some(self.span.map_or((t, t), |(a, b)| (a.min(t), b.max(t))));
        }
        let file = frame.file as usize;
        if file >= self.defects.len() {
            self.defects.resize(file + 1, Defects::default());
        }
        &mut self.defects[file]
    }
}

/// Fills a batch; says whether there is more to read.
fn fill(
    batch: &mut Batch,
    captures: &mut CaptureSet,
    decoder: &mut Decoder,
    hasher: KeyHasher,
    tally: &mut Tally,
) -> bool {
    let is_live = captures.is_live();
    for nth in 0..FRAMES_PER_BATCH {
        // A slow pipe's packets wait for no full batch.
        if is_live && nth > 0 && captures.must_read() {
            batch.is_urgent = true;
            return true;
        }
        // Used where it was written: to move it, two neighbours are loaded at once, which waits for all stores before.
        let Some(frame) = &captures.next() else { return false };
        let Some(place) = batch.packets.get_mut(batch.hashes.len()) else {
            return true;
        };
        if !decoder.decode_into(frame, tally.frame(frame), place) {
            continue;
        }
        batch.hashes.push(match place {
            Packet::Tcp(s) => hasher.hash(&Key::of(s).0),
            _ => 0,
        });
        if batch.hashes.len() == BATCH {
            return true;
        }
    }
    true
}
