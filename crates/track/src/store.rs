//! Where flows live: bounded, indexed, evicted in the order of their usefulness.
//!
//! An open-addressing index of 8-byte entries (part of the hash, slot number) over a slab of flows in chunks, so that a
//! lookup costs two cache misses and growth copies nothing. Lone SYNs stand in a queue, the oldest first; a repeated SYN
//! goes to its end. When the table is full, they leave in that order. Only when they are few does a clock hand walk the
//! slab: what is finished goes first, then half-open ones, and established ones only when nothing else is in reach. So a
//! flood pushes out its own SYNs, and real handshakes stay.

use std::collections::VecDeque;

use crate::flow::{Detail, Flow};
use crate::key::Key;
use crate::state::State;

/// A slot number.
pub type Slot = u32;

/// 65 536 values: some megabytes, so that rounding up to huge pages (`halfopen_kernel::memory`) wastes little.
const CHUNK_BITS: u32 = 16;
const CHUNK: usize = 1 << CHUNK_BITS;

/// Values in chunks: growing never moves one, so memory has no doubling peak.
#[derive(Debug)]
struct Slab<T> {
    chunks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
    used: u32,
}

impl<T> Slab<T> {
    const fn new() -> Self {
        Self {
            chunks: Vec::new(),
            free: Vec::new(),
            used: 0,
        }
    }

    fn insert(&mut self, value: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.chunks[slot as usize >> CHUNK_BITS][slot as usize & (CHUNK - 1)] = Some(value);
            return slot;
        }
        let slot = self.used;
        if slot as usize & (CHUNK - 1) == 0 {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        self.chunks[slot as usize >> CHUNK_BITS].push(Some(value));
        self.used += 1;
        slot
    }

    fn get(&self, slot: u32) -> Option<&T> {
        self.chunks
            .get(slot as usize >> CHUNK_BITS)?
            .get(slot as usize & (CHUNK - 1))?
            .as_ref()
    }

    fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.chunks
            .get_mut(slot as usize >> CHUNK_BITS)?
            .get_mut(slot as usize & (CHUNK - 1))?
            .as_mut()
    }

    fn take(&mut self, slot: u32) -> Option<T> {
        let value = self
            .chunks
            .get_mut(slot as usize >> CHUNK_BITS)?
            .get_mut(slot as usize & (CHUNK - 1))?
            .take();
        if value.is_some() {
            self.free.push(slot);
        }
        value
    }

    fn len(&self) -> usize {
        self.used as usize - self.free.len()
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// Upper half of the hash; with `slot_plus_one` 0 the entry is empty.
    tag: u32,
    slot_plus_one: u32,
}

/// The hash's low bits choose the place, its high half is the tag.
#[derive(Debug)]
struct Index {
    entries: Vec<Entry>,
    mask: usize,
    len: usize,
}

impl Index {
    fn new() -> Self {
        Self::with_size(1 << 12)
    }

    fn with_size(size: usize) -> Self {
        Self {
            entries: vec![Entry::default(); size],
            mask: size - 1,
            len: 0,
        }
    }

    /// Homes are taken from the tag, so that entries can be moved without their keys.
    const fn home(&self, tag: u32) -> usize {
        tag as usize & self.mask
    }

    fn insert(&mut self, tag: u32, slot: Slot) {
        if (self.len + 1) * 10 > self.entries.len() * 7 {
            self.grow();
        }
        let mut at = self.home(tag);
        while self.entries[at].slot_plus_one != 0 {
            at = (at + 1) & self.mask;
        }
        self.entries[at] = Entry {
            tag,
            slot_plus_one: slot + 1,
        };
        self.len += 1;
    }

    fn grow(&mut self) {
        let mut larger = Self::with_size(self.entries.len() * 2);
        for e in self.entries.iter().filter(|e| e.slot_plus_one != 0) {
            larger.insert(e.tag, e.slot_plus_one - 1);
        }
        *self = larger;
    }

    fn remove(&mut self, tag: u32, slot: Slot) {
        let mut at = self.home(tag);
        loop {
            let e = self.entries[at];
            if e.slot_plus_one == 0 {
                return;
            }
            if e.slot_plus_one == slot + 1 {
                break;
            }
            at = (at + 1) & self.mask;
        }
        self.len -= 1;
        // Backward shift (Knuth 6.4, algorithm R): no tombstones, so probes stay short for ever.
        let mut hole = at;
        let mut next = (at + 1) & self.mask;
        loop {
            let e = self.entries[next];
            if e.slot_plus_one == 0 {
                break;
            }
            let distance_home = next.wrapping_sub(self.home(e.tag)) & self.mask;
            let distance_hole = next.wrapping_sub(hole) & self.mask;
            if distance_home >= distance_hole {
                self.entries[hole] = e;
                hole = next;
            }
            next = (next + 1) & self.mask;
        }
        self.entries[hole] = Entry::default();
    }
}

