//! Which point is nearer to which host: read from the packets, not from the order in which the captures were named.
//!
//! Between two hosts the answer is the same for every handshake, whoever opens it, so the evidence is summed for each pair
//! of hosts. None of it needs the two clocks to agree.

use std::collections::HashMap;

use halfopen_wire::Address;

use super::matching::Match;
use super::pair::{Basis, Pair, pairs};
use super::seen::{Kind, Seen, Sent};

/// Which point is nearer to whom.
#[derive(Clone, Debug, Default)]
pub struct Sides {
    /// To the host with the lower address, by pair of hosts.
    of_hosts: HashMap<(Address, Address), Votes>,
    /// To the client, over all handshakes.
    overall: Votes,
}

/// Sums of evidence that the first point is nearer: above zero it is, below zero the second is.
#[derive(Clone, Copy, Debug, Default)]
struct Votes {
    /// Round trips and TTLs.
    measured: i64,
    /// Handshakes that could be measured.
    count: u64,
    /// Packets that are missing at one point: they count only where nothing could be measured. Two captures of one place
    /// have the same round trips, and what one of them lacks was dropped while capturing.
    missing: i64,
}

impl Votes {
    fn add(&mut self, other: Self) {
        self.measured += other.measured;
        self.count += other.count;
        self.missing += other.missing;
    }

    /// The same for the other host.
    fn turned(self, turn: bool) -> Self {
        let sign = if turn { -1 } else { 1 };
        Self {
            measured: sign * self.measured,
            missing: sign * self.missing,
            ..self
        }
    }

    /// Whether the first point is nearer; `None` when nothing tells.
    fn verdict(self) -> Option<bool> {
        match if self.count > 0 { self.measured } else { self.missing } {
            0 => None,
            sum => Some(sum > 0),
        }
    }
}

/// Round trips that differ by less say nothing: captures have time stamps of whole microseconds.
const RESOLUTION_NS: i64 = 1_000;

impl Sides {
    /// Sums the evidence of all common handshakes.
    pub fn observe(a: &[Seen], b: &[Seen], both: &[Match], basis: Basis<'_>) -> Self {
        let mut sides = Self::default();
        for m in both {
            let (Some(one), Some(other)) = (a.get(m.a), b.get(m.b)) else {
                continue;
            };
            let votes = towards_low(one, other, basis);
            sides.of_hosts.entry(hosts(one)).or_default().add(votes);
            sides.overall.add(votes.turned(!one.client_low));
        }
        sides
    }

    /// Whether the first point is the one nearer to the low end of this handshake; `None` when nothing tells.
    pub fn low_at_a(&self, seen: &Seen) -> Option<bool> {
        let of_hosts = self.of_hosts.get(&hosts(seen)).copied().unwrap_or_default();
        let overall = self.overall.turned(!seen.client_low);
        of_hosts.verdict().or_else(|| overall.verdict())
    }

    /// Whether the first point is nearer to this handshake's client.
    pub fn client_at_a(&self, seen: &Seen) -> Option<bool> {
        self.low_at_a(seen).map(|low| low == seen.client_low)
    }
}

fn hosts(seen: &Seen) -> (Address, Address) {
    (seen.key.end(true).0, seen.key.end(false).0)
}

/// The evidence of one handshake that the first point is nearer to its low end.
fn towards_low(a: &Seen, b: &Seen, basis: Basis<'_>) -> Votes {
    let client = a.client_low;
    let of = |kind, low| pairs(a, b, kind, low, basis);
    let (syn, answer, ack) = (of(Kind::Syn, client), of(Kind::SynAck, !client), of(Kind::Ack, client));
    // The exchange of a packet and its answer takes longer where it is farther to the one who answers.
    let trips = [longer(&syn, &answer), longer(&answer, &ack).map(|vote| -vote)];
    // Every router takes one from the TTL.
    let hops = nearer(&syn) + nearer(&ack) - nearer(&answer);
    // What was lost in between was seen at the point that it came from.
    let missing = missing(&syn) + missing(&ack) - missing(&answer);
    let towards_client = Votes {
        measured: trips.iter().flatten().sum::<i64>() + hops,
        count: u64::from(trips.iter().any(Option::is_some) || hops != 0),
        missing,
    };
    towards_client.turned(!client)
}

fn first_both(pairs: &[Pair]) -> Option<(Sent, Sent)> {
    pairs.iter().find(|p| p.sure).and_then(Pair::both)
}

fn longer(question: &[Pair], answer: &[Pair]) -> Option<i64> {
    let ((qa, qb), (ra, rb)) = first_both(question).zip(first_both(answer))?;
    let trip = |q: &Sent, r: &Sent| r.time_ns.saturating_sub(q.time_ns);
    Some(match trip(&qa, &ra).saturating_sub(trip(&qb, &rb)) {
        d if d > RESOLUTION_NS => 1,
        d if d < -RESOLUTION_NS => -1,
        _ => 0,
    })
}

fn nearer(pairs: &[Pair]) -> i64 {
    first_both(pairs).map_or(0, |(a, b)| i64::from(a.ttl).saturating_sub(i64::from(b.ttl)).signum())
}

fn missing(pairs: &[Pair]) -> i64 {
    let only = |has: fn(&Pair) -> bool| pairs.iter().filter(|p| has(p)).count() as i64;
    (only(|p| p.b.is_none()) - only(|p| p.a.is_none())).signum()
}
