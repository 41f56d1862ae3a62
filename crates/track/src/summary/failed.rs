//! Failed attempts worth looking at.
//!
//! Ten million equal rows of a flood must not hide the one refused connection. So the places are shared among groups of
//! (server, port, outcome): when all are taken, an attempt of a group that has fewer takes the place of one of the group
//! that has most. Within a group the attempts with the most SYNs stay (the client tried hardest), then the earliest.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::endpoints::Server;
use super::hash::Seed;
use crate::{Handshake, Outcome, Unanswered};

/// Most SYNs, then earliest, then first to end: larger is more worth keeping.
type Rank = (u32, Reverse<i64>, Reverse<u64>);
type Key = (Server, Outcome);
type Group = BTreeMap<Rank, Box<Handshake>>;

/// At most `limit` failed attempts, spread over endpoints and outcomes.
#[derive(Debug)]
pub struct Failed {
    limit: usize,
    seen: u64,
    kept: usize,
    /// No group has more members than this.
    largest: usize,
    groups: HashMap<Key, Group, Seed>,
    /// What was turned down last, while nothing has changed since: whatever is of the same group and ranks lower is
    /// turned down, too. A flood ends here, before any table is searched.
    turned_down: [Option<(Key, Rank)>; 8],
}

impl Failed {
    /// None yet.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            seen: 0,
            kept: 0,
            largest: 0,
            groups: HashMap::with_hasher(Seed::random()),
            turned_down: [None; 8],
        }
    }

    /// Keeps an attempt if it failed and is worth it.
    pub fn add(&mut self, h: &Handshake) {
        if !matches!(h.outcome, Outcome::Established | Outcome::Partial) {
            self.consider((Server::of(h), h.outcome), (h.syn_sent, h.start_ns), || h.clone());
        }
    }

    /// As [`Failed::add`] for one SYN and nothing else, whose record is made where it is kept.
    pub fn unanswered(&mut self, syn: &Unanswered, record: impl FnOnce() -> Handshake) {
        let key = (Server::asked_by(syn), Outcome::Unanswered);
        self.consider(key, (1, syn.start_ns), record);
    }

    fn consider(&mut self, key: Key, (syn_sent, start_ns): (u32, i64), record: impl FnOnce() -> Handshake) {
        if self.limit == 0 {
            return;
        }
        self.seen += 1;
        let rank = (syn_sent, Reverse(start_ns), Reverse(self.seen));
        let memory = usize::from(key.0.port) % self.turned_down.len();
        if self.turned_down[memory].is_some_and(|(group, better)| group == key && rank < better) {
            return;
        }
        if self.kept >= self.limit && !self.make_room(key, rank) {
            self.turned_down[memory] = Some((key, rank));
            return;
        }
        self.turned_down = [None; 8];
        let group = self.groups.entry(key).or_default();
        group.insert(rank, Box::new(record()));
        self.kept += 1;
        self.largest = self.largest.max(group.len());
    }

    /// Gives up one attempt for a better one; false when there is none that should go.
    fn make_room(&mut self, key: Key, rank: Rank) -> bool {
        let own = self.groups.get_mut(&key);
        let size = own.as_ref().map_or(0, |group| group.len());
        // Taking from a group that has just one more would only swap the two sizes, back and forth.
        if size + 1 < self.largest && self.take_from_largest(size + 2) {
            return true;
        }
        let Some(group) = self.groups.get_mut(&key) else {
            return false;
        };
        if group.first_key_value().is_none_or(|(worst, _)| rank < *worst) {
            return false;
        }
        group.pop_first();
        self.kept -= 1;
        true
    }

    /// Drops the least of the largest group, if that has at least `size` members.
    fn take_from_largest(&mut self, size: usize) -> bool {
        // Among equals the one whose least is least: the choice must not hang on the order of a hash table.
        let largest = self
            .groups
            .values_mut()
            .max_by_key(|group| (group.len(), Reverse(group.first_key_value().map(|(&rank, _)| rank))));
        let Some(group) = largest else { return false };
        self.largest = group.len();
        if group.len() < size {
            return false;
        }
        group.pop_first();
        self.kept -= 1;
        true
    }

    /// By start.
    pub fn list(&self) -> Vec<&Handshake> {
        let mut all: Vec<_> = self.groups.values().flatten().collect();
        all.sort_unstable_by_key(|(rank, _)| (rank.1.0, rank.2.0));
        all.into_iter().map(|(_, handshake)| &**handshake).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{T0, handshake};
    use super::*;

    fn attempt(port: u16, outcome: Outcome, syn_sent: u32, start: i64) -> Handshake {
        Handshake {
            server_port: port,
            syn_sent,
            start_ns: T0 + start,
            timed: true,
            ..handshake(outcome)
        }
    }

    fn kept(failed: &Failed) -> Vec<(u16, Outcome, u32, i64)> {
        failed
            .list()
            .iter()
            .map(|h| (h.server_port, h.outcome, h.syn_sent, h.start_ns - T0))
            .collect()
    }

    #[test]
    fn a_flood_does_not_hide_the_one_refused_connection() {
        let mut failed = Failed::new(4);
        (0..1000).for_each(|i| failed.add(&attempt(80, Outcome::Unanswered, 1, i)));
        failed.add(&attempt(22, Outcome::Refused, 1, 500));
        (1000..2000).for_each(|i| failed.add(&attempt(80, Outcome::Unanswered, 1, i)));
        let flood = |i| (80, Outcome::Unanswered, 1, i);
        assert_eq!(
            kept(&failed),
            [flood(0), flood(1), flood(2), (22, Outcome::Refused, 1, 500)]
        );
    }

    #[test]
    fn places_are_shared_evenly_whatever_the_order() {
        for stride in [1usize, 7, 13] {
            let mut failed = Failed::new(6);
            let all: Vec<_> = (0..90i64)
                .map(|i| attempt(1 + (i / 30) as u16, Outcome::HalfOpen, 1, i))
                .collect();
            (0..90).for_each(|i| failed.add(&all[i * stride % 90]));
            for port in 1..=3 {
                assert_eq!(
                    kept(&failed).iter().filter(|row| row.0 == port).count(),
                    2,
                    "port {port}, stride {stride}"
                );
            }
        }
    }

    #[test]
    fn within_a_group_the_client_that_tried_hardest_stays() {
        let mut failed = Failed::new(2);
        for (syns, start) in [(1, 0), (7, 5), (2, 3), (7, 4), (3, 1)] {
            failed.add(&attempt(443, Outcome::Unanswered, syns, start));
        }
        assert_eq!(
            kept(&failed),
            [(443, Outcome::Unanswered, 7, 4), (443, Outcome::Unanswered, 7, 5)]
        );
    }

    #[test]
    fn a_scan_of_more_ports_than_places_keeps_the_first() {
        let mut failed = Failed::new(3);
        (0..500).for_each(|i| failed.add(&attempt(i as u16, Outcome::Refused, 1, i)));
        assert_eq!(kept(&failed).iter().map(|row| row.0).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(failed.groups.len(), 3);
    }

    #[test]
    fn what_did_not_fail_is_not_kept() {
        let mut failed = Failed::new(3);
        failed.add(&attempt(1, Outcome::Established, 1, 0));
        failed.add(&attempt(1, Outcome::Partial, 1, 0));
        assert!(kept(&failed).is_empty());
    }
}
