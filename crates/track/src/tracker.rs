//! The walker: takes packets in capture order, finds their flow, asks the table, and keeps the books.
//!
//! What decides is in `state.rs` (the table) and `classify.rs` (the numbers); what is kept is in `flow.rs`; where, in
//! `store.rs`. This file only carries out.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::ops::Range;

use halfopen_wire::{Address, Flags, IcmpError, Packet, Segment};

use crate::believed::Resumed;
use crate::classify::{REORDER_NS, classify, fin_fits, is_opening, opens, sender};
use crate::effect;
use crate::fetch::{Fetch, Unfetched};
use crate::flow::{Detail, Fingerprint, Flow, FrameRef, PackedOptions};
use crate::held::{self, Verdict};
use crate::key::{Key, KeyHasher};
use crate::lone::{Lone, Syn};
use crate::record::{Anomalies, Anomaly, Side, SideOptions};
use crate::sink::{Ended, Sink};
use crate::state::{Cell, Class, Row, State, lookup};
use crate::store::{Found, Removed, Slot, Store, Swept, Whole};
use crate::stray::{Counted, Strays};
use crate::talkers::Talkers;

/// How much the tracker may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Whole connections tracked at once, about 490 bytes each with the index. Three lone SYNs take the room of one.
    pub max_flows: usize,
}

impl Default for Limits {
    /// 500 000 connections, or 800 000 lone SYNs (more than a second of a flood of 700 000 a second, longer than a client
    /// waits before it repeats its SYN), with their index and the memory of past ones stay under 300 MiB.
    fn default() -> Self {
        Self { max_flows: 500_000 }
    }
}

/// What was counted beside the handshakes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TrackStats {
    /// TCP segments seen.
    pub tcp_segments: u64,
    /// Connections that were there before the capture began: four-tuples with segments but no handshake.
    pub midstream: u64,
    /// Their segments.
    pub midstream_segments: u64,
    /// Segments of connections that had ended or been evicted.
    pub late_segments: u64,
    /// Flows pushed out of the full table.
    pub evicted: u64,
    /// Handshakes begun.
    pub handshakes: u64,
    /// Copies of a handshake's packets, captured at a second point of their way.
    pub captured_twice: u64,
    /// ICMP errors about a tracked SYN.
    pub icmp_errors: u64,
}

/// Sees each step of the table, for the ladder. The unit type sees nothing and costs nothing.
pub trait Witness {
    /// Whether it looks at all: plain data and ACKs are put into words only for somebody.
    const LOOKS: bool = true;

    /// A segment of handshake `number`, sent by `from`, led from `before` to `after` by `row`; `copy` when it is a
    /// packet captured twice, which is not walked.
    fn step(&mut self, segment: &Segment, step: &Step);
}

/// One step of the table.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Number of the handshake.
    pub number: u64,
    /// The sender.
    pub from: Side,
    /// The row that decided.
    pub row: &'static Row,
    /// State before.
    pub before: State,
    /// State after.
    pub after: State,
    /// Captured twice.
    pub copy: bool,
}

impl Step {
    /// A step that leaves the state as it is.
    const fn still(number: u64, from: Side, row: &'static Row, state: State) -> Self {
        Self {
            number,
            from,
            row,
            before: state,
            after: state,
            copy: false,
        }
    }
}

impl Witness for () {
    const LOOKS: bool = false;

    fn step(&mut self, _: &Segment, _: &Step) {}
}

/// A connection that ended is kept this long, capture time, for its late packets. What comes later is only counted.
const LINGER_NS: i64 = 500_000_000;
/// A refused or reset attempt is kept longer: its SYN may be tried again (Windows: twice, 500 ms apart, some stacks with
/// the 3 s of RFC 1122), and where the RST is lost, SYN or SYN-ACK come by their timers.
const LINGER_RESET_NS: i64 = 8_000_000_000;
/// Not longer than this behind its last packet: no timer of a connection that nobody answers waits longer.
const LINGER_MOST_NS: i64 = 64_000_000_000;
/// An attempt without any packet for this long is over: the longest silence between two SYNs of one attempt is 120 s
/// (`TCP_RTO_MAX`, and `tcp_rto_max_ms` cannot be set higher).
const STALE_NS: i64 = 300_000_000_000;
/// A step of the capture's clock larger than this is a defect of one time stamp until the next packet agrees.
const PLAUSIBLE_STEP_NS: i64 = 60_000_000_000;

/// How a flow leaves the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Leave {
    /// Its handshake is judged.
    Finished,
    /// It is pushed out.
    Evicted,
    /// The capture is at its end.
    AtEnd,
}

/// How far ahead the ends of lingering are fetched.
const LINGER_AHEAD_NS: i64 = 1_000_000;

