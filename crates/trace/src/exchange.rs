//! The packets of chosen handshakes, each with what the state table made of it: the material of a ladder.
//!
//! The captures are tracked whole, as in [`crate::run`], so that the numbers of the handshakes are the same; what is kept
//! is the chosen ones.

use std::collections::HashMap;
use std::ops::ControlFlow;

use halfopen_track::{Handshake, Key, Sink, Step, Tracker, Witness};
use halfopen_wire::capture::{CaptureSet, OpenError};
use halfopen_wire::decode::{Decoder, Options};
use halfopen_wire::{Address, Defects, EncapTable, IcmpError, Packet, Segment};

use crate::{Progress, Request};

/// The most handshakes that are kept in one reading, the first ones; the others are counted.
pub const MAX_EXCHANGES: usize = 64;
/// The most packets that are kept of one handshake: its beginning and its end; what lies between is counted.
pub const MAX_PACKETS: usize = 2_000;
/// Frames between two looks at the watcher.
const WATCH_EVERY: u64 = 1 << 16;

/// Which handshakes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// Those with these numbers ([`Handshake::number`]).
    Numbers(Vec<u64>),
    /// All between these two ends, whichever of them is the client.
    Ends((Address, u16), (Address, u16)),
}

/// One packet of an exchange.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A segment and its step of the table.
    Segment(Segment, Step),
    /// An ICMP error about one of its segments.
    Icmp(IcmpError),
}

/// All that was kept of one handshake and its connection.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The record.
    pub handshake: Handshake,
    /// The packets, in capture order.
    pub events: Vec<Event>,
    /// How many packets between the kept beginning and the kept end were left out.
    pub omitted: u64,
    /// After how many of `events` they stood.
    pub omitted_after: usize,
}

/// What [`collect`] found.
#[derive(Clone, Debug)]
pub struct Exchanges {
    /// By number.
    pub exchanges: Vec<Exchange>,
    /// Chosen handshakes beyond [`MAX_EXCHANGES`].
    pub left_out: u64,
    /// Handshakes in the captures, as far as they were read: once every wanted number has ended, the rest is not.
    pub handshakes: u64,
    /// What the encapsulation numbers of the records mean.
    pub encaps: EncapTable,
}

