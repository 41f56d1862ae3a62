//! Which handshake of one capture is which of the other: four-tuple and initial sequence number.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use halfopen_track::Key;

use super::seen::Seen;

/// Two views of one handshake, as indices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Match {
    /// In the first capture.
    pub a: usize,
    /// In the second.
    pub b: usize,
    /// The other side's number differs: something in between answers itself, or rewrites.
    pub rewritten: bool,
}

/// The result.
#[derive(Clone, Debug, Default)]
pub struct Matches {
    /// In both.
    pub both: Vec<Match>,
    /// Only in the first.
    pub only_a: Vec<usize>,
    /// Only in the second.
    pub only_b: Vec<usize>,
    /// Seen again in one capture, under other tags or tunnels: not counted a second time.
    pub repeated: u64,
}

/// A key as something that can be hashed: addresses, ports.
type KeyBytes = ((u128, u16), (u128, u16), bool);
/// Key, whose number, the number.
type Name = (KeyBytes, bool, u32);

/// Handshakes by the hashes of their names: the names themselves would need six times the room.
struct Index<'a> {
    seen: &'a [Seen],
    hasher: RandomState,
    places: HashMap<u64, u32>,
}

impl<'a> Index<'a> {
    fn new(seen: &'a [Seen]) -> Self {
        Self {
            seen,
            hasher: RandomState::new(),
            places: HashMap::with_capacity(seen.len()),
        }
    }

    /// Adds a name of the handshake at `place`; the place of the first that has it.
    fn add(&mut self, name: &Name, place: usize) -> usize {
        let first = *self.places.entry(self.hasher.hash_one(name)).or_insert(place as u32);
        first as usize
    }

    fn get(&self, name: &Name) -> Option<usize> {
        let place = *self.places.get(&self.hasher.hash_one(name))? as usize;
        names(self.seen.get(place)?).any(|n| n == *name).then_some(place)
    }
}

fn bytes(key: &Key) -> KeyBytes {
    let (low, high) = (key.end(true), key.end(false));
    ((low.0.bits, low.1), (high.0.bits, high.1), low.0.v6)
}

/// The names under which a handshake can be found: its four-tuple with either initial sequence number, the client's
/// first.
fn names(seen: &Seen) -> impl Iterator<Item = Name> + '_ {
    [seen.client_low, !seen.client_low].into_iter().filter_map(|low| {
        let isn = seen.isn[usize::from(!low)]?;
        Some((bytes(&seen.key), low, isn))
    })
}

/// Finds the common handshakes.
pub fn find(a: &[Seen], b: &[Seen]) -> Matches {
    let mut matches = Matches::default();
    let mut index = Index::new(a);
    let mut partner_of_a: Vec<Partner> = Vec::with_capacity(a.len());
    for (i, seen) in a.iter().enumerate() {
        let mut partner = Partner::None;
        for name in names(seen) {
            if index.add(&name, i) != i {
                partner = Partner::Repeated;
            }
        }
        partner_of_a.push(partner);
    }
    for (j, seen) in b.iter().enumerate() {
        let found = names(seen).find_map(|name| index.get(&name));
        match found.and_then(|i| Some((i, partner_of_a.get_mut(i)?))) {
            None => matches.only_b.push(j),
            Some((i, partner @ Partner::None)) => {
                *partner = Partner::Found;
                matches.both.push(Match {
                    a: i,
                    b: j,
                    rewritten: a.get(i).is_some_and(|s| is_rewritten(s, seen)),
                });
            }
            Some(_) => matches.repeated += 1,
        }
    }
    for (i, partner) in partner_of_a.iter().enumerate() {
        match partner {
            Partner::None => matches.only_a.push(i),
            Partner::Repeated => matches.repeated += 1,
            Partner::Found => {}
        }
    }
    matches.both.sort_by_key(|m| m.a);
    matches
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Partner {
    None,
    Found,
    Repeated,
}

fn is_rewritten(a: &Seen, b: &Seen) -> bool {
    let differs = |i: usize| matches!((a.isn[i], b.isn[i]), (Some(x), Some(y)) if x != y);
    differs(0) || differs(1)
}

/// What a handshake looks like that is the same one under other names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lookalikes {
    /// Same initial sequence numbers, other addresses or ports: translated in between (NAT).
    pub translated: u64,
    /// Of these, how many have another client address or port, …
    pub client_changed: u64,
    /// … and how many another server address or port.
    pub server_changed: u64,
    /// The first of them: indices in both captures.
    pub example: Option<(usize, usize)>,
    /// Same addresses, ports and time stamp, other sequence numbers: rewritten in between.
    pub renumbered: u64,
    /// The first of them.
    pub renumbered_example: Option<(usize, usize)>,
}

/// Looks among the handshakes without a partner for those that only changed their names on the way.
pub fn lookalikes(a: &[Seen], b: &[Seen], matches: &Matches) -> Lookalikes {
    let mut found = Lookalikes::default();
    let mut by_isn: HashMap<u32, usize> = HashMap::new();
    let mut by_key: HashMap<(KeyBytes, u32), usize> = HashMap::new();
    for &i in &matches.only_a {
        let Some(seen) = a.get(i) else { continue };
        if let Some(isn) = seen.isn_client() {
            by_isn.entry(isn).or_insert(i);
        }
        if let Some(tsval) = first_tsval(seen) {
            by_key.entry((bytes(&seen.key), tsval)).or_insert(i);
        }
    }
    for &j in &matches.only_b {
        let Some(seen) = b.get(j) else { continue };
        let other = seen.isn_client().and_then(|isn| by_isn.get(&isn)).copied();
        if let Some((i, other)) = other.and_then(|i| Some((i, a.get(i)?)))
            && is_translated(other, seen)
        {
            found.translated += 1;
            found.client_changed += u64::from(other.client() != seen.client());
            found.server_changed += u64::from(other.server() != seen.server());
            found.example.get_or_insert((i, j));
        } else if let Some(&i) = first_tsval(seen).and_then(|t| by_key.get(&(bytes(&seen.key), t))) {
            found.renumbered += 1;
            found.renumbered_example.get_or_insert((i, j));
        }
    }
    found
}

/// The client's initial sequence number is the same already; one of 2^32 is so by chance, so something else must be too.
fn is_translated(a: &Seen, b: &Seen) -> bool {
    let same = |x: Option<u32>, y: Option<u32>| x.is_some() && x == y;
    let other_names = (a.client(), a.server()) != (b.client(), b.server());
    let same_ports = (a.client().1, a.server().1) == (b.client().1, b.server().1);
    other_names && (same(a.isn_server(), b.isn_server()) || same(first_tsval(a), first_tsval(b)) || same_ports)
}

fn first_tsval(seen: &Seen) -> Option<u32> {
    seen.packets.first().and_then(|p| p.tsval)
}
