//! Lone SYNs in the order in which they were sent last, each at a place that stays the same while it is there.
//!
//! New ones are written behind one another and the oldest are read in the same order, so that memory is walked through
//! in one direction: the processor fetches it ahead. One that leaves from the middle leaves a gap; when there are more
//! gaps than SYNs, [`Ring::is_sparse`] says that it is time to close them up.

use std::collections::{HashMap, VecDeque};

use crate::flow::Flow;
use crate::index::Window;
use crate::key::Key;
use crate::lone::{Lone, Syn};

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
    /// What those over IPv6 have beside them: as long as the last one of them needs it.
    wide: Vec<u128>,
}

impl Chunk {
    fn syn(&self, at: usize) -> Option<(&Lone, u128)> {
        let lone = self.lone.get(at).filter(|l| !l.is_gone())?;
        Some((lone, self.wide_of(lone, at)))
    }

    fn wide_of(&self, lone: &Lone, at: usize) -> u128 {
        if lone.is_v6() {
            self.wide.get(at).copied().unwrap_or_default()
        } else {
            0
        }
    }

    fn widen(&mut self, at: usize, wide: u128) {
        if self.wide.capacity() == 0 {
            self.wide.reserve(CHUNK);
        }
        self.wide.resize(self.wide.len().max(at + 1), 0);
        self.wide[at] = wide;
    }
}

/// One that has left.
#[derive(Debug)]
pub struct Left<'a> {
    /// The numbers, where they say it all.
    pub lone: &'a Lone,
    /// What stands beside them.
    pub wide: u128,
    /// Where they do not, all that is known.
    pub rare: Option<Box<Flow>>,
}

impl Left<'_> {
    /// Whose it is.
    pub fn key(&self) -> Key {
        self.rare
            .as_ref()
            .map_or_else(|| self.lone.key(self.wide), |flow| flow.key)
    }

    /// To be put somewhere else.
    pub fn into_syn(self) -> Syn {
        match self.rare {
            Some(flow) => Syn::Rare(flow),
            None => Syn::Ordinary(self.lone.standing(), self.wide),
        }
    }
}

/// The queue.
#[derive(Debug, Default)]
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
    /// The flows of those that are not ordinary.
    rare: HashMap<u32, Box<Flow>>,
}

impl Ring {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are more gaps than SYNs.
    pub const fn is_sparse(&self) -> bool {
        self.places > 2 * self.len + FEW
    }

    /// The places in use, gaps included.
    pub const fn window(&self) -> Window {
        Window {
            first: self.base.wrapping_add(self.head as u32) & MASK,
            places: self.places as u32,
        }
    }

    /// Adds the latest; gives its place.
    pub fn push(&mut self, syn: Syn) -> u32 {
        match syn {
            Syn::Ordinary(lone, wide) => self.push_lone(lone, wide),
            Syn::Rare(flow) => {
                let place = self.push_lone(Lone::RARE, 0);
                self.rare.insert(place, flow);
                place
            }
        }
    }

    /// The same for an ordinary one.
    pub fn push_lone(&mut self, lone: Lone, wide: u128) -> u32 {
        let end = self.head + self.places;
        if end >> CHUNK_BITS == self.chunks.len() {
            let mut chunk = self.spare.take().unwrap_or_default();
            chunk.lone.clear();
            chunk.wide.clear();
            chunk.lone.reserve_exact(CHUNK);
            self.chunks.push_back(chunk);
        }
        let chunk = &mut self.chunks[end >> CHUNK_BITS];
        if lone.is_v6() {
            chunk.widen(end & (CHUNK - 1), wide);
        }
        chunk.lone.push(lone);
        self.places += 1;
        self.len += 1;
        self.base.wrapping_add(end as u32) & MASK
    }

    fn find(&self, place: u32) -> (usize, usize) {
        let offset = (place.wrapping_sub(self.base) & MASK) as usize;
        (offset >> CHUNK_BITS, offset & (CHUNK - 1))
    }

