//! Reads one capture and keeps the packets of its handshakes, in bounded memory.
//!
//! When there are more handshakes than may be kept, all but every second one is let go, then all but every fourth, and so
//! on. Which ones stay is decided by their addresses and ports alone, so that both captures keep the same ones.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::ControlFlow;
use std::path::PathBuf;

use halfopen_track::state::State;
use halfopen_track::{Handshake, Key, Sink, Step, Tracker, Witness};
use halfopen_wire::capture::{CaptureSet, InputStats, OpenError, OpenErrorKind};
use halfopen_wire::decode::{Decoder, Options};
use halfopen_wire::{EncapId, Segment};

use super::seen::{Kept, Seen};
use super::{Options as AgainstOptions, Progress};

/// What one capture held.
#[derive(Clone, Debug)]
pub struct Point {
    /// One for each input.
    pub inputs: Vec<InputStats>,
    /// Frames read.
    pub packets: u64,
    /// TCP segments among them.
    pub tcp_segments: u64,
    /// Time of the earliest frame on this capture's clock.
    pub first_ns: Option<i64>,
    /// Time of the latest.
    pub last_ns: Option<i64>,
    /// Handshakes in it.
    pub handshakes: u64,
    /// Flows pushed out of the full table.
    pub evicted: u64,
    /// The kept ones, in the order in which they began.
    pub seen: Vec<Seen>,
    /// One of 2^level was kept.
    pub level: u32,
}

impl Point {
    /// Lets go of handshakes until only one of 2^level is left.
    pub fn thin(&mut self, level: u32) {
        if level > self.level {
            self.level = level;
            self.seen.retain(|s| is_chosen(&s.key, level));
        }
    }
}

/// Whether a connection is one of the 2^-level that stay. A fixed function: both captures must agree, and every run.
fn is_chosen(key: &Key, level: u32) -> bool {
    let mut mixed = 0x9E37_79B9_7F4A_7C15u64;
    for low in [true, false] {
        let (address, port) = key.end(low);
        for part in [address.bits as u64, (address.bits >> 64) as u64, u64::from(port)] {
            mixed = (mixed ^ part).wrapping_mul(0xD6E8_FEB8_6659_FD93);
            mixed ^= mixed >> 32;
        }
    }
    mixed.trailing_zeros() >= level
}

/// Handshake numbers are counted up, not made by anybody: multiplying spreads them well enough.
#[derive(Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

struct Collector {
    going_on: HashMap<u64, (Key, Kept), BuildHasherDefault<NumberHasher>>,
    seen: Vec<Seen>,
    level: u32,
    limit: usize,
}

impl Collector {
    fn finished(&mut self, handshake: &Handshake) {
        if let Some((_, kept)) = self.going_on.remove(&handshake.number) {
            self.seen.push(Seen::new(handshake, kept));
        }
    }

    fn make_room(&mut self) {
        while self.going_on.len() + self.seen.len() >= self.limit && self.level < u64::BITS {
            self.level += 1;
            let level = self.level;
            self.going_on.retain(|_, (key, _)| is_chosen(key, level));
            self.seen.retain(|s| is_chosen(&s.key, level));
        }
    }
}

impl Sink for Collector {
    fn handshake(&mut self, handshake: &Handshake) {
        self.finished(handshake);
    }
}

impl Witness for Collector {
    fn step(&mut self, segment: &Segment, step: &Step) {
        let opening = is_opening(step.before);
        if let Some((_, kept)) = self.going_on.get_mut(&step.number) {
            kept.push(segment, step.from, opening, step.copy);
            return;
        }
        if step.before != State::Closed {
            return; // let go before
        }
        let key = Key::new(
            segment.src,
            segment.src_port,
            segment.dst,
            segment.dst_port,
            EncapId::NONE,
        )
        .0;
        if !is_chosen(&key, self.level) {
            return;
        }
        self.make_room();
        if is_chosen(&key, self.level) {
            let mut kept = Kept::default();
            kept.push(segment, step.from, opening, step.copy);
            self.going_on.insert(step.number, (key, kept));
        }
    }
}

const fn is_opening(state: State) -> bool {
    matches!(
        state,
        State::Closed
            | State::SynSent
            | State::SynRecv
            | State::SynAckFirst
            | State::SimultaneousSyn
            | State::SimultaneousClientAcked
            | State::SimultaneousServerAcked
    )
}

/// What ended with one packet: the collector itself is busy being the witness then.
#[derive(Default)]
struct Done(Vec<Handshake>);

impl Sink for Done {
    fn handshake(&mut self, handshake: &Handshake) {
        self.0.push(handshake.clone());
    }
}

/// The watcher is asked once for this many packets.
const WATCH_EVERY: u64 = 1 << 16;

/// Reads a capture to its end, or until `watch` breaks.
///
/// # Errors
/// When no input can be opened, none is a capture, or one has a packet without a time.
pub fn read(
    inputs: &[PathBuf],
    options: &AgainstOptions,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Point, OpenError> {
    let mut captures = CaptureSet::open(inputs)?;
    let mut decoder = Decoder::new(Options {
        verify_checksums: options.verify_checksums,
    });
    let mut tracker = Tracker::new(options.limits);
    let mut done = Done::default();
    let mut collector = Collector {
        going_on: HashMap::default(),
        seen: Vec::new(),
        level: 0,
        limit: options.max_handshakes.max(1),
    };
    let (mut packets, mut span) = (0u64, None::<(i64, i64)>);
    while let Some((frame, defects)) = captures.next_counted() {
        if !frame.timed {
            return Err(OpenError {
                path: inputs.get(frame.file as usize).cloned().unwrap_or_default(),
                kind: OpenErrorKind::NoTimes,
            });
        }
        let t = frame.time_ns;
        span = Some(span.map_or((t, t), |(a, b)| (a.min(t), b.max(t))));
        packets += 1;
        let packet = decoder.decode(&frame, defects);
        tracker.push_with(&packet, &mut done, &mut collector);
        for handshake in done.0.drain(..) {
            collector.finished(&handshake);
        }
        if packets.is_multiple_of(WATCH_EVERY) && watch(progress(packets, captures.inputs())).is_break() {
            break;
        }
    }
    tracker.finish(&mut collector);
    collector.seen.sort_by_key(|s| (s.start_ns, s.number));
    Ok(Point {
        inputs: captures.inputs().to_vec(),
        packets,
        tcp_segments: tracker.stats().tcp_segments,
        first_ns: span.map(|s| s.0),
        last_ns: span.map(|s| s.1),
        handshakes: tracker.stats().handshakes,
        evicted: tracker.stats().evicted,
        seen: collector.seen,
        level: collector.level,
    })
}

fn progress(packets: u64, inputs: &[InputStats]) -> Progress {
    Progress {
        packets,
        bytes: inputs.iter().map(|i| i.bytes).sum(),
        total: inputs.iter().try_fold(0u64, |sum, i| Some(sum.saturating_add(i.size?))),
    }
}
