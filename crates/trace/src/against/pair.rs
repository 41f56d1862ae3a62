//! Which packet of one capture is which of the other.
//!
//! A packet keeps its IP identification and its TSval on the way; a retransmission gets new ones. So the marks decide where
//! there are any, and order and time where there are none (IPv6 without time stamps, SYN-ACKs and RSTs of Linux without).

use super::clock::Clock;
use super::matching::Match;
use super::seen::{COPY_NS, Kind, Seen, Sent};

/// The kinds that are compared.
pub const KINDS: [Kind; 4] = [Kind::Syn, Kind::SynAck, Kind::Ack, Kind::Rst];

/// One packet at both points, or at one of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair {
    /// At the first point.
    pub a: Option<Sent>,
    /// At the second.
    pub b: Option<Sent>,
    /// No other pairing is possible: good enough to set a clock by.
    pub sure: bool,
}

impl Pair {
    /// The packet, wherever it was seen.
    pub fn any(&self) -> Option<Sent> {
        self.a.or(self.b)
    }

    /// Both views.
    pub fn both(&self) -> Option<(Sent, Sent)> {
        self.a.zip(self.b)
    }
}

/// Which marks survive the way; some firewalls write new ones. By sender: the client, the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Marks {
    /// IP identification.
    pub ip_id: [bool; 2],
    /// TSval.
    pub tsval: [bool; 2],
}

impl Default for Marks {
    fn default() -> Self {
        Self {
            ip_id: [true; 2],
            tsval: [true; 2],
        }
    }
}

impl Marks {
    /// Looks at handshakes whose SYN, or whose SYN-ACK, was seen once at each point: there the marks must agree, or they
    /// are written anew on the way.
    pub fn observe(a: &[Seen], b: &[Seen], both: &[Match]) -> Self {
        let mut votes = [[0i64; 2]; 2];
        for m in both {
            let (Some(a), Some(b)) = (a.get(m.a), b.get(m.b)) else {
                continue;
            };
            for (kind, low, server) in [(Kind::Syn, a.client_low, 0), (Kind::SynAck, !a.client_low, 1)] {
                let (mut one, mut other) = (a.of(kind, low), b.of(kind, low));
                if let (Some(x), None, Some(y), None) = (one.next(), one.next(), other.next(), other.next()) {
                    votes[0][server] += agreement(x.ip_id, y.ip_id);
                    votes[1][server] += agreement(x.tsval, y.tsval);
                }
            }
        }
        Self {
            ip_id: votes[0].map(|v| v >= 0),
            tsval: votes[1].map(|v| v >= 0),
        }
    }

    fn compare(self, x: &Sent, y: &Sent, server: usize) -> Likeness {
        let tsval = if self.tsval[server] {
            agreement(x.tsval, y.tsval)
        } else {
            0
        };
        let ip_id = if self.ip_id[server] {
            agreement(x.ip_id, y.ip_id)
        } else {
            0
        };
        match (tsval, ip_id) {
            (-1, _) | (_, -1) => Likeness::Different,
            (0, 0) => Likeness::Unknown,
            _ => Likeness::Same,
        }
    }
}

fn agreement<T: PartialEq>(x: Option<T>, y: Option<T>) -> i64 {
    match (x, y) {
        (Some(x), Some(y)) if x == y => 1,
        (Some(_), Some(_)) => -1,
        _ => 0,
    }
}

/// In the order of preference.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Same,
    Unknown,
    Different,
}

/// What pairing may rely on.
#[derive(Clone, Copy, Debug)]
pub struct Basis<'a> {
    /// Which marks survive.
    pub marks: &'a Marks,
    /// How the clocks relate, and whether the low end is on the side of the first capture, once both are known.
    pub clock: Option<(&'a Clock, bool)>,
}

/// Capture time stamps are off by this much at most.
const SLACK_NS: i64 = 1_000_000;

/// A possible pairing; the smallest is the best.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Choice {
    /// One of them may be a second capture of another packet, or a quick retransmission that looked like one.
    copy: bool,
    likeness: Likeness,
    misfit_ns: i64,
    /// Index in the first capture.
    i: usize,
    /// In the second.
    j: usize,
}