/// How much a flow is worth keeping; lower goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    Finished,
    HalfOpen,
    Active,
}

const fn worth(flow: &Flow) -> Worth {
    match flow.state {
        State::Closed | State::TimeWait | State::Reset => Worth::Finished,
        State::SynSent
        | State::SynRecv
        | State::SynAckFirst
        | State::SimultaneousSyn
        | State::SimultaneousClientAcked
        | State::SimultaneousServerAcked => Worth::HalfOpen,
        _ => Worth::Active,
    }
}

/// A lone SYN's place in the queue. Who left it in the meantime (an answer came, a retransmission put it at the end) is
/// recognised by the number, so nothing is searched for.
#[derive(Clone, Copy, Debug)]
struct Queued {
    slot: Slot,
    /// Part of the hash, so that the index entry can be fetched ahead.
    tag: u32,
    /// Low half of the handshake's number.
    number: u32,
    /// How often the SYN had been sent: after a retransmission the place is another one.
    syn_sent: u32,
}

/// A [`Flow`] with its [`Detail`] takes the memory of this many without.
pub const LONE_SYNS: usize = 3;

/// What a slot holds. The detail is apart, so that a lone SYN stays small.
#[derive(Debug)]
struct Held {
    flow: Flow,
    detail: Option<Box<Detail>>,
    /// Part of the hash.
    tag: u32,
}

/// The flow table.
#[derive(Debug)]
pub struct Store {
    index: Index,
    flows: Slab<Held>,
    /// How many of them have a detail.
    details: usize,
    /// In lone SYNs.
    limit: usize,
    /// Lone SYNs, the oldest first, and places that were left.
    queue: VecDeque<Queued>,
    /// Lone SYNs in it.
    lone: usize,
    hand: u32,
    sweep: u32,
}

/// How many flows the hand looks at for one eviction.
const REACH: u32 = 48;

impl Store {
    /// Holds at most `limit` whole connections (at least one), or [`LONE_SYNS`] lone SYNs in the room of each.
    pub fn new(limit: usize) -> Self {
        Self {
            index: Index::new(),
            flows: Slab::new(),
            details: 0,
            limit: limit.clamp(1, u32::MAX as usize / 8) * LONE_SYNS,
            queue: VecDeque::new(),
            lone: 0,
            hand: 0,
            sweep: 0,
        }
    }

    /// Reads the place where `hash` would be found. Called for a whole batch first, so that the processor fetches the
    /// lines side by side; the result means nothing.
    pub fn touch(&self, hash: u64) -> u32 {
        self.index.entries[self.index.home(tag_of(hash))].slot_plus_one
    }

    /// As [`Store::touch`], for the flow behind the entry: gives its slot, plus one, which [`Store::touch_detail`] takes.
    pub fn touch_flow(&self, slot_plus_one: u32) -> u64 {
        let held = self.flows.get(slot_plus_one.wrapping_sub(1));
        held.map_or(0, |h| h.flow.last_ns as u64 ^ h.flow.number ^ u64::from(h.tag))
    }

    /// As [`Store::touch_flow`], for its detail.
    pub fn touch_detail(&self, slot_plus_one: u32) -> u64 {
        let held = self.flows.get(slot_plus_one.wrapping_sub(1));
        held.and_then(|h| h.detail.as_deref())
            .map_or(0, |d| d.client.bytes ^ d.answered_ns as u64)
    }

    /// As [`Store::touch`], for the lone SYNs that leave next, when the table is full.
    pub fn touch_victims(&self, count: usize) -> i64 {
        let next = || self.queue.iter().take(count);
        let entries = next().fold(0, |t, q| t ^ self.index.entries[self.index.home(q.tag)].slot_plus_one);
        let flows = next().filter_map(|q| self.flows.get(q.slot));
        flows.fold(i64::from(entries), |t, h| {
            t ^ h.flow.last_ns ^ h.flow.number as i64 ^ i64::from(h.tag)
        })
    }

    /// The flow of `key`.
    pub fn find(&self, key: &Key, hash: u64) -> Option<Slot> {
        let tag = tag_of(hash);
        let mut at = self.index.home(tag);
        loop {
            let e = self.index.entries[at];
            if e.slot_plus_one == 0 {
                return None;
            }
            if e.tag == tag {
                let slot = e.slot_plus_one - 1;
                if self.flows.get(slot).is_some_and(|h| h.flow.key == *key) {
                    return Some(slot);
                }
            }
            at = (at + 1) & self.index.mask;
        }
    }

    /// Whether a flow must leave before the next one enters.
    pub fn is_full(&self) -> bool {
        self.flows.len() + (LONE_SYNS - 1) * self.details >= self.limit
    }