/// Packets whose places are asked for together.
const AHEAD: usize = 32;

/// How long at least: connections, attempts.
const LINGERS_NS: [i64; 2] = [LINGER_NS, LINGER_RESET_NS];

/// A flow that ended and is still there.
#[derive(Clone, Copy, Debug)]
struct Lingering {
    /// When to look at it next.
    due_ns: i64,
    ended_ns: i64,
    slot: Slot,
    number: u64,
}

impl Lingering {
    /// When it may leave. What came late comes once more, if nobody answers, after twice the time and a little (RFC 6298
    /// section 5.5): behind the end of a connection, or since the begin of an attempt.
    fn leaves_ns(&self, flow: &Flow, least_ns: i64) -> i64 {
        let since_ns = if flow.is(Flow::COMPLETED) {
            self.ended_ns
        } else {
            flow.start_ns
        };
        let late_ns = flow.last_ns.saturating_sub(since_ns);
        let stays_ns = late_ns.saturating_mul(3).clamp(least_ns, LINGER_MOST_NS);
        flow.last_ns.saturating_add(stays_ns)
    }
}

/// Segments in, handshakes out; `F` asks for memory ahead.
#[derive(Debug)]
pub struct Tracker<F: Fetch = Unfetched> {
    hasher: KeyHasher,
    store: Store,
    strays: Strays,
    talkers: Talkers,
    /// Number of the last handshake.
    number: u64,
    linger: [VecDeque<Lingering>; 2],
    stats: TrackStats,
    last_ns: i64,
    steady: bool,
    fetch: PhantomData<fn() -> F>,
}

impl Tracker {
    /// An empty tracker that asks for nothing ahead.
    pub fn new(limits: Limits) -> Self {
        Self::fetching(limits)
    }
}

impl<F: Fetch> Tracker<F> {
    /// An empty tracker.
    pub fn fetching(limits: Limits) -> Self {
        let hasher = KeyHasher::default();
        Self {
            hasher,
            store: Store::new(limits.max_flows, hasher),
            strays: Strays::default(),
            talkers: Talkers::default(),
            number: 0,
            linger: [VecDeque::new(), VecDeque::new()],
            stats: TrackStats::default(),
            last_ns: 0,
            steady: false,
            fetch: PhantomData,
        }
    }

    /// What was counted so far.
    pub const fn stats(&self) -> &TrackStats {
        &self.stats
    }

    /// Hosts that sent segments of connections from before the capture, 4096 at most.
    pub fn midstream_senders(&self) -> Vec<Address> {
        self.talkers.list()
    }

    /// Flows held now.
    pub fn held(&self) -> usize {
        self.store.len()
    }

    /// Half-open connections that are packed now.
    #[cfg(test)]
    pub(crate) const fn packed(&self) -> usize {
        self.store.packed()
    }

    /// Takes one packet.
    pub fn push(&mut self, packet: &Packet, sink: &mut impl Sink) {
        self.push_with(packet, sink, &mut ());
    }

    /// The hasher of this tracker's keys, for [`Tracker::push_hashed`].
    pub const fn hasher(&self) -> KeyHasher {
        self.hasher
    }

    /// Takes packets in order. Faster than one at a time: their places in the table are fetched side by side.
    pub fn push_batch(&mut self, packets: &[Packet], sink: &mut impl Sink) {
        let hash = |packet: &Packet| match packet {
            Packet::Tcp(s) => self
                .hasher
                .hash(&Key::new(s.src, s.src_port, s.dst, s.dst_port, s.encap).0),
            _ => 0,
        };
        let hashes: Vec<u64> = packets.iter().map(hash).collect();
        self.push_hashed(packets, &hashes, sink);
    }

    /// [`Tracker::push_batch`] with the hashes of the packets' keys ([`Tracker::hasher`]; anything for what is not TCP),
    /// so that another thread can compute them. A wrong hash splits a connection, and does no other harm.
    pub fn push_hashed(&mut self, packets: &[Packet], hashes: &[u64], sink: &mut impl Sink) {
        let groups = |places: usize| {
            (0..places)
                .step_by(AHEAD)
                .map(move |from| from..(from + AHEAD).min(places))
        };
        let places = packets.len().min(hashes.len());
        let mut buckets = groups(places);
        let mut flows = groups(places);
        // Two groups ahead the buckets are asked for, one group ahead the flows that those lead to.
        self.fetch_buckets(hashes, buckets.next());
        self.fetch_buckets(hashes, buckets.next());
        self.fetch_flows(hashes, flows.next());
        for group in groups(places) {
            self.fetch_buckets(hashes, buckets.next());
            self.fetch_flows(hashes, flows.next());
            for (packet, &hash) in packets[group.clone()].iter().zip(&hashes[group]) {
                match packet {
                    Packet::Tcp(segment) => self.tcp(segment, hash, sink, &mut ()),
                    Packet::Icmp(error) => self.icmp(error, sink),
                    Packet::Other => {}
                }
            }
        }
    }

