//! The packets of chosen connections, each with what the state table made of it: the material of a ladder.

use std::collections::HashMap;
use std::ops::ControlFlow;

use halfopen_track::{Handshake, Key, Limits, Sink, Step, Tracker, Witness};
use halfopen_wire::capture::{CaptureSet, OpenError};
use halfopen_wire::decode::{Decoder, Options};
use halfopen_wire::{Address, Defects, EncapId, EncapTable, IcmpError, Packet, Segment};

use crate::{Progress, Request};

/// The most connections that are collected in one reading.
pub const MAX_WANTED: usize = 64;
/// The most packets that are kept of one connection: its beginning and its end; what lies between is counted.
pub const MAX_PACKETS: usize = 2_000;

/// Which connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// One end.
    pub a: (Address, u16),
    /// The other end.
    pub b: (Address, u16),
    /// Tags and tunnels as a number of this same request's [`crate::Reading::encaps`]; `None` for any.
    pub encap: Option<EncapId>,
    /// Start of the one handshake that is meant, where the four-tuple is used several times; `None` for all.
    pub start_ns: Option<i64>,
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
    /// Index of the [`Wanted`] that it answers.
    pub wanted: usize,
    /// The record.
    pub handshake: Handshake,
    /// The packets, in capture order.
    pub events: Vec<Event>,
    /// How many packets between the kept beginning and the kept end were left out.
    pub omitted: u64,
    /// After how many of `events` they stood.
    pub omitted_after: usize,
}

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

#[derive(Default)]
struct Collector {
    kept: HashMap<u64, Kept>,
    done: Vec<Handshake>,
    /// The handshake of the last step, by its key, for ICMP errors.
    current: Vec<(Key, u64)>,
}

impl Witness for Collector {
    fn step(&mut self, segment: &Segment, step: &Step) {
        let key = Key::new(
            segment.src,
            segment.src_port,
            segment.dst,
            segment.dst_port,
            segment.encap,
        )
        .0;
        match self.current.iter_mut().find(|(k, _)| *k == key) {
            Some((_, number)) => *number = step.number,
            None => self.current.push((key, step.number)),
        }
        self.kept
            .entry(step.number)
            .or_default()
            .push(Event::Segment(*segment, *step));
    }
}

struct Done<'a>(&'a mut Vec<Handshake>);

impl Sink for Done<'_> {
    fn handshake(&mut self, handshake: &Handshake) {
        self.0.push(handshake.clone());
    }
}

/// Reads the captures again and keeps the packets of `wanted`. The order is that of `wanted`, then of time. The table
/// explains the encapsulation numbers of the records.
///
/// # Errors
/// When no input can be opened, or none is a capture.
pub fn collect(
    request: &Request,
    wanted: &[Wanted],
    watch: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<(Vec<Exchange>, EncapTable), OpenError> {
    let wanted = &wanted[..wanted.len().min(MAX_WANTED)];
    let mut captures = CaptureSet::open(&request.inputs)?;
    let mut decoder = Decoder::new(Options {
        verify_checksums: request.verify_checksums,
    });
    let mut defects = Defects::default();
    let mut tracker = Tracker::new(Limits::default());
    let mut collector = Collector::default();
    let mut done = Vec::new();
    let mut packets = 0u64;
    while let Some(frame) = captures.next() {
        let packet = decoder.decode(&frame, &mut defects);
        packets += 1;
        if wanted.iter().any(|w| concerns(w, &packet)) {
            tracker.push_with(&packet, &mut Done(&mut done), &mut collector);
            if let Packet::Icmp(error) = packet {
                note_icmp(&mut collector, &error);
            }
        }
        if packets.is_multiple_of(65_536)
            && watch(Progress {
                packets,
                bytes: 0,
                total: None,
            })
            .is_break()
        {
            break;
        }
    }
    tracker.finish(&mut Done(&mut done));
    collector.done = done;
    Ok((assemble(collector, wanted), decoder.encaps().clone()))
}

fn concerns(wanted: &Wanted, packet: &Packet) -> bool {
    let (src, dst, encap) = match packet {
        Packet::Tcp(s) => ((s.src, s.src_port), (s.dst, s.dst_port), s.encap),
        Packet::Icmp(e) => ((e.src, e.src_port), (e.dst, e.dst_port), e.encap),
        Packet::Other => return false,
    };
    (src == wanted.a && dst == wanted.b || src == wanted.b && dst == wanted.a)
        && wanted.encap.is_none_or(|e| e == encap)
}

fn note_icmp(collector: &mut Collector, error: &IcmpError) {
    let key = Key::new(error.src, error.src_port, error.dst, error.dst_port, error.encap).0;
    if let Some((_, number)) = collector.current.iter().find(|(k, _)| *k == key) {
        collector.kept.entry(*number).or_default().push(Event::Icmp(*error));
    }
}

fn assemble(mut collector: Collector, wanted: &[Wanted]) -> Vec<Exchange> {
    let mut exchanges = Vec::new();
    collector.done.sort_by_key(|h| (h.start_ns, h.number));
    for (index, want) in wanted.iter().enumerate() {
        for handshake in collector.done.iter().filter(|h| is_meant(want, h)) {
            let Some(kept) = collector.kept.remove(&handshake.number) else {
                continue;
            };
            let omitted_after = kept.head.len();
            let mut events = kept.head;
            events.extend(kept.tail);
            exchanges.push(Exchange {
                wanted: index,
                handshake: handshake.clone(),
                events,
                omitted: kept.omitted,
                omitted_after,
            });
        }
    }
    exchanges
}

fn is_meant(wanted: &Wanted, handshake: &Handshake) -> bool {
    let (client, server) = (
        (handshake.client, handshake.client_port),
        (handshake.server, handshake.server_port),
    );
    (client == wanted.a && server == wanted.b || client == wanted.b && server == wanted.a)
        && wanted.encap.is_none_or(|e| e == handshake.encap)
        && wanted.start_ns.is_none_or(|t| t == handshake.start_ns)
}
