//! Hash to slot, and what was there before: buckets of one line of the processor's cache, so that nearly every look-up reads one.
//!
//! An entry holds 48 bits of the hash, and its place the others, so that a look-up reads a flow only where it is the right one,
//! and the table grows without looking at the flows. When a flow leaves the table its entry stays, until its place is
//! needed, and says that its four-tuple was there: late packets of it must not look like a connection from before the
//! capture, and a new SYN on it is a reused port. For one such false memory, 10^13 look-ups are needed.
//!
//! A lone SYN that leaves the ring at its end ([`crate::ring`]) leaves its entry as it is: that it points outside of the ring
//! says it all. So a SYN of a flood costs one line of memory: where it is not found, it is put, over the oldest of those that
//! are gone. Flows that find six others in their bucket stand apart.

use std::collections::BTreeSet;

use crate::fetch::Fetch;

/// A slot number: a lone SYN's place in the ring with [`LONE`] set, or a place in a slab, with [`HALF`] set or without.
pub type Slot = u32;

/// Set in the slots of lone SYNs.
pub const LONE: Slot = 1 << 30;

/// Set in the slots of half-open connections.
pub const HALF: Slot = 1 << 29;

/// Entries of a bucket.
const WAYS: usize = 6;
/// The other kinds of an entry: four-tuples that are remembered, with the time of the ring when they left.
const PAST: u32 = 2 << 30;
const MIDSTREAM: u32 = 3 << 30;
const KIND: u32 = 3 << 30;
/// Times of the ring are numbered modulo this.
const TIME: u32 = LONE - 1;

/// At least as many as the upper 16 bits of a hash choose: the entry holds the other 48. 4 MiB.
const FEWEST_BITS: u32 = 16;
/// For the sake of what is only remembered it grows no further: 32 MiB, three million entries.
const REMEMBERING_BITS: u32 = 19;

/// Which places of the ring are in use: what is outside has left it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    /// The oldest.
    pub first: u32,
    /// How many.
    pub places: u32,
}

/// What is known of a four-tuple.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// It is in the table, here.
    Live(Slot),
    /// It was.
    Past,
    /// It was there before the capture.
    Midstream,
}

#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
struct Bucket {
    /// Bits 0 to 31 of the hashes.
    low: [u32; WAYS],
    /// Whole connections: slot plus one, 0 where there is none. Lone SYNs: the slot. What is remembered: the kind and the time.
    entries: [u32; WAYS],
    /// Bits 32 to 47.
    high: [u16; WAYS],
    /// Flows that belong here and stand apart.
    apart: u32,
}

impl Bucket {
    /// One bit for each entry with these bits of the hash.
    fn with_hash(&self, hash: u64) -> u32 {
        let low = self.low.iter().zip(0..).map(|(&l, n)| u32::from(l == hash as u32) << n);
        let mut same = low.sum::<u32>();
        // Where the low half is the same, the high one nearly always is.
        if same != 0 {
            let high = self.high.iter().zip(0..);
            let differs = high.map(|(&h, n)| u32::from(h != (hash >> 32) as u16) << n);
            same &= !differs.sum::<u32>();
        }
        same
    }

    fn position(&self, entry: u32) -> Option<usize> {
        self.entries.iter().position(|&e| e == entry)
    }

    fn write(&mut self, way: usize, hash: u64, entry: u32) {
        self.low[way] = hash as u32;
        self.high[way] = (hash >> 32) as u16;
        self.entries[way] = entry;
    }

    /// Where an entry of this hash can be written: over what is remembered of the same one, to an empty place, over the one
    /// that left first. `None` where all are in use.
    fn room(&self, hash: u64, window: Window) -> Option<usize> {
        let same = self.with_hash(hash);
        let mut best = (0, 0);
        for (way, &entry) in self.entries.iter().enumerate() {
            let age = age(entry, window);
            let is_same = same >> way & 1 != 0;
            // Of those that left at one time, any.
            let nth = (way as u64).wrapping_add(hash) & 7;
            let value = u64::from(if is_same { u32::MAX } else { age }) << 3 | nth;
            if age != 0 && value >= best.0 {
                best = (value, way);
            }
        }
        (best.0 != 0).then_some(best.1)
    }
}