    /// Asks for the buckets of a group.
    fn fetch_buckets(&self, hashes: &[u64], group: Option<Range<usize>>) {
        for &hash in &hashes[group.unwrap_or_default()] {
            self.store.fetch::<F>(hash);
        }
    }

    /// Asks for the flows of a group, and for those whose lingering ends.
    fn fetch_flows(&self, hashes: &[u64], group: Option<Range<usize>>) {
        let Some(group) = group else { return };
        for &hash in &hashes[group] {
            self.store.fetch_flow::<F>(hash);
        }
        // Of a connection of eight packets, one in eight is the end of another's lingering.
        for lingering in self.linger[0].iter().take(AHEAD / 2) {
            if lingering.due_ns > self.last_ns.saturating_add(LINGER_AHEAD_NS) {
                break;
            }
            self.store.fetch_leaving::<F>(lingering.slot);
        }
    }

    /// Takes one packet and lets `witness` see what the table made of it.
    pub fn push_with(&mut self, packet: &Packet, sink: &mut impl Sink, witness: &mut impl Witness) {
        match packet {
            Packet::Tcp(segment) => {
                let key = Key::new(
                    segment.src,
                    segment.src_port,
                    segment.dst,
                    segment.dst_port,
                    segment.encap,
                )
                .0;
                self.tcp(segment, self.hasher.hash(&key), sink, witness);
            }
            Packet::Icmp(error) => self.icmp(error, sink),
            Packet::Other => {}
        }
    }

    /// Judges everything that is still open, as the capture leaves it.
    pub fn finish(&mut self, sink: &mut impl Sink) {
        // In the order in which they began, without a list of a million.
        let mut others = self.store.out_of_order().into_iter().peekable();
        let mut highest = 0;
        for slot in self.store.lone_slots() {
            let Some(number) = self.store.lone_number(slot).filter(|&number| number >= highest) else {
                continue;
            };
            highest = number;
            while let Some((_, other)) = others.next_if(|&(earlier, _)| earlier < number) {
                self.emit(other, Leave::AtEnd, sink);
            }
            self.emit(slot, Leave::AtEnd, sink);
        }
        for (_, slot) in others {
            self.emit(slot, Leave::AtEnd, sink);
        }
        self.linger = Default::default();
    }

    fn tcp(&mut self, segment: &Segment, hash: u64, sink: &mut impl Sink, witness: &mut impl Witness) {
        self.stats.tcp_segments += 1;
        self.tick(segment.time_ns, sink);
        let (key, src_low) = Key::new(
            segment.src,
            segment.src_port,
            segment.dst,
            segment.dst_port,
            segment.encap,
        );
        let slot = match self.store.find(&key, hash) {
            Some(Found::Live(slot)) => slot,
            before => {
                self.unknown(segment, key, src_low, hash, before, sink, witness);
                return;
            }
        };
        if !self.data(slot, segment, src_low, witness) {
            self.known(slot, segment, key, src_low, hash, sink, witness);
        }
    }

    /// The fast path: plain data and ACKs of an open connection change nothing but the byte counts. Says whether that
    /// was all.
    fn data<W: Witness>(&mut self, slot: Slot, segment: &Segment, src_low: bool, witness: &mut W) -> bool {
        const PLAIN: u16 = Flags::SYN | Flags::FIN | Flags::RST | Flags::ACK;
        const SLOW: u32 = Flow::HELD | Flow::UNTIMED_END;
        if segment.flags.0 & PLAIN != Flags::ACK || !segment.timed {
            return false;
        }
        let Some((flow, Some(detail))) = self.store.both_mut(slot) else {
            return false;
        };
        if flow.state != State::Established || flow.marks & SLOW != 0 || detail.ack.is_none() {
            return false;
        }
        let from_client = src_low == flow.is(Flow::CLIENT_LOW);
        let peer = if from_client { &detail.server } else { &detail.client };
        let own = if from_client { &detail.client } else { &detail.server };
        let end = segment.seq.wrapping_add(segment.payload_len);
        if peer.is_acked_ahead(segment.ack) || !own.believes(end, segment.ack, peer) {
            return false;
        }
        flow.last_ns = flow.last_ns.max(segment.time_ns);
        if W::LOOKS {
            let from = if from_client { Side::Client } else { Side::Server };
            let row = lookup(from, Class::Ack, State::Established);
            witness.step(segment, &Step::still(flow.number, from, row, State::Established));
        }
        if from_client {
            detail.client.carry(segment.seq, segment.payload_len);
        } else {
            flow.marks |= Flow::SERVER_SEEN;
            detail.server.carry(segment.seq, segment.payload_len);
        }
        true
    }

