//! The books of the flows: their numbers, how they end, who must leave, and what is counted.
//!
//! Which segment does what to which flow is the tracker's; here is what must hold for all of them: numbers have no gaps but
//! those of SYNs that proved to be forged, the table is bounded, and each flow that was counted leaves once, with its record.

use halfopen_wire::{Flags, Segment};

use crate::fetch::Fetch;
use crate::fingerprint::Fingerprint;
use crate::flow::Flow;
use crate::frame_ref::FrameRef;
use crate::held;
use crate::key::{Key, KeyHasher};
use crate::linger::{Lingerers, Lingering, Patience};
use crate::packed::PackedOptions;
use crate::record::{Anomalies, Anomaly};
use crate::sink::{Ended, Sink};
use crate::state::State;
use crate::store::{Removed, Slot, Store, Swept, Whole};

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

/// An attempt without any packet for this long is over: the longest silence between two SYNs of one attempt is 120 s
/// (`TCP_RTO_MAX`, and `tcp_rto_max_ms` cannot be set higher).
const STALE_NS: i64 = 300_000_000_000;
/// A step of the capture's clock larger than this is a defect of one time stamp until the next packet agrees.
const PLAUSIBLE_STEP_NS: i64 = 60_000_000_000;

/// How a flow leaves the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leave {
    /// Its handshake is judged.
    Finished,
    /// It is pushed out.
    Evicted,
    /// The capture is at its end.
    AtEnd,
}

/// The flows that are held, and what was counted.
#[derive(Debug)]
pub struct Books {
    /// Of their keys.
    pub hasher: KeyHasher,
    /// Where they are.
    pub store: Store,
    /// Number of the last handshake.
    pub number: u64,
    /// What was counted.
    pub stats: TrackStats,
    /// Time of the last packet.
    pub last_ns: i64,
    linger: Lingerers,
    steady: bool,
}

impl Books {
    /// Empty ones.
    pub fn new(limits: Limits) -> Self {
        let hasher = KeyHasher::default();
        Self {
            hasher,
            store: Store::new(limits.max_flows, hasher),
            number: 0,
            stats: TrackStats::default(),
            last_ns: 0,
            linger: Lingerers::default(),
            steady: false,
        }
    }

    /// Asks for `most` connections whose lingering ends soon.
    pub fn fetch_leaving<F: Fetch>(&self, most: usize) {
        for slot in self.linger.leaving_soon(self.last_ns, most) {
            self.store.fetch_leaving::<F>(slot);
        }
    }

    /// The capture's clock goes on: those that lingered long enough leave.
    #[inline]
    pub fn tick(&mut self, time_ns: i64, sink: &mut impl Sink) {
        let step = time_ns.saturating_sub(self.last_ns);
        self.last_ns = time_ns;
        self.steady = (0..PLAUSIBLE_STEP_NS).contains(&step);
        if self.steady && self.linger.can_be_due(time_ns) {
            self.let_go_all(sink);
        }
    }

    /// Looks at all whose lingering is due.
    fn let_go_all(&mut self, sink: &mut impl Sink) {
        for patience in Patience::ALL {
            while let Some(lingering) = self.linger.pop_due(patience, self.last_ns) {
                self.let_go(lingering, patience, self.last_ns, sink);
            }
        }
        self.linger.settle();
    }

    /// No packet has come for so long: the connections that ended before leave. Attempts that may be repeated stay.
    pub fn idle(&mut self, waited_ns: i64, sink: &mut impl Sink) {
        let now_ns = self.last_ns.saturating_add(waited_ns);
        while let Some(lingering) = self.linger.pop_due(Patience::Short, now_ns) {
            self.let_go(lingering, Patience::Short, now_ns, sink);
        }
    }

    /// What becomes of a flow whose lingering is due.
    fn let_go(&mut self, lingering: Lingering, patience: Patience, now_ns: i64, sink: &mut impl Sink) {
        let Lingering { slot, number, .. } = lingering;
        let Some((flow, _)) = self.store.both_mut(slot).filter(|(flow, _)| flow.number == number) else {
            return;
        };
        if !flow.state.is_over() {
            flow.marks &= !Flow::LINGERS;
            return;
        }
        if self.linger.stays(lingering, flow, patience, now_ns) {
            return;
        }
        let held = flow.is(Flow::HELD).then(|| self.hasher.hash(&flow.key));
        if held.is_none_or(|hash| self.begin_last_held(slot, hash, sink).is_none()) {
            self.end(slot, Leave::Finished, sink);
        }
    }

    /// A flow that ended waits for its late packets.
    pub fn linger(&mut self, slot: Slot, number: u64, patience: Patience) {
        self.linger.add(slot, number, self.last_ns, patience);
    }

    /// Room for one more: who is missed least leaves, where the table is full.
    pub fn make_room(&mut self, sink: &mut impl Sink) {
        self.sweep(sink);
        while self.store.is_full() {
            let Some(victim) = self.store.choose_victim() else {
                return;
            };
            if victim.finished {
                self.end(victim.slot, Leave::Finished, sink);
            } else {
                self.stats.evicted += 1;
                self.end(victim.slot, Leave::Evicted, sink);
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
            self.end(slot, Leave::Finished, sink);
        }
        for _ in 0..2 * AT_A_TIME {
            match self.store.sweep(stale_ns) {
                Swept::Nothing => return,
                Swept::Fresh => {}
                Swept::Stale(slot) => self.end(slot, Leave::Finished, sink),
            }
        }
    }

    /// A flow leaves the table, and so do the SYNs that were held inside it.
    pub fn end(&mut self, slot: Slot, leave: Leave, sink: &mut impl Sink) {
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
                self.end(other, Leave::AtEnd, sink);
            }
            self.end(slot, Leave::AtEnd, sink);
        }
        for (_, slot) in others {
            self.end(slot, Leave::AtEnd, sink);
        }
        self.linger.clear();
    }

    /// The flow that a SYN begins.
    pub fn attempt(&mut self, segment: &Segment, key: Key, src_low: bool, reused: bool) -> Flow {
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

    /// A flow that begins with a segment, with the next number.
    pub fn new_flow(&mut self, segment: &Segment, key: Key) -> Flow {
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
            client_options: PackedOptions::of(segment).unwrap_or_default(),
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
    pub fn begin_held(&mut self, slot: Slot, nth: usize, hash: u64, sink: &mut impl Sink) -> Option<Slot> {
        let (flow, Some(detail)) = self.store.both_mut(slot)? else {
            return None;
        };
        detail.rare_mut().disproved = false;
        let (mut held, _) = held::release(flow, detail);
        let next = held.remove(nth);
        self.end(slot, Leave::Finished, sink);
        for other in held {
            sink.ended(Ended::of_syn(&other, false));
        }
        Some(self.store.insert(hash, next))
    }
}
