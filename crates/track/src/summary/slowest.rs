//! The slowest handshakes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::Handshake;

/// Duration, and the earlier start first among equals; the sequence number decides where both are equal.
type Rank = (i64, Reverse<i64>, Reverse<u64>);

/// The `limit` handshakes that took longest.
#[derive(Debug)]
pub struct Slowest {
    limit: usize,
    seen: u64,
    heap: BinaryHeap<Reverse<Ranked>>,
}

#[derive(Debug)]
struct Ranked {
    rank: Rank,
    handshake: Box<Handshake>,
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl Slowest {
    /// None yet.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            seen: 0,
            heap: BinaryHeap::new(),
        }
    }

    /// Keeps a handshake if it is among the slowest. Without an end it has no duration.
    pub fn add(&mut self, h: &Handshake) {
        let Some(ns) = h.handshake_ns else { return };
        self.seen += 1;
        let rank = (ns, Reverse(h.start_ns), Reverse(self.seen));
        if self.heap.len() >= self.limit {
            if self.heap.peek().is_none_or(|Reverse(fastest)| rank < fastest.rank) {
                return;
            }
            self.heap.pop();
        }
        let handshake = Box::new(h.clone());
        self.heap.push(Reverse(Ranked { rank, handshake }));
    }

    /// The slowest first.
    pub fn list(&self) -> Vec<&Handshake> {
        let mut all: Vec<&Ranked> = self.heap.iter().map(|Reverse(ranked)| ranked).collect();
        all.sort_unstable_by_key(|ranked| Reverse(ranked.rank));
        all.into_iter().map(|ranked| &*ranked.handshake).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{T0, established, handshake};
    use super::*;
    use crate::Outcome;

    #[test]
    fn the_slowest_are_kept_in_order_and_the_earlier_wins_a_tie() {
        let mut slowest = Slowest::new(3);
        for (us, start) in [(5, 0), (900, 4), (7, 1), (900, 2), (1, 9), (30, 8)] {
            slowest.add(&Handshake {
                start_ns: T0 + start,
                timed: true,
                ..established(us, 0)
            });
        }
        slowest.add(&handshake(Outcome::Unanswered));
        let got: Vec<_> = slowest
            .list()
            .iter()
            .map(|h| (h.handshake_ns.unwrap() / 1000, h.start_ns - T0))
            .collect();
        assert_eq!(got, [(900, 2), (900, 4), (30, 8)]);
    }

    #[test]
    fn none_are_kept_when_none_are_wanted() {
        let mut slowest = Slowest::new(0);
        slowest.add(&established(1, 1));
        assert!(slowest.list().is_empty());
    }
}