    #[allow(clippy::too_many_arguments)] // one call site; a struct would only rename the seven
    fn known(
        &mut self,
        mut slot: Slot,
        segment: &Segment,
        key: Key,
        src_low: bool,
        hash: u64,
        sink: &mut impl Sink,
        witness: &mut impl Witness,
    ) {
        let Some((flow, mut detail)) = self.store.both_mut(slot) else {
            return;
        };
        let from = sender(flow, detail.as_deref(), segment, src_low);
        let before = flow.state;
        let mut class = classify(flow, detail.as_deref(), segment, from);
        let mut row = lookup(from, class, before);
        let number = flow.number;
        if effect::is_copy(flow, detail.as_deref(), segment, class, from) {
            effect::note_copy(flow, segment, class, from);
            self.stats.captured_twice += 1;
            let mut step = Step::still(number, from, row, before);
            step.copy = true;
            witness.step(segment, &step);
            return;
        }
        if class == Class::SynOther && row.cell == Cell::Ignore {
            witness.step(segment, &Step::still(number, from, row, before));
            self.hold(slot, segment, key, src_low, witness);
            return;
        }
        if flow.is(Flow::HELD)
            && let Some(detail) = detail.as_deref_mut()
        {
            match held::judge(flow, detail, segment, class, src_low) {
                Verdict::Open => {}
                Verdict::Foreign => {
                    class = Class::AckWrong;
                    row = lookup(from, class, before);
                }
                Verdict::Disproved => detail.rare_mut().disproved = true,
                Verdict::Answered(nth) => {
                    if let Some(slot) = self.begin_held(slot, nth, hash, sink) {
                        self.known(slot, segment, key, src_low, hash, sink, witness);
                    }
                    return;
                }
            }
        }
        let close = close_in_time(segment.time_ns, flow.start_ns);
        if class == Class::SynAckWrong && matches!(before, State::TimeWait | State::Reset) {
            self.strays.put(hash, Packet::Tcp(*segment), Counted::Not);
        }
        if class == Class::SynOther && before == State::SynAckFirst && flow.syn_sent == 0 && close {
            // What came first was the wrong answer to this SYN. It would not have begun a flow, had there been one before.
            self.store.remove(slot);
            self.stats.handshakes -= 1;
            // It stays the same handshake: numbers have no gaps, for a person counts and asks by them.
            let last = std::mem::replace(&mut self.number, number - 1);
            self.begin(segment, key, src_low, hash, false, sink, witness);
            self.number = last;
            return;
        }
        let again = row.cell == Cell::Next(State::SynSent)
            && (class == Class::SynOther || class == Class::Syn && before != State::Closed);
        if again {
            self.emit(slot, Leave::Finished, sink);
            self.begin(segment, key, src_low, hash, true, sink, witness);
            return;
        }
        if detail.is_none() && class == Class::SynRepeated {
            effect::syn_repeated(flow, segment, from);
            if let Cell::Next(next) = row.cell {
                flow.state = next;
            }
            let mut step = Step::still(number, from, row, before);
            step.after = flow.state;
            self.store.refresh(slot);
            witness.step(segment, &step);
            return;
        }
        let Some((flow, detail)) = self.store.with_detail(&mut slot) else {
            return;
        };
        effect::ensure_started(flow, detail);
        let mut step = Step::still(number, from, row, before);
        let resumed = effect::apply(flow, detail, segment, &step);
        if let Cell::Next(next) = row.cell {
            flow.state = next;
            walk_early(flow, detail, next);
            if class == Class::RstDisproved {
                walk_on(flow, detail, resumed.as_ref(), segment, from);
            } else if next == State::Established {
                walk_early_fins(flow, detail, segment, from);
            }
        }
        if segment.flags.has(Flags::FIN) && class.acknowledges() {
            step.row = walk_fin(flow, detail, segment, from);
        }
        if flow.key.is_self() {
            walk_self(flow, segment, class, from);
        }
        step.after = flow.state;
        let ended = matches!(flow.state, State::TimeWait | State::Reset) && flow.state != before;
        if ended && !flow.is(Flow::LINGERS) {
            flow.marks |= Flow::LINGERS;
            let long = !flow.is(Flow::COMPLETED) || detail.rare().believed.is_some();
            self.linger(slot, number, usize::from(long));
        }
        witness.step(segment, &step);
    }