/// How long ago, in places of the ring, what an entry is about left the table: 0 where it has not, much where there is nothing.
///
/// Without branches: what stands in a bucket of a flood is anybody's guess, and so would be the way of each.
#[allow(clippy::needless_bitwise_bool)] // the lazy ones are branches
const fn age(entry: u32, window: Window) -> u32 {
    const EMPTY: u32 = u32::MAX - 1;
    let (kind, place) = (entry & KIND, entry.wrapping_sub(window.first) & TIME);
    let is_whole = (kind == 0) & (entry != 0);
    let is_lone = (kind == LONE) & (place < window.places);
    let gone = (place.wrapping_neg() & TIME) + 1;
    let age = if is_whole | is_lone { 0 } else { gone };
    if entry == 0 { EMPTY } else { age }
}

const fn entry_of(slot: Slot) -> u32 {
    if slot & LONE == 0 { slot + 1 } else { slot }
}

/// The slot that an entry names, if it is in use.
const fn slot_of(entry: u32, window: Window) -> Option<Slot> {
    match entry & KIND {
        0 if entry != 0 => Some(entry - 1),
        LONE if age(entry, window) == 0 => Some(entry),
        _ => None,
    }
}

/// The table.
#[derive(Debug)]
pub struct Index {
    buckets: Vec<Bucket>,
    bits: u32,
    /// Entries that are not empty.
    len: usize,
    /// Hash and slot of those that found no place in their bucket.
    apart: BTreeSet<(u64, Slot)>,
}

impl Index {
    /// Empty.
    pub fn new() -> Self {
        Self::with_bits(FEWEST_BITS)
    }

    fn with_bits(bits: u32) -> Self {
        Self {
            buckets: vec![Bucket::default(); 1 << bits],
            bits,
            len: 0,
            apart: BTreeSet::new(),
        }
    }

    const fn home(&self, hash: u64) -> usize {
        (hash >> (u64::BITS - self.bits)) as usize
    }

    /// Asks for the bucket where `hash` belongs.
    pub fn fetch<F: Fetch>(&self, hash: u64) {
        F::fetch(&self.buckets[self.home(hash)]);
    }

    /// A slot of the same hash in that bucket, if there is one: very likely the one that will be found.
    pub fn guess(&self, hash: u64, window: Window) -> Option<Slot> {
        let bucket = &self.buckets[self.home(hash)];
        let way = bucket.with_hash(hash).trailing_zeros() as usize;
        slot_of(*bucket.entries.get(way)?, window)
    }

    /// What is known of a hash, and of the flow for which `is_it` holds.
    pub fn find(&self, hash: u64, window: Window, is_it: impl Fn(Slot) -> bool) -> Option<Found> {
        let bucket = &self.buckets[self.home(hash)];
        let mut remembered = None;
        let mut same = bucket.with_hash(hash);
        while same != 0 {
            let entry = bucket.entries[same.trailing_zeros() as usize];
            same &= same - 1;
            match slot_of(entry, window) {
                Some(slot) if is_it(slot) => return Some(Found::Live(slot)),
                Some(_) => {}
                None if entry == 0 => {}
                None if entry & KIND == MIDSTREAM => remembered = remembered.or(Some(Found::Midstream)),
                None => remembered = Some(Found::Past),
            }
        }
        if bucket.apart != 0 {
            let mut apart = self.apart.range((hash, 0)..=(hash, Slot::MAX));
            if let Some(&(_, slot)) = apart.find(|&&(_, slot)| is_it(slot)) {
                return Some(Found::Live(slot));
            }
        }
        remembered
    }

