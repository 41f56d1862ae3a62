//! The tracker: takes packets in capture order, finds their flow, asks the table, and carries out what it says.
//!
//! What decides is in `state.rs` (the table) and `classify.rs` (the numbers); what is written, in `effect.rs` and `walk.rs`;
//! what is kept, in `flow.rs` and `detail.rs`; where, in `store.rs`; who begins, ends and must leave, in `books.rs`.

use std::marker::PhantomData;
use std::ops::Range;

use halfopen_wire::{Address, Flags, IcmpError, Packet, Segment};

use crate::books::{Books, Leave, Limits, TrackStats};
use crate::classify::{answers_anew, classify, is_given_up, opens, sender};
use crate::copied;
use crate::effect;
use crate::fetch::{Fetch, Unfetched};
use crate::flow::Flow;
use crate::held::{self, Verdict};
use crate::key::{Key, KeyHasher};
use crate::linger::Patience;
use crate::lone::{Lone, Syn};
use crate::past::Pasts;
use crate::record::{Anomaly, Side};
use crate::reorder::close_in_time;
use crate::sink::Sink;
use crate::state::{Cell, Class, State, lookup};
use crate::store::{Found, Slot};
use crate::stray::{Counted, Strays};
use crate::syn_acks;
use crate::syns;
use crate::talkers::Talkers;
use crate::walk::{walk_early, walk_early_fins, walk_fin, walk_on, walk_self};
use crate::witness::{Step, Witness};

/// Packets whose places are asked for together.
const AHEAD: usize = 32;