    /// A flow that ended waits for its late packets.
    fn linger(&mut self, slot: Slot, number: u64, queue: usize) {
        self.linger[queue].push_back(Lingering {
            due_ns: self.last_ns.saturating_add(LINGERS_NS[queue]),
            ended_ns: self.last_ns,
            slot,
            number,
        });
    }

    /// A SYN inside an open connection: see `held.rs`.
    fn hold(&mut self, slot: Slot, segment: &Segment, key: Key, src_low: bool, witness: &mut impl Witness) {
        let Some((_, Some(detail))) = self.store.both_mut(slot) else {
            return;
        };
        let row = lookup(Side::Client, Class::SynRepeated, State::SynSent);
        let mut step = Step::still(0, Side::Client, row, State::SynSent);
        if let Some(attempt) = held::repeated(detail, segment, src_low) {
            step.number = attempt.number;
            step.copy = held::repeat(attempt, segment);
            self.stats.captured_twice += u64::from(step.copy);
        } else {
            let attempt = self.attempt(segment, key, src_low, true);
            step.number = attempt.number;
            step.row = lookup(Side::Client, Class::Syn, State::Closed);
            step.before = State::Closed;
            if let Some((flow, Some(detail))) = self.store.both_mut(slot) {
                self.stats.handshakes -= held::hold(flow, detail, attempt);
            }
        }
        witness.step(segment, &step);
    }

    /// The connection is over, and the last SYN inside it, if it was not disproved, waits for its answer.
    fn begin_last_held(&mut self, slot: Slot, hash: u64, sink: &mut impl Sink) -> Option<Slot> {
        let (_, Some(detail)) = self.store.both_mut(slot)? else {
            return None;
        };
        let rare = detail.rare();
        let last = rare.held.len().checked_sub(1).filter(|_| !rare.disproved)?;
        self.begin_held(slot, last, hash, sink)
    }

    /// The connection is over, and the held SYN begins the next one.
    fn begin_held(&mut self, slot: Slot, nth: usize, hash: u64, sink: &mut impl Sink) -> Option<Slot> {
        let (flow, Some(detail)) = self.store.both_mut(slot)? else {
            return None;
        };
        detail.rare_mut().disproved = false;
        let (mut held, _) = held::release(flow, detail);
        let next = held.remove(nth);
        self.emit(slot, Leave::Finished, sink);
        for other in held {
            sink.ended(Ended::of_syn(&other, false));
        }
        Some(self.store.insert(hash, next))
    }

    #[allow(clippy::too_many_arguments)] // as above
    fn unknown(
        &mut self,
        segment: &Segment,
        key: Key,
        src_low: bool,
        hash: u64,
        before: Option<Found>,
        sink: &mut impl Sink,
        witness: &mut impl Witness,
    ) {
        let is_past = before == Some(Found::Past);
        match opens(segment.flags) {
            Some(Class::Syn) => self.begin(segment, key, src_low, hash, is_past, sink, witness),
            Some(_) if !is_past => self.begin_by_syn_ack(segment, key, src_low, hash, sink, witness),
            _ if is_past => {
                self.stats.late_segments += 1;
                self.strays.put(hash, Packet::Tcp(*segment), Counted::Late);
            }
            _ => {
                self.talkers.add(segment.src);
                let mut counted = Counted::MidstreamSegment;
                self.stats.midstream_segments += 1;
                if before.is_none() {
                    counted = Counted::Midstream;
                    self.stats.midstream += 1;
                    self.store.remember_midstream(hash);
                }
                self.strays.put(hash, Packet::Tcp(*segment), counted);
            }
        }
    }

    /// What the capture put before the packet that began this flow.
    fn adopt_strays(&mut self, key: Key, hash: u64, sink: &mut impl Sink, witness: &mut impl Witness) {
        let mut last = None;
        for (packet, counted) in self.strays.take(hash, self.last_ns) {
            let Packet::Tcp(segment) = packet else {
                if let Packet::Icmp(error) = packet {
                    self.icmp(&error, sink);
                }
                continue;
            };
            let numbers = (
                segment.src_port,
                segment.flags,
                segment.seq,
                segment.ack,
                segment.payload_len,
            );
            let again = last.replace(numbers) == Some(numbers);
            // Each of them may move it to another slot, or end it.
            let Some(slot) = self.store.slot(&key, hash) else {
                return;
            };
            let Some((flow, detail)) = self.store.both_mut(slot) else {
                return;
            };
            let src_low = Key::new(
                segment.src,
                segment.src_port,
                segment.dst,
                segment.dst_port,
                segment.encap,
            )
            .1;
            let from = sender(flow, detail.as_deref(), &segment, src_low);
            let class = classify(flow, detail.as_deref(), &segment, from);
            let wrong = class == Class::SynAckWrong && flow.state == State::SynSent;
            if !wrong && !matches!(class, Class::SynAck | Class::Ack | Class::AckOfData | Class::Rst) {
                continue;
            }
            flow.anomalies.insert(Anomaly::Reordered);
            match counted {
                Counted::Late => self.stats.late_segments -= 1,
                Counted::Midstream => {
                    self.stats.midstream -= 1;
                    self.stats.midstream_segments -= 1;
                }
                Counted::MidstreamSegment => self.stats.midstream_segments -= 1,
                Counted::Not => {}
            }
            if again {
                // Captured twice, or sent twice: it says nothing more.
                continue;
            }
            self.known(slot, &segment, key, src_low, hash, sink, witness);
        }
    }