    fn syn(&self, place: u32) -> Option<(&Lone, u128)> {
        let (chunk, at) = self.find(place);
        if chunk == 0 && at < self.head {
            return None;
        }
        self.chunks.get(chunk)?.syn(at)
    }

    fn lone_mut(&mut self, place: u32) -> Option<&mut Lone> {
        let (chunk, at) = self.find(place);
        if chunk == 0 && at < self.head {
            return None;
        }
        self.chunks.get_mut(chunk)?.lone.get_mut(at).filter(|l| !l.is_gone())
    }

    /// The SYN at a place as it stands there: to be asked for ahead.
    pub fn peek(&self, place: u32) -> Option<&Lone> {
        self.syn(place).map(|(lone, _)| lone)
    }

    /// Whose SYN is at a place.
    pub fn key(&self, place: u32) -> Option<Key> {
        let (lone, wide) = self.syn(place)?;
        if lone.is_rare() {
            return self.rare.get(&place).map(|flow| flow.key);
        }
        Some(lone.key(wide))
    }

    /// Number of the SYN at a place; `None` for a gap.
    pub fn number(&self, place: u32) -> Option<u64> {
        let (lone, _) = self.syn(place)?;
        if lone.is_rare() {
            return self.rare.get(&place).map(|flow| flow.number);
        }
        Some(lone.number())
    }

    /// When the SYN at a place was sent last.
    pub fn last_ns(&self, place: u32) -> Option<i64> {
        let (lone, _) = self.syn(place)?;
        if lone.is_rare() {
            return self.rare.get(&place).map(|flow| flow.last_ns);
        }
        Some(lone.start_ns())
    }

    /// All that the SYN at a place says.
    pub fn flow(&self, place: u32) -> Option<Flow> {
        let (lone, wide) = self.syn(place)?;
        if lone.is_rare() {
            return self.rare.get(&place).map(|flow| Flow::clone(flow));
        }
        Some(lone.unpack(wide))
    }

    /// Changes the SYN at a place; its key stays the same.
    pub fn set_flow(&mut self, place: u32, flow: &Flow) {
        let Some(lone) = self.lone_mut(place) else {
            return;
        };
        let apart = lone.is_apart();
        match Syn::of(flow) {
            Syn::Ordinary(packed, wide) => {
                *lone = packed.with_apart(apart);
                if packed.is_v6() {
                    let (chunk, at) = self.find(place);
                    self.chunks[chunk].widen(at, wide);
                }
                self.rare.remove(&place);
            }
            Syn::Rare(flow) => {
                *lone = Lone::RARE.with_apart(apart);
                self.rare.insert(place, flow);
            }
        }
    }

    /// Notes that the entry of the SYN at a place stands apart in the index.
    pub fn set_apart(&mut self, place: u32) {
        if let Some(lone) = self.lone_mut(place) {
            *lone = lone.with_apart(true);
        }
    }

