//! Lone SYNs in the order in which they were sent last, each at a place that stays the same while it is there.
//!
//! New ones are written behind one another and the oldest are read in the same order, so that memory is walked through
//! in one direction: the processor fetches it ahead. One that leaves from the middle leaves a gap; when there are more
//! gaps than SYNs, [`Ring::is_sparse`] says that it is time to close them up.

use std::collections::VecDeque;

use crate::lone::Lone;

/// 65 536 SYNs: 4 MiB, two huge pages (`halfopen_kernel::memory`).
const CHUNK_BITS: u32 = 16;
const CHUNK: usize = 1 << CHUNK_BITS;
/// Places are numbered modulo this: far more than there are at a time.
const MASK: u32 = (1 << 30) - 1;
/// Fewer places than these are never called sparse.
const FEW: usize = 4096;

#[derive(Debug, Default)]
struct Chunk {
    lone: Vec<Lone>,
    hashes: Vec<u64>,
}

/// The queue.
#[derive(Debug)]
pub struct Ring {
    chunks: VecDeque<Chunk>,
    /// Place of the first one of the first chunk.
    base: u32,
    /// How many of the first chunk have left.
    head: usize,
    /// Places in use, gaps included.
    places: usize,
    /// SYNs.
    len: usize,
    /// The chunk that was emptied last: the next one to be filled.
    spare: Option<Chunk>,
}

impl Ring {
    /// Empty.
    pub const fn new() -> Self {
        Self {
            chunks: VecDeque::new(),
            base: 0,
            head: 0,
            places: 0,
            len: 0,
            spare: None,
        }
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are more gaps than SYNs.
    pub const fn is_sparse(&self) -> bool {
        self.places > 2 * self.len + FEW
    }

    /// Adds the latest; gives its place.
    pub fn push(&mut self, lone: Lone, hash: u64) -> u32 {
        let end = self.head + self.places;
        if end >> CHUNK_BITS == self.chunks.len() {
            let chunk = self.spare.take().unwrap_or_else(|| Chunk {
                lone: Vec::with_capacity(CHUNK),
                hashes: Vec::with_capacity(CHUNK),
            });
            self.chunks.push_back(chunk);
        }
        let chunk = &mut self.chunks[end >> CHUNK_BITS];
        chunk.lone.push(lone);
        chunk.hashes.push(hash);
        self.places += 1;
        self.len += 1;
        self.base.wrapping_add(end as u32) & MASK
    }

    fn find(&self, place: u32) -> (usize, usize) {
        let offset = (place.wrapping_sub(self.base) & MASK) as usize;
        (offset >> CHUNK_BITS, offset & (CHUNK - 1))
    }

    /// The SYN at a place.
    pub fn get(&self, place: u32) -> Option<&Lone> {
        let (chunk, at) = self.find(place);
        self.chunks.get(chunk)?.lone.get(at).filter(|l| !l.is_gone())
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, place: u32) -> Option<&mut Lone> {
        let (chunk, at) = self.find(place);
        self.chunks.get_mut(chunk)?.lone.get_mut(at).filter(|l| !l.is_gone())
    }

    /// Takes one away.
    pub fn take(&mut self, place: u32) -> Option<(Lone, u64)> {
        let (chunk, at) = self.find(place);
        let chunk = self.chunks.get_mut(chunk)?;
        let lone = chunk.lone.get_mut(at).filter(|l| !l.is_gone())?;
        let taken = std::mem::replace(lone, Lone::gone());
        self.len -= 1;
        Some((taken, chunk.hashes[at]))
    }

    /// The place of the oldest.
    pub fn oldest(&mut self) -> Option<u32> {
        while self.places > 0 {
            if self.chunks[0].lone[self.head].is_gone() {
                self.leave();
            } else {
                return Some(self.base.wrapping_add(self.head as u32) & MASK);
            }
        }
        None
    }

    /// The first place is a gap: it is given up.
    fn leave(&mut self) {
        self.head += 1;
        self.places -= 1;
        if self.head < CHUNK {
            return;
        }
        self.head = 0;
        self.base = self.base.wrapping_add(CHUNK as u32) & MASK;
        self.spare = self.chunks.pop_front();
        if let Some(chunk) = &mut self.spare {
            chunk.lone.clear();
            chunk.hashes.clear();
        }
    }

    /// Places from the first to the last, gaps included.
    pub fn places(&self) -> impl Iterator<Item = u32> + use<> {
        let first = self.base.wrapping_add(self.head as u32);
        (0..self.places as u32).map(move |n| first.wrapping_add(n) & MASK)
    }

    /// The hashes of `count` of the oldest, behind the first `skip`, so that what they lead to can be fetched ahead; those
    /// of gaps among them.
    pub fn oldest_hashes(&self, skip: usize, count: usize) -> impl Iterator<Item = u64> + '_ {
        let rest = |n: usize| self.chunks.get(n).map_or(&[][..], |c| &c.hashes);
        let first = rest(0).get(self.head..).unwrap_or_default();
        let rest = rest(1).get(skip.saturating_sub(first.len())..).unwrap_or_default();
        first
            .get(skip..)
            .unwrap_or_default()
            .iter()
            .chain(rest)
            .take(count)
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stay_and_the_oldest_comes_first() {
        let mut ring = Ring::new();
        let mut there = VecDeque::new();
        for n in 0..300_000u64 {
            there.push_back((ring.push(Lone::gone().standing(), n), n));
            if n % 2 == 1 {
                let (place, hash) = there.remove(there.len() / 3).unwrap_or_default();
                assert_eq!(ring.take(place).map(|(_, h)| h), Some(hash));
                assert!(ring.get(place).is_none() && ring.take(place).is_none());
            }
            if n % 5 == 1 {
                let (place, hash) = there.pop_front().unwrap_or_default();
                assert_eq!(ring.oldest(), Some(place));
                assert_eq!(ring.take(place).map(|(_, h)| h), Some(hash));
            }
            assert_eq!(ring.len(), there.len());
        }
        let left: Vec<u32> = ring.places().filter(|&p| ring.get(p).is_some()).collect();
        assert_eq!(left, there.iter().map(|t| t.0).collect::<Vec<_>>());
        assert!(!ring.is_sparse());
    }

    #[test]
    fn the_oldest_hashes_come_in_order() {
        let mut ring = Ring::new();
        for n in 0..70_000u64 {
            ring.push(Lone::gone().standing(), n);
            if n < 65_530 {
                let oldest = ring.oldest().unwrap_or_default();
                ring.take(oldest);
            }
        }
        ring.oldest();
        assert_eq!(
            ring.oldest_hashes(0, 20).collect::<Vec<_>>(),
            (65_530..65_550).collect::<Vec<_>>()
        );
        for skip in [3, 6, 9] {
            let next = ring.oldest_hashes(skip, 5).collect::<Vec<_>>();
            assert_eq!(next, (65_530 + skip as u64..).take(5).collect::<Vec<_>>());
        }
    }
}