    #[allow(clippy::too_many_arguments)] // as above
    fn begin(
        &mut self,
        segment: &Segment,
        key: Key,
        src_low: bool,
        hash: u64,
        reused: bool,
        sink: &mut impl Sink,
        witness: &mut impl Witness,
    ) {
        self.make_room(sink);
        let row = lookup(Side::Client, Class::Syn, State::Closed);
        let number = self.number + 1;
        if let Some((lone, wide)) = Lone::of(segment, src_low, number, reused) {
            self.number = number;
            self.stats.handshakes += 1;
            self.store.insert_syn(hash, Syn::Ordinary(lone, wide));
        } else {
            let flow = self.attempt(segment, key, src_low, reused);
            self.store.insert(hash, flow);
        }
        let step = Step {
            number,
            from: Side::Client,
            row,
            before: State::Closed,
            after: State::SynSent,
            copy: false,
        };
        witness.step(segment, &step);
        self.adopt_strays(key, hash, sink, witness);
    }

    /// The flow that a SYN begins.
    fn attempt(&mut self, segment: &Segment, key: Key, src_low: bool, reused: bool) -> Flow {
        let mut flow = self.new_flow(segment, key);
        flow.marks |= Flow::SYN_SEEN | if src_low { Flow::CLIENT_LOW } else { 0 };
        flow.syn_sent = 1;
        if reused {
            flow.anomalies.insert(Anomaly::PortReused);
        }
        if segment.flags.has(Flags::FIN) {
            flow.anomalies.insert(Anomaly::SynWithFinOrRst);
        }
        flow
    }

    fn begin_by_syn_ack(
        &mut self,
        segment: &Segment,
        key: Key,
        src_low: bool,
        hash: u64,
        sink: &mut impl Sink,
        witness: &mut impl Witness,
    ) {
        self.make_room(sink);
        let mut flow = self.new_flow(segment, key);
        flow.state = State::SynAckFirst;
        flow.isn_client = 0;
        flow.syn_data = 0;
        // The receiver of a SYN-ACK is the client.
        flow.marks |= Flow::SERVER_SEEN | if src_low { 0 } else { Flow::CLIENT_LOW };
        let number = flow.number;
        let mut slot = self.store.insert(hash, flow);
        if let Some((_, detail)) = self.store.with_detail(&mut slot) {
            effect::first_syn_ack(detail, segment);
        }
        let row = lookup(Side::Server, Class::SynAck, State::Closed);
        let step = Step {
            number,
            from: Side::Server,
            row,
            before: State::Closed,
            after: State::SynAckFirst,
            copy: false,
        };
        witness.step(segment, &step);
        self.adopt_strays(key, hash, sink, witness);
        self.strays.put(hash, Packet::Tcp(*segment), Counted::Not);
    }

    fn new_flow(&mut self, segment: &Segment, key: Key) -> Flow {
        self.stats.handshakes += 1;
        self.number += 1;
        let mut anomalies = Anomalies::default();
        if segment.bad_checksum {
            anomalies.insert(Anomaly::BadChecksum);
        }
        Flow {
            key,
            start_ns: segment.time_ns,
            last_ns: segment.time_ns,
            number: self.number,
            frame_syn: FrameRef::of(segment),
            last_syn: Fingerprint::of(segment),
            client_options: SideOptions::of(segment).map_or_else(PackedOptions::default, |o| PackedOptions::pack(&o)),
            isn_client: segment.seq,
            syn_data: segment.payload_len,
            syn_sent: 0,
            anomalies,
            encap: segment.encap,
            state: State::SynSent,
            marks: 0,
            ttl_client: segment.ttl,
        }
    }

    fn make_room(&mut self, sink: &mut impl Sink) {
        self.sweep(sink);
        while self.store.is_full() {
            let Some(victim) = self.store.choose_victim() else {
                return;
            };
            if victim.finished {
                self.emit(victim.slot, Leave::Finished, sink);
            } else {
                self.stats.evicted += 1;
                self.emit(victim.slot, Leave::Evicted, sink);
            }
        }
    }