/// Reads the captures and keeps the packets of the wanted handshakes.
///
/// # Errors
/// When no input can be opened, or none is a capture.
pub fn collect(
    request: &Request,
    wanted: Wanted,
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Exchanges, OpenError> {
    let mut captures = CaptureSet::open(&request.inputs)?;
    let mut decoder = Decoder::new(Options {
        verify_checksums: request.verify_checksums,
    });
    let mut defects = Defects::default();
    let mut tracker = Tracker::new(request.limits);
    let mut done = Done::new(wanted.clone());
    let mut collector = Collector::new(wanted);
    let mut packets = 0u64;
    while let Some(frame) = captures.next() {
        let packet = decoder.decode(&frame, &mut defects);
        packets += 1;
        tracker.push_with(&packet, &mut done, &mut collector);
        if let Packet::Icmp(error) = &packet {
            collector.icmp(error);
        }
        done.settle(&collector);
        if packets.is_multiple_of(WATCH_EVERY) {
            let inputs = captures.inputs();
            let progress = Progress {
                packets,
                bytes: inputs.iter().map(|i| i.bytes).sum(),
                total: inputs.iter().try_fold(0u64, |sum, i| Some(sum.saturating_add(i.size?))),
            };
            if watch(progress).is_break() || done.is_complete() {
                break;
            }
        }
    }
    tracker.finish(&mut done);
    done.settle(&collector);
    let left_out = collector.left_out;
    Ok(Exchanges {
        exchanges: collector.assemble(done.kept),
        left_out,
        handshakes: tracker.stats().handshakes,
        encaps: decoder.encaps().clone(),
    })
}

/// The packets of one handshake.
#[derive(Default)]
struct Kept {
    head: Vec<Event>,
    tail: std::collections::VecDeque<Event>,
    omitted: u64,
}

impl Kept {
    fn push(&mut self, event: Event) {
        if self.head.len() < MAX_PACKETS / 2 {
            self.head.push(event);
            return;
        }
        self.tail.push_back(event);
        if self.tail.len() > MAX_PACKETS / 2 {
            self.tail.pop_front();
            self.omitted += 1;
        }
    }
}

impl Wanted {
    fn names(&self, number: u64, one: (Address, u16), other: (Address, u16)) -> bool {
        match self {
            Self::Numbers(numbers) => numbers.contains(&number),
            Self::Ends(a, b) => one == *a && other == *b || one == *b && other == *a,
        }
    }
}

/// Keeps the packets of wanted handshakes.
struct Collector {
    wanted: Wanted,
    kept: HashMap<u64, Kept>,
    left_out: u64,
    last_left_out: u64,
    /// The latest handshake of each key, for ICMP errors.
    current: Vec<(Key, u64)>,
}

impl Collector {
    fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            kept: HashMap::new(),
            left_out: 0,
            last_left_out: 0,
            current: Vec::new(),
        }
    }

    fn begin(&mut self, segment: &Segment, number: u64) {
        let key = Key::of(segment).0;
        self.current.retain(|(other, _)| *other != key);
        self.current.push((key, number));
        self.kept.insert(number, Kept::default());
    }

    fn icmp(&mut self, error: &IcmpError) {
        let key = Key::new(error.src, error.src_port, error.dst, error.dst_port, error.encap).0;
        let number = self.current.iter().find(|(k, _)| *k == key).map(|(_, number)| number);
        if let Some(kept) = number.and_then(|n| self.kept.get_mut(n)) {
            kept.push(Event::Icmp(*error));
        }
    }

    fn assemble(mut self, handshakes: Vec<Handshake>) -> Vec<Exchange> {
        let mut exchanges: Vec<Exchange> = handshakes
            .into_iter()
            .filter_map(|handshake| {
                let mut kept = self.kept.remove(&handshake.number)?;
                let omitted_after = kept.head.len();
                kept.head.extend(kept.tail);
                Some(Exchange {
                    handshake,
                    events: kept.head,
                    omitted: kept.omitted,
                    omitted_after,
                })
            })
            .collect();
        exchanges.sort_by_key(|e| e.handshake.number);
        exchanges
    }
}

impl Witness for Collector {
    fn step(&mut self, segment: &Segment, step: &Step) {
        let (src, dst) = ((segment.src, segment.src_port), (segment.dst, segment.dst_port));
        if !self.wanted.names(step.number, src, dst) {
            return;
        }
        if !self.kept.contains_key(&step.number) {
            if self.kept.len() == MAX_EXCHANGES {
                // Numbers grow: a handshake that was counted already has no larger one.
                self.left_out += u64::from(step.number > self.last_left_out);
                self.last_left_out = self.last_left_out.max(step.number);
                return;
            }
            self.begin(segment, step.number);
        }
        if let Some(kept) = self.kept.get_mut(&step.number) {
            kept.push(Event::Segment(*segment, *step));
        }
    }
}

/// Keeps the records of wanted handshakes.
struct Done {
    wanted: Wanted,
    ended: Vec<Handshake>,
    kept: Vec<Handshake>,
}

impl Done {
    const fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            ended: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Of those that ended just now, keeps the ones whose packets were kept.
    fn settle(&mut self, collector: &Collector) {
        let ended = self.ended.drain(..);
        self.kept
            .extend(ended.filter(|h| collector.kept.contains_key(&h.number)));
    }

    /// Whether nothing that is still to come can be wanted.
    fn is_complete(&self) -> bool {
        matches!(&self.wanted, Wanted::Numbers(numbers) if self.kept.len() == numbers.len())
    }
}

impl Sink for Done {
    fn handshake(&mut self, h: &Handshake) {
        let (client, server) = ((h.client, h.client_port), (h.server, h.server_port));
        if self.wanted.names(h.number, client, server) {
            self.ended.push(h.clone());
        }
    }
}
