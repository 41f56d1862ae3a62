//! Hash to slot: buckets of one line of the processor's cache, so that nearly every look-up reads one.
//!
//! An entry holds half of the hash, so a look-up reads a flow only where it is very likely the right one, and the table
//! grows without looking at the flows. What finds its bucket full goes to the next one, and each bucket that it passed
//! counts it: a look-up ends at the first that nobody passed, and taking an entry out moves no other.

use crate::fetch::Fetch;

/// A slot number: of what, is the owner's affair.
pub type Slot = u32;

/// Entries of a bucket.
const WAYS: usize = 7;

#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
struct Bucket {
    /// Upper halves of the hashes; the last one is none.
    tags: [u32; WAYS + 1],
    /// Slots, plus one; 0 where there is none.
    slots_plus_one: [u32; WAYS],
    /// Entries that passed this bucket.
    passed: u32,
}

impl Bucket {
    /// One bit for each entry with this tag (and for empty ones that had it).
    fn with_tag(&self, tag: u32) -> u32 {
        let bits = self.tags.iter().zip(0..).map(|(&t, n)| u32::from(t == tag) << n);
        bits.sum::<u32>() & ((1 << WAYS) - 1)
    }

    /// Where a slot stands. Without a loop that ends early: where it ends would be a guess of the processor's.
    fn position(&self, slot_plus_one: u32) -> Option<usize> {
        let bits = self.slots_plus_one.iter().zip(0..);
        let found: u32 = bits.map(|(&s, n)| u32::from(s == slot_plus_one) << n).sum();
        (found != 0).then(|| found.trailing_zeros() as usize)
    }
}

/// The hash's upper half is the tag, and chooses the place.
#[derive(Debug)]
pub struct Index {
    buckets: Vec<Bucket>,
    mask: usize,
    len: usize,
}

const fn tag_of(hash: u64) -> u32 {
    (hash >> 32) as u32
}

impl Index {
    /// Empty.
    pub fn new() -> Self {
        Self::with_size(1 << 10)
    }

    fn with_size(size: usize) -> Self {
        Self {
            buckets: vec![Bucket::default(); size],
            mask: size - 1,
            len: 0,
        }
    }

    /// Homes are taken from the tag, so that entries can be moved without their keys.
    const fn home(&self, tag: u32) -> usize {
        tag as usize & self.mask
    }

    /// Asks for the bucket where `hash` belongs.
    pub fn fetch<F: Fetch>(&self, hash: u64) {
        F::fetch(&self.buckets[self.home(tag_of(hash))]);
    }

    /// A slot of the same tag in that bucket, if there is one: very likely the one that will be found.
    pub fn guess(&self, hash: u64) -> Option<Slot> {
        let tag = tag_of(hash);
        let bucket = &self.buckets[self.home(tag)];
        let found = bucket.with_tag(tag).trailing_zeros() as usize;
        bucket.slots_plus_one.get(found)?.checked_sub(1)
    }

    /// The slot of a hash for which `is_it` holds.
    pub fn find(&self, hash: u64, is_it: impl Fn(Slot) -> bool) -> Option<Slot> {
        let tag = tag_of(hash);
        let mut at = self.home(tag);
        loop {
            let bucket = &self.buckets[at];
            let mut found = bucket.with_tag(tag);
            while found != 0 {
                let slot_plus_one = bucket.slots_plus_one[found.trailing_zeros() as usize];
                if slot_plus_one != 0 && is_it(slot_plus_one - 1) {
                    return Some(slot_plus_one - 1);
                }
                found &= found - 1;
            }
            if bucket.passed == 0 {
                return None;
            }
            at = (at + 1) & self.mask;
        }
    }

    /// Adds a slot.
    pub fn insert(&mut self, hash: u64, slot: Slot) {
        if self.len * 7 >= self.buckets.len() * WAYS * 4 {
            self.grow();
        }
        self.put(tag_of(hash), slot + 1);
    }

    fn put(&mut self, tag: u32, slot_plus_one: u32) {
        let mut at = self.home(tag);
        loop {
            let bucket = &mut self.buckets[at];
            if let Some(empty) = bucket.position(0) {
                bucket.tags[empty] = tag;
                bucket.slots_plus_one[empty] = slot_plus_one;
                self.len += 1;
                return;
            }
            bucket.passed += 1;
            at = (at + 1) & self.mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        // Four times: half as many pages are touched on the way to a large table as with twice.
        let mut larger = Self::with_size(self.buckets.len() * 4);
        for bucket in &self.buckets {
            for (&tag, &slot) in bucket.tags.iter().zip(&bucket.slots_plus_one) {
                if slot != 0 {
                    larger.put(tag, slot);
                }
            }
        }
        *self = larger;
    }

    fn place(&self, hash: u64, slot: Slot) -> Option<(usize, usize)> {
        let mut at = self.home(tag_of(hash));
        loop {
            let bucket = &self.buckets[at];
            if let Some(way) = bucket.position(slot + 1) {
                return Some((at, way));
            }
            if bucket.passed == 0 {
                return None;
            }
            at = (at + 1) & self.mask;
        }
    }

    /// What was in one slot is in another now.
    pub fn replace(&mut self, hash: u64, old: Slot, new: Slot) {
        if let Some((at, way)) = self.place(hash, old) {
            self.buckets[at].slots_plus_one[way] = new + 1;
        }
    }

    /// Takes a slot out.
    pub fn remove(&mut self, hash: u64, slot: Slot) {
        let Some((at, way)) = self.place(hash, slot) else {
            return;
        };
        self.buckets[at].slots_plus_one[way] = 0;
        self.len -= 1;
        let mut passed = self.home(tag_of(hash));
        while passed != at {
            self.buckets[passed].passed -= 1;
            passed = (passed + 1) & self.mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_found_until_it_is_taken_out() {
        let mut index = Index::new();
        // Few distinct homes, so that buckets overflow, also around the end.
        let hash = |slot: u32| u64::from(slot.wrapping_mul(0x9E37_79B9) | 0x0000_0FF0) << 32;
        for slot in 0..10_000 {
            index.insert(hash(slot), slot);
        }
        for slot in (0..10_000).step_by(3) {
            index.remove(hash(slot), slot);
            index.remove(hash(slot), slot);
        }
        index.replace(hash(1), 1, 20_000);
        for slot in 0..10_000 {
            let found = index.find(hash(slot), |s| s == slot);
            assert_eq!(found, (slot % 3 != 0 && slot != 1).then_some(slot));
        }
        assert_eq!(index.find(hash(1), |s| s == 20_000), Some(20_000));
        assert_eq!(index.len, 6_666);
        for slot in 0..10_000 {
            index.remove(hash(slot), if slot == 1 { 20_000 } else { slot });
        }
        assert_eq!(index.len, 0);
        assert!(index.buckets.iter().all(|b| b.passed == 0));
    }

    #[test]
    fn a_bucket_is_one_cache_line() {
        assert_eq!(size_of::<Bucket>(), 64);
    }
}
