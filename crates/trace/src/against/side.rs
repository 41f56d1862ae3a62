//! Which point is nearer to which host: read from the packets, not from the order in which the captures were named.
//!
//! Between two hosts the answer is the same for every handshake, whoever opens it, so the evidence is summed for each pair
//! of hosts. None of it needs the two clocks to agree.

use std::collections::HashMap;

use halfopen_wire::Address;

use super::matching::Match;
use super::pair::{Basis, Pair, pairs};
use super::seen::{Kind, Seen, Sent};

/// Sums of evidence that the first point is nearer: above zero it is, below zero the second is.
#[derive(Clone, Debug, Default)]
pub struct Sides {
    /// To the host with the lower address, by pair of hosts.
    of_hosts: HashMap<(Address, Address), i64>,
    /// To the client, over all handshakes.
    overall: i64,
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
            let vote = towards_low(one, other, basis);
            *sides.of_hosts.entry(hosts(one)).or_default() += vote;
            sides.overall += if one.client_low { vote.signum() } else { -vote.signum() };
        }
        sides
    }

    /// Whether the first point is the one nearer to the low end of this handshake; `None` when nothing tells.
    pub fn low_at_a(&self, seen: &Seen) -> Option<bool> {
        let towards_low = self.of_hosts.get(&hosts(seen)).copied().filter(|&v| v != 0);
        let towards_client = if seen.client_low { self.overall } else { -self.overall };
        match towards_low.unwrap_or(towards_client) {
            0 => None,
            vote => Some(vote > 0),
        }
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
fn towards_low(a: &Seen, b: &Seen, basis: Basis<'_>) -> i64 {
    let client = a.client_low;
    let of = |kind, low| pairs(a, b, kind, low, basis);
    let (syn, answer, ack) = (of(Kind::Syn, client), of(Kind::SynAck, !client), of(Kind::Ack, client));
    let sign = |low: bool| if low { 1 } else { -1 };
    // The exchange of a packet and its answer takes longer where it is farther to the one who answers.
    let trips = sign(client) * longer(&syn, &answer) + sign(!client) * longer(&answer, &ack);
    // Every router takes one from the TTL.
    let hops = sign(client) * (nearer(&syn) + nearer(&ack)) + sign(!client) * nearer(&answer);
    // What was lost in between was seen at the point that it came from.
    let lost = sign(client) * (missing(&syn) + missing(&ack)) + sign(!client) * missing(&answer);
    2 * trips + 2 * hops + lost
}

fn first_both(pairs: &[Pair]) -> Option<(Sent, Sent)> {
    pairs.iter().find(|p| p.sure).and_then(Pair::both)
}

fn longer(question: &[Pair], answer: &[Pair]) -> i64 {
    let (Some((qa, qb)), Some((ra, rb))) = (first_both(question), first_both(answer)) else {
        return 0;
    };
    let trip = |q: &Sent, r: &Sent| r.time_ns.saturating_sub(q.time_ns);
    match trip(&qa, &ra).saturating_sub(trip(&qb, &rb)) {
        d if d > RESOLUTION_NS => 1,
        d if d < -RESOLUTION_NS => -1,
        _ => 0,
    }
}

fn nearer(pairs: &[Pair]) -> i64 {
    first_both(pairs).map_or(0, |(a, b)| i64::from(a.ttl).saturating_sub(i64::from(b.ttl)).signum())
}

fn missing(pairs: &[Pair]) -> i64 {
    let only = |has: fn(&Pair) -> bool| pairs.iter().filter(|p| has(p)).count() as i64;
    (only(|p| p.b.is_none()) - only(|p| p.a.is_none())).signum()
}