    /// Adds one of `live` flows. Says whether it stands apart: then a lone SYN's place in the ring is not enough to say that
    /// it has left, and [`Index::leave`] must be called.
    pub fn insert(&mut self, hash: u64, slot: Slot, window: Window, live: usize) -> bool {
        let ways = self.buckets.len() * WAYS;
        if self.bits < REMEMBERING_BITS && self.len * 2 > ways || live * 5 > ways * 2 {
            self.grow(window);
        }
        if self.put(hash, entry_of(slot), window) {
            return false;
        }
        let home = self.home(hash);
        self.buckets[home].apart += 1;
        self.apart.insert((hash, slot));
        true
    }

    /// Writes an entry to its bucket, if there is room.
    fn put(&mut self, hash: u64, entry: u32, window: Window) -> bool {
        let home = self.home(hash);
        let bucket = &mut self.buckets[home];
        let Some(way) = bucket.room(hash, window) else {
            return false;
        };
        self.len += usize::from(bucket.entries[way] == 0);
        bucket.write(way, hash, entry);
        true
    }

    #[cold]
    fn grow(&mut self, window: Window) {
        // Four times: half as many pages are touched on the way to a large table as with twice.
        let most = REMEMBERING_BITS.max(self.bits + 1);
        let mut larger = Self::with_bits((self.bits + 2).min(most));
        for (bucket, home) in self.buckets.iter().zip(0u64..) {
            let upper = home << (u64::BITS - self.bits) & !(u64::MAX >> FEWEST_BITS);
            for (way, &entry) in bucket.entries.iter().enumerate().filter(|(_, entry)| **entry != 0) {
                let hash = upper | u64::from(bucket.high[way]) << 32 | u64::from(bucket.low[way]);
                larger.put(hash, entry, window);
            }
        }
        let apart = std::mem::take(&mut self.apart);
        *self = larger;
        for (hash, slot) in apart {
            // It stands apart for ever: its owner does not know that there is room now.
            let home = self.home(hash);
            self.buckets[home].apart += 1;
            self.apart.insert((hash, slot));
        }
    }

    /// What was in one slot is in another now.
    pub fn replace(&mut self, hash: u64, old: Slot, new: Slot) {
        let home = self.home(hash);
        let bucket = &mut self.buckets[home];
        if let Some(way) = bucket.position(entry_of(old)) {
            bucket.entries[way] = entry_of(new);
        } else if self.apart.remove(&(hash, old)) {
            self.apart.insert((hash, new));
        }
    }

    /// A flow has left the table, and is remembered.
    pub fn leave(&mut self, hash: u64, slot: Slot, window: Window) {
        let home = self.home(hash);
        let bucket = &mut self.buckets[home];
        if let Some(way) = bucket.position(entry_of(slot)) {
            bucket.entries[way] = PAST | window.first & TIME;
        } else if self.apart.remove(&(hash, slot)) {
            bucket.apart -= 1;
            self.put(hash, PAST | window.first & TIME, window);
        }
    }

