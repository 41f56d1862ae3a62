//! Which four-tuples were there before: a bounded memory of fingerprints, 8 bytes each.
//!
//! After a flow has left the table, late packets of it must not look like a new midstream connection, and a new SYN on
//! it is a reused port. Before a flow is in the table, midstream connections are counted once each. A fingerprint is 62
//! bits of the hash: one false match in 10^12 at a million entries.

use crate::fetch::Fetch;

/// Why a four-tuple is remembered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// Its handshake was judged and written.
    Finished,
    /// It was pushed out of the full table.
    Evicted,
    /// It was there before the capture.
    Midstream,
}

const WAYS: usize = 8;

/// The set. Eight-way buckets: when one is full its oldest entry is overwritten.
#[derive(Debug)]
pub struct SeenSet {
    slots: Vec<u64>,
    mask: usize,
    len: usize,
    limit: usize,
    /// Not yet in their buckets, which were asked for: by the time a group is written, they have come.
    waiting: Vec<(u64, Seen)>,
    /// One bit for each of them, chosen by the hash: nearly every look-up sees that its four-tuple is not waiting.
    waiting_bits: [u64; 8],
}

/// How many writes are done together.
const GROUP: usize = 32;

const fn encode(hash: u64, seen: Seen) -> u64 {
    // Never 0, which is the empty slot: the two low bits are 1, 2 or 3.
    hash & !3 | (seen as u64 + 1)
}

impl SeenSet {
    /// Remembers up to `limit` four-tuples (rounded up to a power of two, at least 1024), and grows towards that.
    pub fn new(limit: usize) -> Self {
        let start = 1024;
        Self {
            slots: vec![0; start],
            mask: start / WAYS - 1,
            len: 0,
            limit: limit.next_power_of_two().max(start),
            waiting: Vec::with_capacity(GROUP),
            waiting_bits: [0; 8],
        }
    }

    fn bucket(&self, hash: u64) -> usize {
        ((hash >> 24) as usize & self.mask) * WAYS
    }

    /// Asks for the place of `hash`.
    pub fn fetch<F: Fetch>(&self, hash: u64) {
        F::fetch(&self.slots[self.bucket(hash)]);
    }

    fn may_wait(&self, hash: u64) -> bool {
        self.waiting_bits[hash as usize >> 3 & 7] & 1 << (hash >> 6 & 63) != 0
    }

    /// What is remembered of a four-tuple.
    pub fn get(&self, hash: u64) -> Option<Seen> {
        if self.may_wait(hash) {
            let same = |&&(h, _): &&(u64, Seen)| h & !3 == hash & !3;
            if let Some(&(_, seen)) = self.waiting.iter().rev().find(same) {
                return Some(seen);
            }
        }
        let at = self.bucket(hash);
        // The newest stand first, so an empty slot ends the bucket.
        let bucket = self.slots[at..at + WAYS].iter().take_while(|&&s| s != 0);
        let found = bucket.copied().find(|s| s & !3 == hash & !3)?;
        Some(match found & 3 {
            1 => Seen::Finished,
            2 => Seen::Evicted,
            _ => Seen::Midstream,
        })
    }

    /// Remembers, or changes why.
    pub fn put<F: Fetch>(&mut self, hash: u64, seen: Seen) {
        self.fetch::<F>(hash);
        self.waiting.push((hash, seen));
        self.waiting_bits[hash as usize >> 3 & 7] |= 1 << (hash >> 6 & 63);
        if self.waiting.len() < GROUP {
            return;
        }
        let mut group = std::mem::take(&mut self.waiting);
        for (hash, seen) in group.drain(..) {
            self.write(hash, seen);
        }
        self.waiting = group;
        self.waiting_bits = [0; 8];
    }

    fn write(&mut self, hash: u64, seen: Seen) {
        if self.len * 2 > self.slots.len() && self.slots.len() < self.limit {
            self.grow();
        }
        let at = self.bucket(hash);
        let bucket = &mut self.slots[at..at + WAYS];
        if let Some(slot) = bucket.iter_mut().find(|s| **s != 0 && **s & !3 == hash & !3) {
            *slot = encode(hash, seen);
            return;
        }
        if bucket[WAYS - 1] == 0 {
            self.len += 1;
        }
        // Newest first: the last one falls out.
        bucket.copy_within(0..WAYS - 1, 1);
        bucket[0] = encode(hash, seen);
    }

    fn grow(&mut self) {
        let old = std::mem::take(&mut self.slots);
        self.slots = vec![0; (old.len() * 4).min(self.limit)];
        self.mask = self.slots.len() / WAYS - 1;
        self.len = 0;
        for bucket in old.chunks_exact(WAYS) {
            for &s in bucket.iter().rev().filter(|&&s| s != 0) {
                let at = self.bucket(s);
                let bucket = &mut self.slots[at..at + WAYS];
                if bucket[WAYS - 1] == 0 {
                    self.len += 1;
                }
                bucket.copy_within(0..WAYS - 1, 1);
                bucket[0] = s;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Unfetched;

    #[test]
    fn remembers_changes_and_stays_bounded() {
        let mut set = SeenSet::new(4096);
        let spread = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for i in 1..1000 {
            set.put::<Unfetched>(spread(i), Seen::Midstream);
        }
        assert!((1..1000).all(|i| set.get(spread(i)) == Some(Seen::Midstream)));
        set.put::<Unfetched>(spread(5), Seen::Finished);
        assert_eq!(set.get(spread(5)), Some(Seen::Finished));
        assert_eq!(set.get(spread(5000)), None);
        for i in 1..1_000_000 {
            set.put::<Unfetched>(spread(i), Seen::Evicted);
        }
        assert_eq!(set.slots.len(), 4096);
        assert_eq!(set.get(spread(999_999)), Some(Seen::Evicted));
    }
}