/// Pairs the packets of one kind and sender. Those of the first capture come in its order, then what only the second has.
pub fn pairs(a: &Seen, b: &Seen, kind: Kind, from_low: bool, basis: Basis<'_>) -> Vec<Pair> {
    let (one, other) = (packets(a, b, kind, from_low), packets(b, a, kind, from_low));
    let server = usize::from(from_low != a.client_low);
    let mut choices = Vec::new();
    for (i, x) in one.iter().enumerate() {
        for (j, y) in other.iter().enumerate().filter(|(_, y)| numbers(x) == numbers(y)) {
            choices.extend(choice(x, y, server, basis).map(|choice| Choice { i, j, ..choice }));
        }
    }
    choices.sort_unstable();
    let mut partner: Vec<Option<(usize, bool)>> = vec![None; one.len()];
    let mut taken = vec![false; other.len()];
    let sent = |all: &[Sent]| all.iter().filter(|s| !s.copy).count();
    let even = sent(&one) == sent(&other);
    for best in &choices {
        if partner[best.i].is_none() && !taken[best.j] {
            let is_rival = |c: &Choice| !c.copy && c.likeness == best.likeness && (c.i == best.i) != (c.j == best.j);
            let unique = best.likeness == Likeness::Same && !choices.iter().any(is_rival);
            partner[best.i] = Some((best.j, !best.copy && (unique || even)));
            taken[best.j] = true;
        }
    }
    let firsts = one.iter().zip(&partner).map(|(x, partner)| Pair {
        a: Some(*x),
        b: partner.map(|(j, _)| other[j]),
        sure: partner.is_some_and(|(_, sure)| sure),
    });
    let left = other.iter().zip(&taken).filter(|&(_, &taken)| !taken);
    let rest = left.map(|(y, _)| Pair {
        a: None,
        b: Some(*y),
        sure: false,
    });
    // What one capture holds twice was sent once.
    let counts = |p: &Pair| p.both().is_some() || !p.any().is_some_and(|s| s.copy);
    firsts.chain(rest).filter(counts).collect()
}

/// Whether a packet that only one point has is one that was seen there before and at the other point too, by its marks: the
/// network doubled it on the way.
pub fn is_doubled(pair: &Pair, all: &[Pair]) -> bool {
    let twin = |x: Option<Sent>, y: Option<Sent>| {
        x.zip(y).is_some_and(|(x, y)| {
            let marks = [agreement(x.tsval, y.tsval), agreement(x.ip_id, y.ip_id)];
            numbers(&x) == numbers(&y) && marks.contains(&1) && !marks.contains(&-1)
        })
    };
    let passed = || all.iter().filter(|p| p.both().is_some());
    pair.both().is_none() && passed().any(|p| twin(pair.a, p.a) || twin(pair.b, p.b))
}

/// Whether the two may be one packet, and how well they fit; the caller knows their places.
fn choice(x: &Sent, y: &Sent, server: usize, basis: Basis<'_>) -> Option<Choice> {
    let likeness = basis.marks.compare(x, y, server);
    let copy = x.copy || y.copy;
    let choice = Choice {
        copy,
        likeness,
        misfit_ns: 0,
        i: 0,
        j: 0,
    };
    if likeness == Likeness::Different || x.copy && y.copy {
        return None;
    }
    let Some((clock, low_at_a)) = basis.clock else {
        return (!copy).then_some(choice);
    };
    let at_a = low_at_a == x.from_low;
    let misfit_ns = misfit(x, y, clock, at_a);
    let early = (likeness == Likeness::Unknown || copy) && is_early(x, y, clock, at_a);
    let fits = !early && (!copy || misfit_ns <= COPY_NS);
    fits.then_some(Choice { misfit_ns, ..choice })
}

/// How far two times are from what the clocks and the usual time on the way make expect.
fn misfit(x: &Sent, y: &Sent, clock: &Clock, at_a: bool) -> i64 {
    let way = clock.usual_ns(at_a);
    let expected = if at_a { way } else { way.saturating_neg() };
    clock
        .difference(x.time_ns, y.time_ns)
        .saturating_sub(expected)
        .saturating_abs()
}

/// Whether it would have arrived before it was sent.
fn is_early(x: &Sent, y: &Sent, clock: &Clock, at_a: bool) -> bool {
    let way = clock.difference(x.time_ns, y.time_ns);
    let way = if at_a { way } else { way.saturating_neg() };
    way < clock.uncertainty_ns.saturating_mul(-2).saturating_sub(SLACK_NS)
}

/// The packets of `seen` that can be paired. Where no capture has the bare ACK, the first data carried it.
fn packets(seen: &Seen, other: &Seen, kind: Kind, from_low: bool) -> Vec<Sent> {
    let has_ack = |s: &Seen| s.of(Kind::Ack, from_low).next().is_some();
    let most = usize::from(kind == Kind::Ack && !has_ack(seen) && !has_ack(other));
    let carriers = seen.of(Kind::Data, from_low).take(most);
    seen.of(kind, from_low).chain(carriers).copied().collect()
}

/// What is the same for all transmissions of one segment.
const fn numbers(sent: &Sent) -> (u32, u32) {
    match sent.kind {
        Kind::Syn => (sent.seq, 0),
        _ => (sent.seq, sent.ack),
    }
}
