//! Connections of one form, each at a place that stays the same while it is there.
//!
//! They stand in chunks that never move, so that the table grows without copying, and the place that was left last is
//! the first to be filled again: it is still in the cache.

use crate::detail::Detail;
use crate::flow::Flow;
use crate::index::Slot;

/// 65 536 connections, whole ones 27 MB: some huge pages, and little over (`halfopen_kernel::memory`).
const CHUNK_BITS: u32 = 16;
const CHUNK: usize = 1 << CHUNK_BITS;

/// A connection of which more than a SYN was seen.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Whole {
    /// The fixed part.
    pub flow: Flow,
    /// The rest.
    pub detail: Detail,
    /// Of its key.
    pub hash: u64,
}

impl Whole {
    /// Moves it away from a place that it has left.
    pub fn take(&mut self) -> Self {
        let rare = self.detail.rare.take();
        Self {
            flow: self.flow.clone(),
            detail: Detail { rare, ..self.detail },
            hash: self.hash,
        }
    }
}

impl Gap for Whole {
    fn is_gap(&self) -> bool {
        self.flow.is(Flow::GONE)
    }

    fn make_gap(&mut self) {
        self.flow.marks |= Flow::GONE;
    }
}

/// What can say that it is not there any more.
pub trait Gap {
    /// Whether it is not there.
    fn is_gap(&self) -> bool;

    /// From now on it is not.
    fn make_gap(&mut self);
}

/// The connections.
#[derive(Debug)]
pub struct Slab<T> {
    chunks: Vec<Vec<T>>,
    /// Gaps.
    free: Vec<Slot>,
    /// Places, gaps included.
    places: usize,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            free: Vec::new(),
            places: 0,
        }
    }
}

impl<T: Gap> Slab<T> {
    /// How many connections there are.
    pub const fn len(&self) -> usize {
        self.places - self.free.len()
    }

    /// Whether the next one needs a place that was not there before.
    pub const fn has_no_gap(&self) -> bool {
        self.free.is_empty()
    }

    /// Places, gaps included: the slots are the numbers below.
    pub const fn places(&self) -> usize {
        self.places
    }

    fn place(&self, slot: Slot) -> Option<&T> {
        let chunk = self.chunks.get(slot as usize >> CHUNK_BITS)?;
        chunk.get(slot as usize & (CHUNK - 1))
    }

    /// The connection in a slot.
    pub fn get(&self, slot: Slot) -> Option<&T> {
        self.place(slot).filter(|one| !one.is_gap())
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        let chunk = self.chunks.get_mut(slot as usize >> CHUNK_BITS)?;
        chunk.get_mut(slot as usize & (CHUNK - 1)).filter(|one| !one.is_gap())
    }

    /// What stands in a slot, be it a gap: to be asked for ahead.
    pub fn peek(&self, slot: Slot) -> Option<&T> {
        self.place(slot)
    }

    /// Adds one; gives its slot.
    pub fn insert(&mut self, one: T) -> Slot {
        if let Some(slot) = self.free.pop() {
            self.chunks[slot as usize >> CHUNK_BITS][slot as usize & (CHUNK - 1)] = one;
            return slot;
        }
        if self.places.is_multiple_of(CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        self.chunks[self.places >> CHUNK_BITS].push(one);
        self.places += 1;
        self.places as Slot - 1
    }

    /// Makes a gap of a place. What stood there still does, until the place is filled again.
    pub fn leave(&mut self, slot: Slot) -> Option<&mut T> {
        let chunk = self.chunks.get_mut(slot as usize >> CHUNK_BITS)?;
        let one = chunk.get_mut(slot as usize & (CHUNK - 1))?;
        if one.is_gap() {
            return None;
        }
        one.make_gap();
        self.free.push(slot);
        Some(one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detail::Rare;
    use crate::fingerprint::Fingerprint;
    use crate::frame_ref::FrameRef;
    use crate::key::Key;
    use crate::packed::PackedOptions;
    use crate::record::Anomalies;
    use crate::state::State;
    use halfopen_wire::{Address, EncapId};

    fn whole(number: u64) -> Whole {
        let nobody = Address::from_v4([0; 4]);
        Whole {
            flow: Flow {
                key: Key::new(nobody, 1, nobody, 2, EncapId::NONE).0,
                last_ns: 0,
                isn_client: 0,
                marks: 0,
                state: State::Established,
                ttl_client: 0,
                encap: EncapId::NONE,
                start_ns: 0,
                number,
                frame_syn: FrameRef::new(0, 1),
                client_options: PackedOptions::default(),
                last_syn: Fingerprint::NONE,
                syn_data: 0,
                syn_sent: 0,
                anomalies: Anomalies::default(),
            },
            detail: Detail {
                rare: Some(Box::new(Rare::default())),
                ..Detail::default()
            },
            hash: number,
        }
    }

    #[test]
    fn places_stay_and_the_last_gap_is_filled_first() {
        let mut slab = Slab::default();
        let slots: Vec<Slot> = (0..70_000).map(|n| slab.insert(whole(n))).collect();
        for &slot in slots.iter().step_by(3) {
            let left = slab.leave(slot).map(Whole::take);
            assert!(left.is_some_and(|w| w.hash == u64::from(slot) && w.detail.rare.is_some()));
            assert!(slab.get(slot).is_none() && slab.get_mut(slot).is_none() && slab.leave(slot).is_none());
        }
        assert_eq!((slab.len(), slab.places()), (46_666, 70_000));
        assert_eq!(slab.insert(whole(7)), 69_999);
        for slot in slots.iter().copied().filter(|slot| slot % 3 != 0) {
            assert_eq!(slab.get(slot).map(|w| w.flow.number), Some(u64::from(slot)));
        }
        assert!(slab.get(70_000).is_none() && slab.peek(70_000).is_none());
    }
}
