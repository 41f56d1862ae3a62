//! Clients that get no answer from an endpoint, though they ask more than once.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::BuildHasher;

use halfopen_wire::Address;

use super::endpoints::Server;
use super::hash::Seed;
use crate::{Handshake, Outcome};

/// Pairs that are watched; those that come after are not. 2 MiB.
const LIMIT: usize = 1 << 14;

/// Answered pairs of which a mark is kept: of more, the older ones are forgotten. 128 KiB.
const MARKS: usize = 1 << 15;

/// A client and an endpoint that did not answer it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SilentPair {
    /// Who asked.
    pub client: Address,
    /// Whom.
    pub server: Server,
    /// Attempts without an answer in which the SYN was sent at least twice.
    pub unanswered: u64,
    /// SYNs in these.
    pub syn_sent: u64,
    /// An attempt of the pair had been answered before, as far as is remembered.
    pub answered_before: bool,
    /// Attempts of the pair that were answered, among those that ended after its first silent one.
    pub answered_later: u64,
    /// Start of the earliest silent attempt with a time; behind `last_ns` while there is none.
    pub first_ns: i64,
    /// Start of the latest.
    pub last_ns: i64,
}

/// The pairs.
#[derive(Debug)]
pub struct SilentPairs {
    pairs: HashMap<(Address, Server), SilentPair, Seed>,
    /// A mark of each pair that was answered, where its hash says.
    answered: Box<[u32]>,
}

impl Default for SilentPairs {
    fn default() -> Self {
        Self {
            pairs: HashMap::with_hasher(Seed::random()),
            answered: vec![0; MARKS].into(),
        }
    }
}

impl SilentPairs {
    /// Notes a handshake. Spoofed SYNs of a flood come once, so an attempt whose SYN was sent once is no evidence: it says nothing
    /// of a client's patience, and it would fill the table.
    #[inline]
    pub fn add(&mut self, h: &Handshake) {
        let silent = matches!(h.outcome, Outcome::Unanswered | Outcome::Timeout);
        if silent && h.syn_sent > 1 {
            self.note(h);
        } else if !silent && h.outcome != Outcome::Partial {
            self.note_answer(h);
        }
    }

    fn note_answer(&mut self, h: &Handshake) {
        let key = (h.client, Server::of(h));
        let (place, mark) = self.mark(&key);
        self.answered[place] = mark;
        if !self.pairs.is_empty()
            && let Some(pair) = self.pairs.get_mut(&key)
        {
            pair.answered_later += 1;
        }
    }

    /// Where the mark of a pair is kept, and which; it is never 0, which is none.
    fn mark(&self, key: &(Address, Server)) -> (usize, u32) {
        let hash = self.pairs.hasher().hash_one(key);
        ((hash >> 32) as usize % MARKS, hash as u32 | 1)
    }

    fn note(&mut self, h: &Handshake) {
        let key = (h.client, Server::of(h));
        if self.pairs.len() >= LIMIT && !self.pairs.contains_key(&key) {
            return;
        }
        let (place, mark) = self.mark(&key);
        let answered_before = self.answered[place] == mark;
        let pair = self.pairs.entry(key).or_insert(SilentPair {
            client: key.0,
            server: key.1,
            unanswered: 0,
            syn_sent: 0,
            answered_before,
            answered_later: 0,
            first_ns: i64::MAX,
            last_ns: i64::MIN,
        });
        pair.unanswered += 1;
        pair.syn_sent += u64::from(h.syn_sent);
        if h.timed {
            pair.first_ns = pair.first_ns.min(h.start_ns);
            pair.last_ns = pair.last_ns.max(h.start_ns);
        }
    }

    /// Most silent attempts first.
    pub fn list(&self) -> Vec<&SilentPair> {
        let mut all: Vec<&SilentPair> = self.pairs.values().collect();
        all.sort_unstable_by_key(|pair| (Reverse(pair.unanswered), pair.first_ns, pair.client, pair.server));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{established, handshake};
    use super::*;

    fn unanswered(last_octet: u8, syn_sent: u32) -> Handshake {
        Handshake {
            client: Address::from_v4([10, 0, 0, last_octet]),
            syn_sent,
            ..handshake(Outcome::Unanswered)
        }
    }

    #[test]
    fn the_most_ignored_come_first_and_single_syns_are_no_evidence() {
        let mut pairs = SilentPairs::default();
        for h in [unanswered(1, 4), unanswered(2, 7), unanswered(2, 7), unanswered(3, 1)] {
            pairs.add(&h);
        }
        let got: Vec<_> = pairs
            .list()
            .iter()
            .map(|p| (p.client.bits as u8, p.unanswered, p.syn_sent))
            .collect();
        assert_eq!(got, [(2, 2, 14), (1, 1, 4)]);
    }

    #[test]
    fn a_later_answer_is_noted() {
        let mut pairs = SilentPairs::default();
        pairs.add(&established(1, 1));
        pairs.add(&unanswered(1, 3));
        pairs.add(&established(1, 1));
        pairs.add(&handshake(Outcome::Refused));
        assert_eq!(pairs.list()[0].answered_later, 2);
        assert!(pairs.list()[0].answered_before);
    }

    #[test]
    fn an_answer_to_another_client_is_none() {
        let mut pairs = SilentPairs::default();
        for client in 2..100 {
            pairs.add(&Handshake {
                client: Address::from_v4([10, 0, 0, client]),
                ..established(1, 1)
            });
        }
        pairs.add(&unanswered(1, 3));
        assert!(!pairs.list()[0].answered_before);
    }

    #[test]
    fn the_table_is_bounded() {
        let mut pairs = SilentPairs::default();
        for i in 0..2 * LIMIT as u32 {
            pairs.add(&Handshake {
                client: Address::from_v4(i.to_be_bytes()),
                ..unanswered(0, 2)
            });
        }
        pairs.add(&Handshake {
            client: Address::from_v4([0; 4]),
            ..unanswered(0, 2)
        });
        assert_eq!(pairs.list().len(), LIMIT);
        assert_eq!(pairs.list()[0].unanswered, 2);
    }
}