    /// Flows held.
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    /// Adds a flow whose key is not in the table. The caller has made room.
    pub fn insert(&mut self, hash: u64, flow: Flow) -> Slot {
        let tag = tag_of(hash);
        let lone = flow.is(Flow::SYN_SEEN);
        let slot = self.flows.insert(Held {
            flow,
            detail: None,
            tag,
        });
        self.index.insert(tag, slot);
        if lone {
            self.enqueue(slot);
        }
        slot
    }

    fn enqueue(&mut self, slot: Slot) {
        let Some(held) = self.flows.get_mut(slot) else { return };
        held.flow.marks |= Flow::QUEUED;
        let (number, syn_sent) = (held.flow.number as u32, held.flow.syn_sent);
        self.queue.push_back(Queued {
            slot,
            tag: held.tag,
            number,
            syn_sent,
        });
        self.lone += 1;
        if self.queue.len() > 2 * self.lone + 4096 {
            let flows = &self.flows;
            self.queue.retain(|place| is_there(flows, place));
        }
    }

    fn dequeue(&mut self, slot: Slot) {
        let Some(held) = self.flows.get_mut(slot) else { return };
        if held.flow.is(Flow::QUEUED) {
            held.flow.marks &= !Flow::QUEUED;
            self.lone -= 1;
        }
    }

    /// A lone SYN was sent again: it is worth as much as one that just came.
    pub fn refresh(&mut self, slot: Slot) {
        self.dequeue(slot);
        self.enqueue(slot);
    }

    /// The flow in a slot.
    pub fn flow(&self, slot: Slot) -> Option<&Flow> {
        self.flows.get(slot).map(|h| &h.flow)
    }

    /// The flow in a slot, with its detail where it has one.
    pub fn both_mut(&mut self, slot: Slot) -> Option<(&mut Flow, Option<&mut Detail>)> {
        let held = self.flows.get_mut(slot)?;
        Some((&mut held.flow, held.detail.as_deref_mut()))
    }

    /// The flow in a slot with a detail, made if it is new.
    pub fn with_detail(&mut self, slot: Slot) -> Option<(&mut Flow, &mut Detail)> {
        self.dequeue(slot);
        let held = self.flows.get_mut(slot)?;
        if held.detail.is_none() {
            self.details += 1;
        }
        Some((&mut held.flow, held.detail.get_or_insert_default()))
    }

    /// Takes a flow out.
    pub fn remove(&mut self, slot: Slot) -> Option<(Flow, Option<Box<Detail>>)> {
        let Held { flow, detail, tag } = self.flows.take(slot)?;
        self.index.remove(tag, slot);
        self.lone -= usize::from(flow.is(Flow::QUEUED));
        self.details -= usize::from(detail.is_some());
        Some((flow, detail))
    }

    /// The flow that is missed least.
    pub fn choose_victim(&mut self) -> Option<Slot> {
        while self.lone * 8 >= self.limit {
            let Some(place) = self.queue.pop_front() else { break };
            if is_there(&self.flows, &place) {
                return Some(place.slot);
            }
        }
        let mut best: Option<(Worth, i64, Slot)> = None;
        let mut seen = 0;
        for _ in 0..self.flows.used {
            let slot = self.advance();
            let Some(Held { flow, .. }) = self.flows.get(slot) else {
                continue;
            };
            let value = worth(flow);
            if best.is_none_or(|(v, t, _)| (value, flow.last_ns) < (v, t)) {
                best = Some((value, flow.last_ns, slot));
            }
            seen += 1;
            if value == Worth::Finished || seen >= REACH {
                break;
            }
        }
        best.map(|(_, _, slot)| slot)
    }

    fn advance(&mut self) -> Slot {
        let slot = self.hand;
        self.hand = if self.hand + 1 >= self.flows.used {
            0
        } else {
            self.hand + 1
        };
        slot
    }

    /// The next slot of a slow, endless walk over the table, for timers.
    pub fn sweep(&mut self) -> Option<Slot> {
        if self.flows.used == 0 {
            return None;
        }
        let slot = self.sweep;
        self.sweep = if self.sweep + 1 >= self.flows.used {
            0
        } else {
            self.sweep + 1
        };
        Some(slot)
    }

    /// Every slot that may hold a flow.
    pub fn slots(&self) -> std::ops::Range<Slot> {
        0..self.flows.used
    }
}

fn is_there(flows: &Slab<Held>, place: &Queued) -> bool {
    flows.get(place.slot).is_some_and(|Held { flow, .. }| {
        flow.is(Flow::QUEUED) && flow.number as u32 == place.number && flow.syn_sent == place.syn_sent
    })
}

const fn tag_of(hash: u64) -> u32 {
    (hash >> 32) as u32
}