/// Segments in, handshakes out; `F` asks for memory ahead.
#[derive(Debug)]
pub struct Tracker<F: Fetch = Unfetched> {
    books: Books,
    strays: Strays,
    pasts: Pasts,
    talkers: Talkers,
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
        Self {
            books: Books::new(limits),
            strays: Strays::default(),
            pasts: Pasts::default(),
            talkers: Talkers::default(),
            fetch: PhantomData,
        }
    }

    /// What was counted so far.
    pub const fn stats(&self) -> &TrackStats {
        &self.books.stats
    }

    /// Hosts that sent segments of connections from before the capture, 4096 at most.
    pub fn midstream_senders(&self) -> Vec<Address> {
        self.talkers.list()
    }

    /// Flows held now.
    pub fn held(&self) -> usize {
        self.books.store.len()
    }

    /// Half-open connections that are packed now.
    #[cfg(test)]
    pub(crate) const fn packed(&self) -> usize {
        self.books.store.packed()
    }

    /// Takes one packet.
    pub fn push(&mut self, packet: &Packet, sink: &mut impl Sink) {
        self.push_with(packet, sink, &mut ());
    }

    /// The hasher of this tracker's keys, for [`Tracker::push_hashed`].
    pub const fn hasher(&self) -> KeyHasher {
        self.books.hasher
    }

    /// Takes packets in order. Faster than one at a time: their places in the table are fetched side by side.
    pub fn push_batch(&mut self, packets: &[Packet], sink: &mut impl Sink) {
        let hash = |packet: &Packet| match packet {
            Packet::Tcp(s) => self.books.hasher.hash(&Key::of(s).0),
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
        let mut ahead = self.fetch_flows(hashes, flows.next());
        for group in groups(places) {
            self.fetch_buckets(hashes, buckets.next());
            let guesses = std::mem::replace(&mut ahead, self.fetch_flows(hashes, flows.next()));
            for ((packet, &hash), guess) in packets[group.clone()].iter().zip(&hashes[group]).zip(guesses) {
                match packet {
                    Packet::Tcp(segment) => self.tcp(segment, hash, guess, sink, &mut ()),
                    Packet::Icmp(error) => self.icmp(error, sink),
                    Packet::Other => {}
                }
            }
        }
    }

    /// Asks for the buckets of a group.
    fn fetch_buckets(&self, hashes: &[u64], group: Option<Range<usize>>) {
        for &hash in &hashes[group.unwrap_or_default()] {
            self.books.store.fetch::<F>(hash);
        }
    }

    /// Asks for the flows of a group, and for those whose lingering ends. Gives where they very likely are.
    fn fetch_flows(&self, hashes: &[u64], group: Option<Range<usize>>) -> [Option<Slot>; AHEAD] {
        let mut guesses = [None; AHEAD];
        let Some(group) = group else { return guesses };
        for (&hash, guess) in hashes[group].iter().zip(&mut guesses) {
            *guess = self.books.store.fetch_flow::<F>(hash);
        }
        // Of a connection of eight packets, one in eight is the end of another's lingering.
        self.books.fetch_leaving::<F>(AHEAD / 2);
        guesses
    }

    /// Takes one packet and lets `witness` see what the table made of it.
    pub fn push_with(&mut self, packet: &Packet, sink: &mut impl Sink, witness: &mut impl Witness) {
        match packet {
            Packet::Tcp(segment) => {
                let key = Key::of(segment).0;
                self.tcp(segment, self.books.hasher.hash(&key), None, sink, witness);
            }
            Packet::Icmp(error) => self.icmp(error, sink),
            Packet::Other => {}
        }
    }

    /// Says that no packet has come for so long, of a capture that is still being written: what ended before is judged. Late
    /// packets that come all the same are counted as such.
    pub fn idle(&mut self, waited_ns: i64, sink: &mut impl Sink) {
        self.books.idle(waited_ns, sink);
    }

    /// Judges everything that is still open, as the capture leaves it.
    pub fn finish(&mut self, sink: &mut impl Sink) {
        self.books.finish(sink);
    }

    /// `guess`: where its flow was when it was asked for.
    fn tcp(
        &mut self,
        segment: &Segment,
        hash: u64,
        guess: Option<Slot>,
        sink: &mut impl Sink,
        witness: &mut impl Witness,
    ) {
        self.books.stats.tcp_segments += 1;
        self.books.tick(segment.time_ns, sink);
        let (key, src_low) = Key::of(segment);
        let found = self.books.store.find_near(&key, hash, guess);
        if !self.is_data(found, segment, src_low, witness) {
            self.join(segment, found, key, src_low, hash, sink, witness);
        }
    }

    /// One segment that is looked at again.
    #[cold]
    fn walk(
        &mut self,
        segment: &Segment,
        key: Key,
        src_low: bool,
        hash: u64,
        sink: &mut impl Sink,
        witness: &mut impl Witness,
    ) {
        let found = self.books.store.find(&key, hash);
        if !self.is_data(found, segment, src_low, witness) {
            self.join(segment, found, key, src_low, hash, sink, witness);
        }
    }

    /// One segment that is more than data, with what is known of its four-tuple.
    #[allow(clippy::too_many_arguments)] // as below
    fn join(
        &mut self,
        segment: &Segment,
        found: Option<Found>,
        key: Key,
        src_low: bool,
        hash: u64,
        sink: &mut impl Sink,
        witness: &mut impl Witness,
    ) {
        match found {
            Some(Found::Live(slot)) => self.known(slot, segment, key, src_low, hash, sink, witness),
            before => self.unknown(segment, key, src_low, hash, before, sink, witness),
        }
    }

    /// Whether a segment is plain data or an ACK of an open connection, which is then counted.
    #[inline]
    fn is_data(&mut self, found: Option<Found>, segment: &Segment, src_low: bool, witness: &mut impl Witness) -> bool {
        matches!(found, Some(Found::Live(slot)) if self.data(slot, segment, src_low, witness))
    }

    /// The fast path: plain data and ACKs of an open connection change nothing but the byte counts. Says whether that
    /// was all.
    fn data<W: Witness>(&mut self, slot: Slot, segment: &Segment, src_low: bool, witness: &mut W) -> bool {
        const PLAIN: u16 = Flags::SYN | Flags::FIN | Flags::RST | Flags::ACK;
        const SLOW: u32 = Flow::HELD | Flow::UNTIMED_END;
        if segment.flags.0 & PLAIN != Flags::ACK || !segment.timed {
            return false;
        }
        let Some((flow, Some(detail))) = self.books.store.both_mut(slot) else {
            return false;
        };
        let Some((ack_ns, _)) = detail.ack else { return false };
        if flow.state != State::Established || flow.marks & SLOW != 0 {
            return false;
        }
        let from_client = src_low == flow.is(Flow::CLIENT_LOW);
        if from_client && segment.time_ns < ack_ns {
            return false;
        }
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
        slot: Slot,
        segment: &Segment,
        key: Key,
        src_low: bool,
        hash: u64,
        sink: &mut impl Sink,
        witness: &mut impl Witness,
    ) {
        let Some((flow, mut detail)) = self.books.store.both_mut(slot) else {
            return;
        };
        if self.pasts.has(hash, segment, src_low) {
            self.books.stats.late_segments += 1;
            return;
        }
        let from = sender(flow, detail.as_deref(), segment, src_low);
        let before = flow.state;
        let mut class = classify(flow, detail.as_deref(), segment, from);
        let mut row = lookup(from, class, before);
        let number = flow.number;
        if copied::is_copy(flow, detail.as_deref(), segment, class, from) {
            copied::note_copy(flow, detail.as_deref_mut(), segment, class, from);
            if let (State::SimultaneousSyn, Side::Server, Some(detail)) = (before, from, detail) {
                syns::keep_syn(detail, segment, true);
            }
            self.books.stats.captured_twice += 1;
            let mut step = Step::still(number, from, row, before);
            step.copy = true;
            witness.step(segment, &step);
            return;
        }
        if class == Class::SynOther && row.cell == Cell::Ignore {
            witness.step(segment, &Step::still(number, from, row, before));
            self.hold(slot, segment, key, src_low, witness);
            self.adopt_errors(hash, sink);
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
                    if let Some(slot) = self.books.begin_held(slot, nth, hash, sink) {
                        self.known(slot, segment, key, src_low, hash, sink, witness);
                    }
                    return;
                }
            }
        }
        let close = close_in_time(segment.time_ns, flow.start_ns);
        if class == Class::Syn && before == State::SynAckFirst {
            // It has found its SYN, and is not to be found by the next one.
            self.strays.take(hash, segment.time_ns);
        }
        if class == Class::SynAckWrong && before.is_over() {
            self.strays.put(hash, Packet::Tcp(*segment), Counted::Not);
        }
        if class == Class::SynOther && before == State::SynAckFirst && flow.syn_sent == 0 && close {
            // What came first was the wrong answer to this SYN. It would not have begun a flow, had there been one before.
            self.books.store.remove(slot);
            self.books.stats.handshakes -= 1;
            // It stays the same handshake, with its number: a person counts and asks by them.
            let last = std::mem::replace(&mut self.books.number, number - 1);
            self.begin(segment, key, src_low, hash, false, sink, witness);
            self.books.number = last;
            return;
        }
        if let Some(detail) = detail.as_deref_mut()
            && answers_anew(flow, detail, segment, class, from)
        {
            let syns = syns::part(flow, detail);
            self.books.end(slot, Leave::Finished, sink);
            for (syn, is_copy) in &syns {
                self.books.stats.captured_twice -= u64::from(*is_copy);
                self.walk(syn, key, !src_low, hash, sink, witness);
            }
            self.walk(segment, key, src_low, hash, sink, witness);
            return;
        }
        let again = row.cell == Cell::Next(State::SynSent)
            && (class == Class::SynOther || class == Class::Syn && before != State::Closed);
        let reversed = row.cell == Cell::Next(State::SimultaneousSyn) && is_given_up(flow, segment);
        if again || reversed {
            self.pasts.put(hash, flow, detail.as_deref(), segment.time_ns);
            self.books.end(slot, Leave::Finished, sink);
            self.begin(segment, key, src_low, hash, true, sink, witness);
            return;
        }
        if detail.is_none() && class == Class::SynRepeated {
            syns::syn_repeated(flow, segment, from);
            if let Cell::Next(next) = row.cell {
                flow.state = next;
            }
            let mut step = Step::still(number, from, row, before);
            step.after = flow.state;
            self.books.store.refresh(slot);
            witness.step(segment, &step);
            return;
        }
        self.carry_out(slot, segment, Step::still(number, from, row, before), witness);
    }

    /// What the table says of a segment is written into the books of its flow.
    fn carry_out(&mut self, mut slot: Slot, segment: &Segment, mut step: Step, witness: &mut impl Witness) {
        let (from, row, class, before) = (step.from, step.row, step.row.class, step.before);
        let Some((flow, detail)) = self.books.store.with_detail(&mut slot) else {
            return;
        };
        syns::ensure_started(flow, detail);
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
        let ended = flow.state.is_over() && flow.state != before;
        if ended && !flow.is(Flow::LINGERS) {
            flow.marks |= Flow::LINGERS;
            let short = flow.is(Flow::COMPLETED) && detail.rare().believed.is_none();
            let patience = if short { Patience::Short } else { Patience::Long };
            self.books.linger(slot, step.number, patience);
        }
        witness.step(segment, &step);
    }

    /// A SYN inside an open connection: see `held.rs`.
    fn hold(&mut self, slot: Slot, segment: &Segment, key: Key, src_low: bool, witness: &mut impl Witness) {
        let Some((_, Some(detail))) = self.books.store.both_mut(slot) else {
            return;
        };
        let row = lookup(Side::Client, Class::SynRepeated, State::SynSent);
        let mut step = Step::still(0, Side::Client, row, State::SynSent);
        if let Some(attempt) = held::repeated(detail, segment, src_low) {
            step.number = attempt.number;
            step.copy = held::repeat(attempt, segment);
            self.books.stats.captured_twice += u64::from(step.copy);
        } else {
            let attempt = self.books.attempt(segment, key, src_low, true);
            step.number = attempt.number;
            step.row = lookup(Side::Client, Class::Syn, State::Closed);
            step.before = State::Closed;
            if let Some((flow, Some(detail))) = self.books.store.both_mut(slot) {
                self.books.stats.handshakes -= held::hold(flow, detail, attempt);
            }
        }
        witness.step(segment, &step);
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
                self.books.stats.late_segments += 1;
                self.strays.put(hash, Packet::Tcp(*segment), Counted::Late);
            }
            _ => {
                self.talkers.add(segment.src);
                let mut counted = Counted::MidstreamSegment;
                self.books.stats.midstream_segments += 1;
                if before.is_none() {
                    counted = Counted::Midstream;
                    self.books.stats.midstream += 1;
                    self.books.store.remember_midstream(hash);
                }
                self.strays.put(hash, Packet::Tcp(*segment), counted);
            }
        }
    }

    /// ICMP errors that the capture put before a SYN that is held now.
    fn adopt_errors(&mut self, hash: u64, sink: &mut impl Sink) {
        for (packet, counted) in self.strays.take(hash, self.books.last_ns) {
            match packet {
                Packet::Icmp(error) => self.icmp(&error, sink),
                other => self.strays.put(hash, other, counted),
            }
        }
    }

    /// What the capture put before the packet that began this flow.
    fn adopt_strays(&mut self, key: Key, hash: u64, sink: &mut impl Sink, witness: &mut impl Witness) {
        let mut last = None;
        for (packet, counted) in self.strays.take(hash, self.books.last_ns) {
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
            let Some(slot) = self.books.store.slot(&key, hash) else {
                return;
            };
            let Some((flow, detail)) = self.books.store.both_mut(slot) else {
                return;
            };
            let src_low = Key::of(&segment).1;
            let from = sender(flow, detail.as_deref(), &segment, src_low);
            let class = classify(flow, detail.as_deref(), &segment, from);
            let wrong = class == Class::SynAckWrong && flow.state == State::SynSent;
            if !wrong && !matches!(class, Class::SynAck | Class::Ack | Class::AckOfData | Class::Rst) {
                continue;
            }
            flow.anomalies.insert(Anomaly::Reordered);
            match counted {
                Counted::Late => self.books.stats.late_segments -= 1,
                Counted::Midstream => {
                    self.books.stats.midstream -= 1;
                    self.books.stats.midstream_segments -= 1;
                }
                Counted::MidstreamSegment => self.books.stats.midstream_segments -= 1,
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
        self.books.make_room(sink);
        let row = lookup(Side::Client, Class::Syn, State::Closed);
        let number = self.books.number + 1;
        if let Some((lone, wide)) = Lone::of(segment, src_low, number, reused) {
            self.books.number = number;
            self.books.stats.handshakes += 1;
            self.books.store.insert_syn(hash, Syn::Ordinary(lone, wide));
        } else {
            let flow = self.books.attempt(segment, key, src_low, reused);
            self.books.store.insert(hash, flow);
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

    fn begin_by_syn_ack(
        &mut self,
        segment: &Segment,
        key: Key,
        src_low: bool,
        hash: u64,
        sink: &mut impl Sink,
        witness: &mut impl Witness,
    ) {
        self.books.make_room(sink);
        let mut flow = self.books.new_flow(segment, key);
        flow.state = State::SynAckFirst;
        flow.isn_client = 0;
        flow.syn_data = 0;
        // The receiver of a SYN-ACK is the client.
        flow.marks |= Flow::SERVER_SEEN | if src_low { 0 } else { Flow::CLIENT_LOW };
        let number = flow.number;
        let mut slot = self.books.store.insert(hash, flow);
        if let Some((_, detail)) = self.books.store.with_detail(&mut slot) {
            syn_acks::first_syn_ack(detail, segment);
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

    /// An ICMP error about a SYN ends the attempt, unless an answer still comes (Linux: `tcp_v4_err()`, case
    /// `TCP_SYN_SENT`).
    fn icmp(&mut self, error: &IcmpError, sink: &mut impl Sink) {
        if !ends_connect(error) {
            return;
        }
        let (key, src_low) = Key::new(error.src, error.src_port, error.dst, error.dst_port, error.encap);
        let hash = self.books.hasher.hash(&key);
        let Some(mut slot) = self.books.store.slot(&key, hash) else {
            self.strays.put(hash, Packet::Icmp(*error), Counted::Not);
            return;
        };
        if let Some((flow, Some(detail))) = self.books.store.both_mut(slot)
            && flow.is(Flow::HELD)
            && error.seq.is_some()
            && let Some(nth) = detail.rare().held.iter().position(|h| is_about(h, error, src_low))
            && let Some(next) = self.books.begin_held(slot, nth, hash, sink)
        {
            slot = next;
        }
        if !self
            .books
            .store
            .flow(slot)
            .is_some_and(|flow| is_about(flow, error, src_low))
        {
            if error.seq.is_some() {
                // Of an attempt that the capture puts behind it.
                self.strays.put(hash, Packet::Icmp(*error), Counted::Not);
            }
            return;
        }
        let Some((flow, detail)) = self.books.store.with_detail(&mut slot) else {
            return;
        };
        syns::ensure_started(flow, detail);
        flow.marks |= Flow::UNREACHABLE;
        if error.time_ns < flow.start_ns {
            flow.anomalies.insert(Anomaly::Reordered);
        }
        flow.last_ns = flow.last_ns.max(error.time_ns);
        let icmp = &mut detail.rare_mut().icmp;
        icmp.get_or_insert((error.kind, error.code, error.reporter));
        self.books.stats.icmp_errors += 1;
    }
}

/// Whether an ICMP error quotes the SYN that this flow waits with.
fn is_about(flow: &Flow, error: &IcmpError, src_low: bool) -> bool {
    src_low == flow.is(Flow::CLIENT_LOW)
        && flow.is(Flow::SYN_SEEN)
        && flow.state == State::SynSent
        && error.seq.is_none_or(|seq| seq == flow.isn_client)
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