    /// A four-tuple was there before the capture.
    pub fn remember_midstream(&mut self, hash: u64, window: Window) {
        let ways = self.buckets.len() * WAYS;
        if self.bits < REMEMBERING_BITS && self.len * 2 > ways {
            self.grow(window);
        }
        self.put(hash, MIDSTREAM | window.first & TIME, window);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_LONE: Window = Window { first: 0, places: 0 };

    /// `homes` buckets, so that some overflow.
    fn hash(n: u32, homes: u64) -> u64 {
        let mixed = u64::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((mixed >> 40) % homes) << 48 | mixed >> 16
    }

    #[test]
    fn what_is_put_in_is_found_until_it_leaves() {
        for homes in [1000, 1 << 16] {
            let mut index = Index::new();
            let hash = |n| hash(n, homes);
            for slot in 0..10_000 {
                index.insert(hash(slot), slot, NO_LONE, slot as usize);
            }
            assert_eq!(index.apart.is_empty(), homes != 1000);
            for slot in (0..10_000).step_by(3) {
                index.leave(hash(slot), slot, NO_LONE);
                index.leave(hash(slot), slot, NO_LONE);
            }
            index.replace(hash(1), 1, 20_000);
            for slot in 0..10_000 {
                let found = index.find(hash(slot), NO_LONE, |s| s == slot);
                let live = slot % 3 != 0 && slot != 1;
                assert_eq!(found == Some(Found::Live(slot)), live, "{slot} of {homes}");
                assert!(live || homes == 1000 || slot == 1 || found == Some(Found::Past));
            }
            let moved = index.find(hash(1), NO_LONE, |s| s == 20_000);
            assert_eq!(moved, Some(Found::Live(20_000)));
            for slot in 0..10_000 {
                index.leave(hash(slot), if slot == 1 { 20_000 } else { slot }, NO_LONE);
            }
            assert!(index.apart.is_empty() && index.buckets.iter().all(|b| b.apart == 0));
        }
    }

    #[test]
    fn it_grows_without_losing_anything() {
        let mut index = Index::new();
        // The first ones so that some stand apart.
        let hash = |n| hash(n, if n < 20_000 { 2000 } else { 1 << 16 });
        for slot in 0..800_000 {
            index.insert(hash(slot), slot, NO_LONE, slot as usize);
        }
        assert_eq!(index.bits, REMEMBERING_BITS);
        assert!(!index.apart.is_empty());
        assert!((0..800_000).all(|slot| index.find(hash(slot), NO_LONE, |s| s == slot) == Some(Found::Live(slot))));
        // Many live ones make it larger than what is remembered may.
        for slot in 800_000..1_300_000 {
            index.insert(hash(slot), slot, NO_LONE, slot as usize);
        }
        assert_eq!(index.bits, REMEMBERING_BITS + 1);
        assert!((0..1_300_000).all(|slot| index.find(hash(slot), NO_LONE, |s| s == slot) == Some(Found::Live(slot))));
    }

    #[test]
    fn a_lone_syn_outside_of_the_ring_is_remembered_and_makes_room_in_its_order() {
        let mut index = Index::new();
        // All in one bucket; the ring holds the last three.
        let hash = |n: u32| u64::from(n) * 0x1_0001;
        for n in 0..WAYS as u32 {
            let window = Window {
                first: n.saturating_sub(3),
                places: 3,
            };
            assert!(!index.insert(hash(n), LONE | n, window, 3));
        }
        let window = Window { first: 3, places: 3 };
        let find = |index: &Index, n| index.find(hash(n), window, |s| s == LONE | n);
        assert_eq!(find(&index, 2), Some(Found::Past));
        assert_eq!(find(&index, 3), Some(Found::Live(LONE | 3)));
        index.remember_midstream(hash(77), window);
        assert_eq!(find(&index, 0), None);
        assert_eq!(find(&index, 1), Some(Found::Past));
        assert_eq!(find(&index, 77), Some(Found::Midstream));
        // Of the same four-tuple nothing older is left.
        index.insert(hash(77), 5, window, 4);
        assert_eq!(index.find(hash(77), window, |s| s == 5), Some(Found::Live(5)));
        index.leave(hash(77), 5, window);
        assert_eq!(find(&index, 77), Some(Found::Past));
        assert_eq!(find(&index, 1), Some(Found::Past));
        // When all are in use, the next one stands apart; when it leaves, nobody makes room for the memory of it.
        for slot in 10..13 {
            assert!(!index.insert(hash(slot), slot, window, 4));
        }
        assert!(index.insert(hash(13), 13, window, 7));
        assert_eq!(index.find(hash(13), window, |s| s == 13), Some(Found::Live(13)));
        index.leave(hash(13), 13, window);
        assert_eq!(index.find(hash(13), window, |s| s == 13), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut index = Index::new();
        for n in 0..3_500_000 {
            index.remember_midstream(hash(n, 1 << 16), NO_LONE);
        }
        assert_eq!(index.bits, REMEMBERING_BITS);
        let last = (3_490_000..3_500_000).filter(|&n| index.find(hash(n, 1 << 16), NO_LONE, |_| true).is_some());
        assert!(last.count() > 9_900);
    }

    #[test]
    fn a_bucket_is_one_cache_line() {
        assert_eq!(size_of::<Bucket>(), 64);
    }
}