    /// Timers, in capture time: two slots for each new flow, some at a time, walk the whole table often enough. As long as
    /// no flow can be stale, none is looked at.
    fn sweep(&mut self, sink: &mut impl Sink) {
        const AT_A_TIME: u64 = 16;
        if !self.steady || !self.number.is_multiple_of(AT_A_TIME) {
            return;
        }
        let stale_ns = self.last_ns.saturating_sub(STALE_NS);
        while let Some((slot, _)) = self.store.oldest_lone().filter(|&(_, last_ns)| last_ns < stale_ns) {
            self.emit(slot, Leave::Finished, sink);
        }
        for _ in 0..2 * AT_A_TIME {
            match self.store.sweep(stale_ns) {
                Swept::Nothing => return,
                Swept::Fresh => {}
                Swept::Stale(slot) => self.emit(slot, Leave::Finished, sink),
            }
        }
    }

    fn tick(&mut self, time_ns: i64, sink: &mut impl Sink) {
        let step = time_ns.saturating_sub(self.last_ns);
        self.last_ns = time_ns;
        self.steady = (0..PLAUSIBLE_STEP_NS).contains(&step);
        if !self.steady {
            return;
        }
        for (queue, &least_ns) in LINGERS_NS.iter().enumerate() {
            while let Some(&lingering) = self.linger[queue].front().filter(|l| l.due_ns <= time_ns) {
                self.linger[queue].pop_front();
                let Lingering { slot, number, .. } = lingering;
                let Some(flow) = self.store.flow(slot).filter(|f| f.number == number) else {
                    continue;
                };
                if !matches!(flow.state, State::TimeWait | State::Reset) {
                    if let Some((flow, _)) = self.store.both_mut(slot) {
                        flow.marks &= !Flow::LINGERS;
                    }
                    continue;
                }
                if lingering.leaves_ns(flow, least_ns) > time_ns {
                    self.linger[queue].push_back(Lingering {
                        due_ns: time_ns.saturating_add(least_ns),
                        ..lingering
                    });
                    continue;
                }
                let held = flow.is(Flow::HELD).then(|| self.hasher.hash(&flow.key));
                if held.is_none_or(|hash| self.begin_last_held(slot, hash, sink).is_none()) {
                    self.emit(slot, Leave::Finished, sink);
                }
            }
        }
    }

    fn emit(&mut self, slot: Slot, leave: Leave, sink: &mut impl Sink) {
        let removed = match leave {
            Leave::AtEnd => self.store.remove_at_end(slot),
            Leave::Finished | Leave::Evicted => self.store.remove(slot),
        };
        let Some(mut removed) = removed else { return };
        let evicted = leave == Leave::Evicted;
        let held = match &mut removed {
            // The SYNs that were held inside a connection that leaves.
            Removed::Whole(Whole { flow, detail, .. }) if flow.is(Flow::HELD) => {
                let (held, forged) = held::release(flow, detail);
                self.stats.handshakes -= forged;
                held
            }
            _ => Vec::new(),
        };
        sink.ended(Ended::new(removed, evicted));
        for attempt in held {
            sink.ended(Ended::of_syn(&attempt, evicted));
        }
    }

    /// An ICMP error about a SYN ends the attempt, unless an answer still comes (Linux: `tcp_v4_err()`, case
    /// `TCP_SYN_SENT`).
    fn icmp(&mut self, error: &IcmpError, sink: &mut impl Sink) {
        if !ends_connect(error) {
            return;
        }
        let (key, src_low) = Key::new(error.src, error.src_port, error.dst, error.dst_port, error.encap);
        let hash = self.hasher.hash(&key);
        let Some(mut slot) = self.store.slot(&key, hash) else {
            self.strays.put(hash, Packet::Icmp(*error), Counted::Not);
            return;
        };
        if let Some((flow, Some(detail))) = self.store.both_mut(slot)
            && flow.is(Flow::HELD)
            && error.seq.is_some()
            && let Some(nth) = detail.rare().held.iter().position(|h| is_about(h, error, src_low))
            && let Some(next) = self.begin_held(slot, nth, hash, sink)
        {
            slot = next;
        }
        if !self.store.flow(slot).is_some_and(|flow| is_about(flow, error, src_low)) {
            return;
        }
        let Some((flow, detail)) = self.store.with_detail(&mut slot) else {
            return;
        };
        effect::ensure_started(flow, detail);
        flow.marks |= Flow::UNREACHABLE;
        if error.time_ns < flow.start_ns {
            flow.anomalies.insert(Anomaly::Reordered);
        }
        flow.last_ns = flow.last_ns.max(error.time_ns);
        let icmp = &mut detail.rare_mut().icmp;
        icmp.get_or_insert((error.kind, error.code, error.reporter));
        self.stats.icmp_errors += 1;
    }
}

