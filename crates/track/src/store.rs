//! Where flows live: bounded, indexed, evicted in the order of their usefulness.
//!
//! Lone SYNs stand in a ring, 64 bytes each (80 over IPv6), the oldest first; a repeated SYN goes to its end. As soon as anything else
//! happens, a connection moves to the slab of whole ones. When the table is full, lone SYNs leave in their order. Only
//! when they are less than half of it does a clock hand walk the slab: what is finished goes first, then what has waited
//! longest, be it half-open or a lone SYN, and established ones only when nothing else is in reach. So a flood pushes out
//! its own SYNs and half-open connections, and real handshakes stay.
//!
//! Before the slab of whole connections grows, those that are half-open for longer than a client needs for its ACK move to
//! a slab of their own ([`crate::half`]); what comes for them makes them whole again.

use crate::detail::Detail;
use crate::fetch::Fetch;
use crate::flow::Flow;
use crate::half::Half;
pub use crate::index::{Found, Slot};
use crate::index::{HALF, Index, LONE};
use crate::key::{Key, KeyHasher};
use crate::lone::{Lone, Syn};
use crate::ring::{Left, Ring};
use crate::slab::Slab;
pub use crate::slab::Whole;
use crate::state::State;

/// What left the table.
#[derive(Debug)]
pub enum Removed<'a> {
    /// Nothing but an ordinary SYN, with its wide part, where it stood.
    Lone(&'a Lone, u128),
    /// Nothing but SYNs.
    Rare(Box<Flow>),
    /// One SYN and its answer, where they stood.
    Half(&'a Half),
    /// All others, where they stood: to be taken before the next change of the table.
    Whole(&'a mut Whole),
}

impl<'a> Removed<'a> {
    fn syn(left: Left<'a>) -> Self {
        match left.rare {
            Some(flow) => Self::Rare(flow),
            None => Self::Lone(left.lone, left.wide),
        }
    }
}

/// Who leaves the full table.
#[derive(Clone, Copy, Debug)]
pub struct Victim {
    /// Where it is.
    pub slot: Slot,
    /// Nothing that is still to come can change it.
    pub finished: bool,
}

/// What a step of [`Store::sweep`] found.
#[derive(Clone, Copy, Debug)]
pub enum Swept {
    /// No connection can be that old.
    Nothing,
    /// This one is not.
    Fresh,
    /// This one is.
    Stale(Slot),
}

/// Whether it is over when nothing comes for long: an open connection may be silent for days, and so may one that is being
/// closed.
const fn is_waiting(state: State) -> bool {
    !matches!(
        state,
        State::Established
            | State::FinClient
            | State::FinClientAcked
            | State::FinServer
            | State::FinServerAcked
            | State::FinBoth
            | State::FinBothClientAcked
            | State::FinBothServerAcked
    )
}

/// How much a flow is worth keeping; lower goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    Finished,
    HalfOpen,
    Active,
}

const fn worth(state: State) -> Worth {
    match state {
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

/// A whole connection takes the memory of this many lone SYNs, and more.
pub const LONE_SYNS: usize = 3;

/// Lone SYNs may take this share of a large table: a flood that took all of it would only wait longer in it.
const LONE_SHARE: (usize, usize) = (8, 15);

/// A table of fewer connections may be all lone SYNs.
const LARGE: usize = 4096;

/// The flow table.
#[derive(Debug)]
pub struct Store {
    hasher: KeyHasher,
    index: Index,
    lone: Ring,
    whole: Slab<Whole>,
    half: Slab<Half>,
    /// A lone SYN that is being looked at; written back by the next change of anything.
    open: Option<(Slot, Flow)>,
    /// In lone SYNs.
    limit: usize,
    /// Of them alone.
    lone_limit: usize,
    hand: Slot,
    /// Looks for half-open connections that can be packed.
    packing: Slot,
    sweep: Slot,
    /// No whole connection waits since before this.
    oldest_ns: i64,
    /// The same for those that the walk under way has passed.
    walk_oldest_ns: i64,
}

/// How many flows the hand looks at for one eviction.
const REACH: u32 = 48;

/// As many whole connections are no reason to pack any.
const FEW: usize = 4096;
/// How many of them are looked at before the slab grows by one.
const PACKING_REACH: u32 = 8;
/// A client that lives sends its ACK before this; a server repeats its SYN-ACK after one second.
const PATIENCE_NS: i64 = 1_000_000_000;

impl Store {
    /// Holds at most `limit` whole connections (at least one), or [`LONE_SYNS`] lone SYNs in the room of each.
    pub fn new(limit: usize, hasher: KeyHasher) -> Self {
        let limit = limit.clamp(1, LONE as usize / 8) * LONE_SYNS;
        let share = limit / LONE_SHARE.1 * LONE_SHARE.0;
        Self {
            hasher,
            index: Index::new(),
            lone: Ring::default(),
            whole: Slab::default(),
            half: Slab::default(),
            open: None,
            limit,
            lone_limit: if limit < LARGE * LONE_SYNS { limit } else { share },
            hand: 0,
            packing: 0,
            sweep: 0,
            oldest_ns: i64::MAX,
            walk_oldest_ns: i64::MAX,
        }
    }

    /// Asks for the place where `hash` would be found.
    pub fn fetch<F: Fetch>(&self, hash: u64) {
        self.index.fetch::<F>(hash);
    }

    /// As [`Store::fetch`], some time later, for the flow that is very likely found there.
    /// Gives where that is.
    pub fn fetch_flow<F: Fetch>(&self, hash: u64) -> Option<Slot> {
        let slot = self.index.guess(hash, self.lone.window())?;
        if is_lone(slot) {
            if let Some(lone) = self.lone.peek(slot & !LONE) {
                F::fetch(lone);
            }
        } else if is_half(slot) {
            if let Some(half) = self.half.peek(slot & !HALF) {
                F::fetch(half);
            }
        } else {
            self.fetch_whole::<F>(slot);
        }
        Some(slot)
    }

    /// The same for a whole connection whose slot is known: what nearly every segment of it touches.
    pub fn fetch_whole<F: Fetch>(&self, slot: Slot) {
        if let Some(whole) = self.whole.peek(slot) {
            F::fetch(&whole.flow.key);
            F::fetch(&whole.flow.start_ns);
            F::fetch(&whole.detail.client);
            F::fetch(&whole.detail.server.bytes);
            F::fetch(&whole.detail.answered_ns);
        }
    }

    /// As [`Store::fetch_whole`], all of it: for one that leaves.
    pub fn fetch_leaving<F: Fetch>(&self, slot: Slot) {
        if let Some(whole) = self.whole.peek(slot) {
            self.fetch_whole::<F>(slot);
            F::fetch(&whole.detail.last_syn_ack);
            F::fetch(&whole.detail.rare);
            self.index.fetch::<F>(whole.hash);
        }
    }

    /// What is known of `key`. A half-open connection that was packed is whole again then.
    pub fn find(&mut self, key: &Key, hash: u64) -> Option<Found> {
        let found = self.index.find(hash, self.lone.window(), |slot| {
            if is_lone(slot) {
                self.lone.key(slot & !LONE) == Some(*key)
            } else if is_half(slot) {
                self.half.get(slot & !HALF).is_some_and(|h| h.key() == *key)
            } else {
                self.whole.get(slot).is_some_and(|w| w.flow.key == *key)
            }
        });
        match found {
            Some(Found::Live(slot)) if is_half(slot) => self.make_whole(slot, hash).map(Found::Live),
            found => found,
        }
    }

    /// As [`Store::find`], where its flow was at `guess` some packets ago: no two flows have one key, so if it is still
    /// there, it need not be looked for.
    pub fn find_near(&mut self, key: &Key, hash: u64, guess: Option<Slot>) -> Option<Found> {
        match guess {
            Some(slot) if is_lone(slot) && self.lone.key(slot & !LONE) == Some(*key) => Some(Found::Live(slot)),
            Some(slot)
                if slot & (LONE | HALF) == 0 && self.whole.get(slot).is_some_and(|whole| whole.flow.key == *key) =>
            {
                Some(Found::Live(slot))
            }
            _ => self.find(key, hash),
        }
    }

    /// The slot of `key`, if it is in the table.
    pub fn slot(&mut self, key: &Key, hash: u64) -> Option<Slot> {
        match self.find(key, hash) {
            Some(Found::Live(slot)) => Some(slot),
            _ => None,
        }
    }

    /// Its connection was there before the capture.
    pub fn remember_midstream(&mut self, hash: u64) {
        self.index.remember_midstream(hash, self.lone.window());
    }

    /// Whether a flow must leave before the next one enters.
    pub fn is_full(&self) -> bool {
        self.lone.len() >= self.lone_limit
            || self.lone.len() + LONE_SYNS * (self.whole.len() + self.half.len()) >= self.limit
    }

    /// Flows held.
    pub fn len(&self) -> usize {
        self.lone.len() + self.whole.len() + self.half.len()
    }

    /// Half-open connections that are packed.
    #[cfg(test)]
    pub const fn packed(&self) -> usize {
        self.half.len()
    }

    /// Adds a flow whose key is not in the table. The caller has made room.
    pub fn insert(&mut self, hash: u64, flow: Flow) -> Slot {
        if flow.is(Flow::SYN_SEEN) {
            return self.insert_syn(hash, Syn::of(&flow));
        }
        let slot = self.place(flow, Detail::default(), hash);
        self.index.insert(hash, slot, self.lone.window(), self.len());
        slot
    }

    /// The same for a lone SYN.
    pub fn insert_syn(&mut self, hash: u64, syn: Syn) -> Slot {
        self.settle();
        if self.lone.is_sparse() {
            self.close_gaps();
        }
        let place = self.lone.push(syn);
        let live = self.len();
        if self.index.insert(hash, LONE | place, self.lone.window(), live) {
            self.lone.set_apart(place);
        }
        LONE | place
    }

    fn place(&mut self, flow: Flow, detail: Detail, hash: u64) -> Slot {
        if self.whole.has_no_gap() && self.whole.len() >= FEW {
            self.pack_some(flow.last_ns);
        }
        self.oldest_ns = self.oldest_ns.min(flow.last_ns);
        self.walk_oldest_ns = self.walk_oldest_ns.min(flow.last_ns);
        self.whole.insert(Whole { flow, detail, hash })
    }

    /// Packs half-open connections that nothing was heard of for long.
    fn pack_some(&mut self, now_ns: i64) {
        for _ in 0..PACKING_REACH {
            let slot = advance(&mut self.packing, self.whole.places());
            let Some(whole) = self.whole.get(slot) else {
                continue;
            };
            let age_ns = now_ns.saturating_sub(whole.flow.last_ns);
            if age_ns < PATIENCE_NS || !Half::may_fit(&whole.flow, &whole.detail) {
                continue;
            }
            if let Some(half) = Half::pack(&whole.flow, &whole.detail) {
                let new = HALF | self.half.insert(half);
                self.index.replace(whole.hash, slot, new);
                self.whole.leave(slot);
            }
        }
    }

    /// Something came for a half-open connection that was packed.
    fn make_whole(&mut self, slot: Slot, hash: u64) -> Option<Slot> {
        let (flow, detail) = self.half.leave(slot & !HALF)?.unpack();
        let new = self.place(flow, detail, hash);
        self.index.replace(hash, slot, new);
        Some(new)
    }

    /// Moves every lone SYN to the end of the ring, in their order.
    fn close_gaps(&mut self) {
        for place in self.lone.places() {
            if let Some(left) = self.lone.take(place) {
                let hash = self.hasher.hash(&left.key());
                let apart = left.lone.is_apart();
                let syn = left.into_syn();
                self.append(LONE | place, syn, apart, hash);
            }
        }
        self.lone.oldest();
    }

    /// Puts a lone SYN that was taken from `old` to the end of the ring.
    fn append(&mut self, old: Slot, syn: Syn, apart: bool, hash: u64) -> Slot {
        let place = self.lone.push(syn);
        if apart {
            self.lone.set_apart(place);
        }
        self.index.replace(hash, old, LONE | place);
        LONE | place
    }

    /// Writes a lone SYN that was looked at back to its place.
    fn settle(&mut self) {
        if self.open.is_some() {
            self.write_back();
        }
    }

    #[cold]
    fn write_back(&mut self) {
        if let Some((slot, flow)) = self.open.take() {
            self.lone.set_flow(slot & !LONE, &flow);
        }
    }

    /// Unpacks the lone SYN in a slot.
    fn open(&mut self, slot: Slot) -> Option<&mut Flow> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != slot) {
            self.settle();
            self.open = Some((slot, self.lone.flow(slot & !LONE)?));
        }
        self.open.as_mut().map(|(_, flow)| flow)
    }

    /// Takes a lone SYN out of the ring; says whether its entry stands apart, and gives its hash.
    fn take_lone(&mut self, slot: Slot) -> Option<(Flow, bool, u64)> {
        self.open(slot)?;
        let (_, flow) = self.open.take()?;
        let apart = self.lone.take(slot & !LONE)?.lone.is_apart();
        let hash = self.hasher.hash(&flow.key);
        Some((flow, apart, hash))
    }

    /// A lone SYN was sent again: it is worth as much as one that just came. Gives its new slot.
    pub fn refresh(&mut self, slot: Slot) -> Slot {
        let Some((flow, apart, hash)) = self.take_lone(slot) else {
            return slot;
        };
        self.append(slot, Syn::of(&flow), apart, hash)
    }

    /// The flow in a slot.
    pub fn flow(&mut self, slot: Slot) -> Option<&Flow> {
        self.both_mut(slot).map(|(flow, _)| &*flow)
    }

    /// The flow in a slot, with its detail where it has one.
    pub fn both_mut(&mut self, slot: Slot) -> Option<(&mut Flow, Option<&mut Detail>)> {
        if is_lone(slot) {
            return self.open(slot).map(|flow| (flow, None));
        }
        let whole = self.whole.get_mut(slot)?;
        Some((&mut whole.flow, Some(&mut whole.detail)))
    }

    /// The flow in a slot with a detail, made if it is new; then it moves to another slot.
    pub fn with_detail(&mut self, slot: &mut Slot) -> Option<(&mut Flow, &mut Detail)> {
        if is_lone(*slot) {
            let (flow, _, hash) = self.take_lone(*slot)?;
            let new = self.place(flow, Detail::default(), hash);
            self.index.replace(hash, *slot, new);
            *slot = new;
        }
        let whole = self.whole.get_mut(*slot)?;
        Some((&mut whole.flow, &mut whole.detail))
    }

    /// Takes a flow out; its four-tuple is remembered.
    pub fn remove(&mut self, slot: Slot) -> Option<Removed<'_>> {
        self.settle();
        if is_half(slot) {
            let half = self.half.leave(slot & !HALF)?;
            self.index
                .leave(self.hasher.hash(&half.key()), slot, self.lone.window());
            return Some(Removed::Half(half));
        }
        if !is_lone(slot) {
            let whole = self.whole.leave(slot)?;
            self.index.leave(whole.hash, slot, self.lone.window());
            return Some(Removed::Whole(whole));
        }
        let (place, window) = (slot & !LONE, self.lone.window());
        // Where the ring begins behind it, its entry says that it has left.
        let is_said = window.first == place;
        let left = if is_said {
            self.lone.pop(place)?
        } else {
            self.lone.take(place)?
        };
        if left.lone.is_apart() || !is_said {
            let hash = self.hasher.hash(&left.key());
            self.index.leave(hash, slot, window);
        }
        Some(Removed::syn(left))
    }

    /// Takes a flow out when nothing more will be asked for.
    pub fn remove_at_end(&mut self, slot: Slot) -> Option<Removed<'_>> {
        self.settle();
        if is_lone(slot) {
            return self.lone.take(slot & !LONE).map(Removed::syn);
        }
        if is_half(slot) {
            return self.half.leave(slot & !HALF).map(|half| Removed::Half(half));
        }
        self.whole.leave(slot).map(Removed::Whole)
    }

    /// The lone SYN that was not heard of for longest, and when that was.
    pub fn oldest_lone(&mut self) -> Option<(Slot, i64)> {
        self.settle();
        let place = self.lone.oldest()?;
        Some((LONE | place, self.lone.last_ns(place)?))
    }

    /// The flow that is missed least.
    pub fn choose_victim(&mut self) -> Option<Victim> {
        let oldest = self.oldest_lone();
        // While they fill half of the table, nothing else is worth a look.
        let many = self.lone.len() * 2 >= self.limit;
        if let Some((slot, _)) = oldest.filter(|_| many) {
            return Some(Victim { slot, finished: false });
        }
        let mut best = oldest.map(|(slot, last_ns)| (Worth::HalfOpen, last_ns, slot));
        let mut seen = 0;
        let places = self.answered_places();
        for _ in 0..places {
            let nth = advance(&mut self.hand, places);
            let Some((slot, state, last_ns)) = self.answered(nth) else {
                continue;
            };
            let value = worth(state);
            if best.is_none_or(|(v, t, _)| (value, last_ns) < (v, t)) {
                best = Some((value, last_ns, slot));
            }
            seen += 1;
            if value == Worth::Finished || seen >= REACH {
                break;
            }
        }
        best.map(|(worth, _, slot)| Victim {
            slot,
            finished: worth == Worth::Finished,
        })
    }

    /// One step of a slow, endless walk over the whole connections, for timers: is the next one waiting for a packet since
    /// before `than_ns`?
    pub fn sweep(&mut self, than_ns: i64) -> Swept {
        if self.oldest_ns >= than_ns {
            return Swept::Nothing;
        }
        let places = self.answered_places();
        let nth = advance(&mut self.sweep, places);
        let waiting = self.answered(nth).filter(|&(_, state, _)| is_waiting(state));
        let stale = waiting.filter(|&(_, _, last_ns)| last_ns < than_ns);
        if let Some((_, _, last_ns)) = waiting.filter(|_| stale.is_none()) {
            self.walk_oldest_ns = self.walk_oldest_ns.min(last_ns);
        }
        if self.sweep == 0 {
            self.oldest_ns = std::mem::replace(&mut self.walk_oldest_ns, i64::MAX);
        }
        stale.map_or(Swept::Fresh, |(slot, _, _)| Swept::Stale(slot))
    }

    /// Places of what is more than a lone SYN, gaps included: whole ones first, and behind them those that are packed.
    const fn answered_places(&self) -> usize {
        self.whole.places() + self.half.places()
    }

    /// Slot, state and last time of what is at one of these places.
    fn answered(&self, nth: Slot) -> Option<(Slot, State, i64)> {
        let wholes = self.whole.places() as Slot;
        if nth < wholes {
            let flow = &self.whole.get(nth)?.flow;
            return Some((nth, flow.state, flow.last_ns));
        }
        let half = self.half.get(nth - wholes)?;
        Some((HALF | (nth - wholes), State::SynRecv, half.last_ns()))
    }

    /// What the ring does not hold in the order in which it began: whole connections, and SYNs that were sent again. Number
    /// and slot of each, by number.
    pub fn out_of_order(&mut self) -> Vec<(u64, Slot)> {
        self.settle();
        let whole = (0..self.whole.places() as Slot).filter_map(|slot| Some((self.whole.get(slot)?.flow.number, slot)));
        let half = (0..self.half.places() as Slot).filter_map(|nth| Some((self.half.get(nth)?.number(), HALF | nth)));
        let mut all: Vec<(u64, Slot)> = whole.chain(half).collect();
        let mut highest = 0;
        for place in self.lone.places() {
            match self.lone.number(place) {
                Some(number) if number < highest => all.push((number, LONE | place)),
                Some(number) => highest = number,
                None => {}
            }
        }
        all.sort_unstable();
        all
    }

    /// The places of the lone SYNs, be they gaps, in the order of the ring.
    pub fn lone_slots(&self) -> impl Iterator<Item = Slot> + use<> {
        self.lone.places().map(|place| LONE | place)
    }

    /// Number of the lone SYN in a slot; `None` for a gap.
    pub fn lone_number(&self, slot: Slot) -> Option<u64> {
        self.lone.number(slot & !LONE)
    }
}

/// Whether a slot is one of a lone SYN.
const fn is_lone(slot: Slot) -> bool {
    slot & LONE != 0
}

/// Whether a slot is one of a half-open connection that is packed.
const fn is_half(slot: Slot) -> bool {
    slot & (LONE | HALF) == HALF
}

/// The next one in a circle.
const fn advance(hand: &mut Slot, size: usize) -> Slot {
    let slot = *hand;
    *hand = if slot as usize + 1 >= size { 0 } else { slot + 1 };
    slot
}