    /// Takes one away.
    pub fn take(&mut self, place: u32) -> Option<Left<'_>> {
        let lone = self.lone_mut(place)?;
        *lone = lone.gone();
        self.len -= 1;
        self.left(place)
    }

    /// The place of the oldest.
    pub fn oldest(&mut self) -> Option<u32> {
        while self.places > 0 {
            if self.chunks[0].lone[self.head].is_gone() {
                self.leave();
            } else {
                return Some(self.window().first);
            }
        }
        None
    }

    /// Takes the oldest away if it is at this place, which is not in use any more then.
    pub fn pop(&mut self, place: u32) -> Option<Left<'_>> {
        if place != self.window().first || self.peek(place).is_none() {
            return None;
        }
        self.leave();
        self.len -= 1;
        self.left(place)
    }

    /// What stands where one was taken away: it is there until the place is filled again.
    fn left(&mut self, place: u32) -> Option<Left<'_>> {
        let (chunk, at) = self.find(place);
        // The last one of a chunk was the end of it.
        let chunk = self.chunks.get(chunk).or(self.spare.as_ref())?;
        let lone = chunk.lone.get(at)?;
        let rare = if lone.is_rare() {
            Some(self.rare.remove(&place)?)
        } else {
            None
        };
        let wide = chunk.wide_of(lone, at);
        Some(Left { lone, wide, rare })
    }

    /// The first place is given up.
    fn leave(&mut self) {
        self.head += 1;
        self.places -= 1;
        if self.head < CHUNK {
            return;
        }
        self.head = 0;
        self.base = self.base.wrapping_add(CHUNK as u32) & MASK;
        self.spare = self.chunks.pop_front();
    }

    /// Places from the first to the last, gaps included.
    pub fn places(&self) -> impl Iterator<Item = u32> + use<> {
        let Window { first, places } = self.window();
        (0..places).map(move |n| first.wrapping_add(n) & MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lone::tests::{flow, segment};
    use halfopen_wire::{Address, Segment};

    #[test]
    fn places_stay_and_the_oldest_comes_first() {
        let mut ring = Ring::default();
        let mut there = VecDeque::new();
        for n in 0..300_000u32 {
            there.push_back((ring.push_lone(Lone::numbered(n), 0), n));
            if n % 2 == 1 {
                let (place, n) = there.remove(there.len() / 3).unwrap_or_default();
                assert_eq!(ring.take(place).map(isn), Some(n));
                assert!(ring.peek(place).is_none() && ring.take(place).is_none());
            }
            if n % 5 == 1 {
                let (place, n) = there.pop_front().unwrap_or_default();
                assert!(ring.pop(place + 1).is_none());
                assert_eq!(ring.oldest(), Some(place));
                assert_eq!(ring.pop(place).map(isn), Some(n));
                assert!(ring.peek(place).is_none() && ring.pop(place).is_none());
            }
            assert_eq!(ring.len(), there.len());
        }
        let left: Vec<u32> = ring.places().filter(|&p| ring.peek(p).is_some()).collect();
        assert_eq!(left, there.iter().map(|t| t.0).collect::<Vec<_>>());
        assert!(!ring.is_sparse());
    }

    fn isn(left: Left<'_>) -> u32 {
        left.into_syn().unpack().isn_client
    }

    #[test]
    fn each_kind_comes_back_as_it_was() {
        let of_v4 = segment([10, 0, 0, 1], [198, 51, 100, 7]);
        let of_v6 = Segment {
            src: Address {
                v6: true,
                bits: 5 << 100,
            },
            dst: Address { v6: true, bits: 7 },
            ip_id: None,
            ..of_v4
        };
        let with_data = Segment {
            payload_len: 3,
            ..of_v6
        };
        let mut ring = Ring::default();
        let kinds = [of_v4, of_v6, with_data];
        let flow_of = |n: usize| Flow {
            number: n as u64,
            ..flow(&kinds[n % 3])
        };
        let places: Vec<u32> = (0..100_000).map(|n| ring.push(Syn::of(&flow_of(n)))).collect();
        for (n, &place) in places.iter().enumerate() {
            let flow = flow_of(n);
            assert_eq!(ring.flow(place).as_ref(), Some(&flow));
            assert_eq!(ring.key(place), Some(flow.key));
            assert_eq!(
                (ring.number(place), ring.last_ns(place)),
                (Some(n as u64), Some(flow.last_ns))
            );
        }
        for &place in &places[..9] {
            ring.set_apart(place);
            ring.set_flow(place, &flow_of(place as usize + 1));
        }
        assert_eq!(ring.rare.len(), 33_333);
        for (n, &place) in places.iter().enumerate() {
            let left = if n % 2 == 0 { ring.pop(place) } else { ring.take(place) };
            let left = left.expect("it is there");
            assert_eq!(
                (left.lone.is_apart(), left.key()),
                (n < 9, flow_of(n + usize::from(n < 9)).key)
            );
            assert_eq!(left.into_syn().unpack(), flow_of(n + usize::from(n < 9)));
            ring.oldest();
        }
        assert_eq!((ring.len(), ring.rare.len()), (0, 0));
    }
}