/// Whether an ICMP error quotes the SYN that this flow waits with.
fn is_about(flow: &Flow, error: &IcmpError, src_low: bool) -> bool {
    src_low == flow.is(Flow::CLIENT_LOW)
        && flow.is(Flow::SYN_SEEN)
        && flow.state == State::SynSent
        && error.seq.is_none_or(|seq| seq == flow.isn_client)
}

/// The FIN half of a segment, after its ACK half.
fn walk_fin(flow: &mut Flow, detail: &mut Detail, segment: &Segment, from: Side) -> &'static Row {
    let class = if fin_fits(detail, segment, from) {
        Class::Fin
    } else {
        Class::AckWrong
    };
    let row = lookup(from, class, flow.state);
    let over = matches!(flow.state, State::TimeWait | State::Reset);
    if class == Class::Fin && row.cell != Cell::Invalid {
        if over {
            effect::late_fin(detail, segment, from);
        } else {
            effect::fin(flow, detail, segment, from);
        }
    }
    if let Cell::Next(next) = row.cell {
        flow.state = next;
        // The capture may have put the FIN behind its acknowledgment.
        if class == Class::Fin && is_synchronized(next) && detail.knew_fin(from.other()) {
            walk(flow, from.other(), Class::AckOfFin);
        }
    }
    row
}

/// What the capture put before the segment that led to `next`.
fn walk_early(flow: &mut Flow, detail: &Detail, next: State) {
    if next == State::SimultaneousSyn && detail.rare().syn_acked {
        walk(flow, Side::Server, Class::Ack);
    }
    if next == State::SimultaneousSyn && detail.rare().client_syn_ack.is_some() {
        walk(flow, Side::Client, Class::SynAck);
    }
    if next == State::SynRecv && flow.is(Flow::COMPLETED) {
        walk(flow, Side::Client, Class::Ack);
    }
}

/// FINs from before completion, and the acknowledgment of one in the segment that completed.
fn walk_early_fins(flow: &mut Flow, detail: &Detail, segment: &Segment, from: Side) {
    for side in [Side::Server, Side::Client] {
        if detail.stream(side).fin.is_none() {
            continue;
        }
        walk(flow, side, Class::Fin);
        if from != side {
            walk_ack_of_fin(flow, detail, segment, from);
        }
    }
}

/// A connection goes on behind an RST that was taken back: where it was, and with what came in between.
fn walk_on(flow: &mut Flow, detail: &mut Detail, resumed: Option<&Resumed>, segment: &Segment, from: Side) {
    let Some(resumed) = resumed else { return };
    if resumed.state != State::SynRecv {
        flow.state = resumed.state;
    }
    for (side, fin) in resumed.fins.iter().flatten() {
        walk_ack_of_fin(flow, detail, fin, *side);
        walk_fin(flow, detail, fin, *side);
    }
    walk_ack_of_fin(flow, detail, segment, from);
}

/// The acknowledgment of the other side's FIN, if this is one.
const fn walk_ack_of_fin(flow: &mut Flow, detail: &Detail, segment: &Segment, from: Side) {
    if detail.stream(from.other()).fin_covered_by(segment.ack) {
        walk(flow, from, Class::AckOfFin);
    }
}

/// A segment of a connection to itself is the other end's as well: its FIN closes both, and so does the ACK of that.
const fn walk_self(flow: &mut Flow, segment: &Segment, class: Class, from: Side) {
    if segment.flags.has(Flags::FIN) {
        walk(flow, from.other(), Class::Fin);
    }
    if matches!(class, Class::AckOfFin) {
        walk(flow, from.other(), Class::AckOfFin);
    }
}

/// Not before completion, where a FIN waits for it, and not behind the end.
const fn is_synchronized(state: State) -> bool {
    !is_opening(state) && !matches!(state, State::Closed | State::TimeWait | State::Reset)
}

/// What one segment proved beside its own row.
const fn walk(flow: &mut Flow, from: Side, class: Class) {
    if let Cell::Next(next) = lookup(from, class, flow.state).cell {
        flow.state = next;
    }
}

/// Whether an ICMP error makes `connect()` fail. Not: fragmentation needed, packet too big, source quench, redirect.
const fn ends_connect(error: &IcmpError) -> bool {
    if error.v6 {
        matches!(error.kind, 1 | 3 | 4)
    } else {
        match error.kind {
            3 => error.code != 4,
            11 | 12 => true,
            _ => false,
        }
    }
}

/// Whether two times are as close as segments that the capture swapped.
pub(crate) const fn close_in_time(a: i64, b: i64) -> bool {
    a.saturating_sub(b).saturating_abs() <= REORDER_NS
}
