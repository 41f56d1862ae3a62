//! What became of each packet of a handshake, and how its time splits at the two points.

use super::clock::Clock;
use super::collect::Point;
use super::matching::Match;
use super::pair::{Basis, KINDS, Marks, Pair, is_doubled, pairs};
use super::seen::{Kind, Seen, Sent};
use super::side::Sides;

/// What became of a packet between the two points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Seen at both.
    Passed,
    /// Seen where it came from, and not at the other point.
    Lost,
    /// Seen only at the far point: the near capture missed it.
    NotCaptured,
    /// Seen at one point while the other did not capture, or nothing tells which point it came from.
    NotJudged,
}

impl Fate {
    /// Every value.
    pub const ALL: [Self; 4] = [Self::Passed, Self::Lost, Self::NotCaptured, Self::NotJudged];

    /// The spelling in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Lost => "lost",
            Self::NotCaptured => "not_captured",
            Self::NotJudged => "not_judged",
        }
    }
}

/// Why a handshake is in one capture only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Why {
    /// It began before the first packet of the other capture.
    BeforeOtherBegan,
    /// It began after the last one.
    AfterOtherEnded,
    /// All its packets were lost on the way to the other point.
    Lost,
    /// The other capture has nothing of this server: a filter, or another path.
    ServerNotSeen,
    /// The other capture has other handshakes of this server: packets dropped while capturing, a filter, another path.
    Missed,
}

impl Why {
    /// The spelling in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeOtherBegan => "before_other_began",
            Self::AfterOtherEnded => "after_other_ended",
            Self::Lost => "lost",
            Self::ServerNotSeen => "server_not_seen",
            Self::Missed => "missed",
        }
    }
}

/// One packet and its fate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transmission {
    /// What it is.
    pub kind: Kind,
    /// The client sent it.
    pub from_client: bool,
    /// What became of it.
    pub fate: Fate,
    /// Where it was seen.
    pub pair: Pair,
    /// Time between the points.
    pub way_ns: Option<i64>,
}

/// The parts of a handshake's time, nanoseconds. Those that need the clocks to be compared are `None` without.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Split {
    /// SYN from the point near the client to the one near the server.
    pub there_ns: Option<i64>,
    /// SYN-ACK back.
    pub back_ns: Option<i64>,
    /// Both: the round trip between the points; free of the clocks' offset.
    pub between_ns: Option<i64>,
    /// SYN to SYN-ACK at the point near the server: what lies behind it.
    pub server_side_ns: Option<i64>,
    /// SYN-ACK to ACK at the point near the client: what lies before it.
    pub client_side_ns: Option<i64>,
}

/// One handshake, compared.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Index in the first capture.
    pub a: Option<usize>,
    /// Index in the second.
    pub b: Option<usize>,
    /// The first point is nearer to the client.
    pub client_at_a: Option<bool>,
    /// Why it is in one capture only.
    pub why: Option<Why>,
    /// Something in between changes sequence numbers or answers itself: packets were not compared.
    pub rewritten: bool,
    /// Its packets.
    pub transmissions: Vec<Transmission>,
    /// SYNs that reached the point near the server and drew no answer there.
    pub unanswered_syns: u32,
    /// The SYN-ACK reached the point near the client, and no packet of the client followed there.
    pub unanswered_syn_ack: bool,
    /// Its time.
    pub split: Split,
}

impl Compared {
    /// Packets lost between the points.
    pub fn lost(&self) -> usize {
        self.transmissions.iter().filter(|t| t.fate == Fate::Lost).count()
    }
}

/// Everything that judging needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// The first capture.
    pub a: &'a Point,
    /// The second.
    pub b: &'a Point,
    /// Marks that survive.
    pub marks: &'a Marks,
    /// Who is where.
    pub sides: &'a Sides,
    /// How the clocks relate.
    pub clock: Option<&'a Clock>,
}

/// A SYN this close to the end of the capture may yet have been answered: no client waits less before it tries again
/// (RFC 6298 section 2).
const ANSWER_NS: i64 = 1_000_000_000;

impl Judge<'_> {
    /// A handshake that both captures have.
    pub fn common(&self, m: &Match) -> Option<Compared> {
        let (a, b) = (self.a.seen.get(m.a)?, self.b.seen.get(m.b)?);
        let low_at_a = self.sides.low_at_a(a);
        let client_at_a = low_at_a.map(|low| low == a.client_low);
        let mut compared = Compared {
            a: Some(m.a),
            b: Some(m.b),
            client_at_a,
            why: None,
            rewritten: m.rewritten,
            transmissions: Vec::new(),
            unanswered_syns: 0,
            unanswered_syn_ack: false,
            split: Split::default(),
        };
        if m.rewritten {
            return Some(compared);
        }
        let basis = Basis {
            marks: self.marks,
            clock: self.clock.zip(low_at_a),
        };
        for kind in KINDS {
            for from_low in [a.client_low, !a.client_low] {
                let at_a = low_at_a.map(|low| low == from_low);
                let cut = a.omitted > 0 || b.omitted > 0;
                let found = pairs(a, b, kind, from_low, basis);
                // Behind the way only: two alike where they were sent are two transmissions.
                let came = |pair: &&Pair| at_a == Some(pair.a.is_none()) && is_doubled(pair, &found);
                let counted = found.iter().filter(|pair| !came(pair));
                compared.transmissions.extend(
                    counted.filter_map(|&pair| self.transmission(pair, kind, from_low == a.client_low, at_a, cut)),
                );
            }
        }
        let time = |t: &Transmission| t.pair.a.map_or_else(|| self.on_a(t.pair.b), |s| s.time_ns);
        compared.transmissions.sort_by_key(time);
        if let Some(client_at_a) = client_at_a {
            let (near, far) = if client_at_a { (a, b) } else { (b, a) };
            let far_end = if client_at_a { self.b.last_ns } else { self.a.last_ns };
            compared.unanswered_syns = unanswered_syns(far, far_end);
            compared.unanswered_syn_ack = is_syn_ack_unanswered(near);
            compared.split = self.split(&compared.transmissions, near, far, client_at_a);
        }
        Some(compared)
    }

    fn on_a(&self, sent: Option<Sent>) -> i64 {
        let time = sent.map_or(0, |s| s.time_ns);
        self.clock.map_or(time, |c| c.to_a(time))
    }

    /// The fate of one packet; `None` for what cannot be expected at both points.
    fn transmission(
        &self,
        pair: Pair,
        kind: Kind,
        from_client: bool,
        at_a: Option<bool>,
        cut: bool,
    ) -> Option<Transmission> {
        let sent = pair.any()?;
        let way_ns = pair.both().zip(self.clock).zip(at_a).map(|(((a, b), clock), at_a)| {
            let way = clock.difference(a.time_ns, b.time_ns);
            if at_a { way } else { way.saturating_neg() }
        });
        let only_a = pair.a.is_some();
        let fate = match (pair.both(), at_a) {
            // After completion an RST belongs to the closing; and one that comes late is not kept.
            (both, _) if kind == Kind::Rst && !both.map_or(sent.opening, |(a, b)| a.opening || b.opening) => {
                return None;
            }
            (None, Some(at_a)) if kind == Kind::Rst && at_a != only_a => return None,
            (Some(_), _) => Fate::Passed,
            (None, _) if cut || !self.is_covered(sent.time_ns, only_a, at_a) => Fate::NotJudged,
            (None, None) => Fate::NotJudged,
            (None, Some(at_a)) if at_a == only_a => Fate::Lost,
            (None, Some(_)) => Fate::NotCaptured,
        };
        Some(Transmission {
            kind,
            from_client,
            fate,
            pair,
            way_ns,
        })
    }

    /// Whether the other capture was running when a packet that one has must have passed it.
    fn is_covered(&self, time_ns: i64, only_a: bool, at_a: Option<bool>) -> bool {
        let Some(clock) = self.clock else { return true };
        let way = at_a.map_or(0, |at_a| clock.usual_ns(at_a));
        let way = if at_a == Some(only_a) {
            way
        } else {
            way.saturating_neg()
        };
        let (there, other) = if only_a {
            (clock.to_b(time_ns), self.b)
        } else {
            (clock.to_a(time_ns), self.a)
        };
        let there = there.saturating_add(way);
        other.first_ns.is_some_and(|first| there >= first) && other.last_ns.is_some_and(|last| there <= last)
    }

    /// A handshake that one capture has; `servers` are those of the other.
    pub fn single(&self, place: usize, in_a: bool, is_known: impl Fn(&Seen) -> bool) -> Option<Compared> {
        let (this, other) = if in_a { (self.a, self.b) } else { (self.b, self.a) };
        let seen = this.seen.get(place)?;
        let client_at_a = self.sides.client_at_a(seen);
        let why = self.why(seen, in_a, other, client_at_a, is_known(seen));
        let transmissions = if why == Why::Lost {
            let syns = seen.of(Kind::Syn, seen.client_low).filter(|s| !s.copy);
            let lost = |sent: &Sent| {
                let pair = Pair {
                    a: in_a.then_some(*sent),
                    b: (!in_a).then_some(*sent),
                    sure: false,
                };
                self.transmission(pair, Kind::Syn, true, Some(in_a), seen.omitted > 0)
            };
            syns.filter_map(lost).collect()
        } else {
            Vec::new()
        };
        Some(Compared {
            a: in_a.then_some(place),
            b: (!in_a).then_some(place),
            client_at_a,
            why: Some(why),
            rewritten: false,
            transmissions,
            unanswered_syns: 0,
            unanswered_syn_ack: false,
            split: Split::default(),
        })
    }

    fn why(&self, seen: &Seen, in_a: bool, other: &Point, client_at_a: Option<bool>, is_known: bool) -> Why {
        let there = match (self.clock, in_a) {
            (Some(clock), true) => clock.to_b(seen.start_ns),
            (Some(clock), false) => clock.to_a(seen.start_ns),
            (None, _) => seen.start_ns,
        };
        let only_client = seen.packets.iter().all(|p| p.from_low == seen.client_low);
        match (other.first_ns, other.last_ns) {
            (Some(first), _) if there < first => Why::BeforeOtherBegan,
            (_, Some(last)) if there > last => Why::AfterOtherEnded,
            (None, _) | (_, None) => Why::AfterOtherEnded,
            _ if !is_known => Why::ServerNotSeen,
            _ if client_at_a == Some(in_a) && only_client => Why::Lost,
            _ => Why::Missed,
        }
    }

    fn split(&self, all: &[Transmission], near: &Seen, far: &Seen, client_at_a: bool) -> Split {
        let at = |pair: &Pair, want_near: bool| if want_near == client_at_a { pair.a } else { pair.b };
        let passed = |kind| {
            all.iter()
                .filter(move |t| t.kind == kind && t.fate == Fate::Passed && t.from_client == (kind != Kind::SynAck))
        };
        let Some(answer) = passed(Kind::SynAck).next() else {
            return Split::default();
        };
        let Some(answer_far) = at(&answer.pair, false) else {
            return Split::default();
        };
        // The SYN that was answered: the last that was at the far point before the first answer there.
        let first_answer = far
            .of(Kind::SynAck, !far.client_low)
            .map(|s| s.time_ns)
            .min()
            .unwrap_or(answer_far.time_ns);
        let before = |t: &&Transmission| at(&t.pair, false).is_some_and(|s| s.time_ns <= first_answer);
        let syn = passed(Kind::Syn).rfind(before);
        let between = syn.and_then(|syn| self.longer_at_a(&syn.pair, &answer.pair));
        let between_ns = between.map(|ns| if client_at_a { ns } else { ns.saturating_neg() });
        let client_side_ns = at(&answer.pair, true).and_then(|s| {
            let acks = near.packets.iter().filter(|p| p.from_low == near.client_low);
            acks.filter(|p| matches!(p.kind, Kind::Ack | Kind::Data) && p.time_ns >= s.time_ns)
                .map(|p| p.time_ns.saturating_sub(s.time_ns))
                .next()
        });
        Split {
            there_ns: syn.and_then(|t| t.way_ns),
            back_ns: answer.way_ns,
            between_ns,
            server_side_ns: syn
                .and_then(|t| at(&t.pair, false))
                .map(|s| first_answer.saturating_sub(s.time_ns)),
            client_side_ns,
        }
    }

    /// How much longer the exchange took at the first point: a duration of each clock, so that their offset falls out.
    fn longer_at_a(&self, question: &Pair, answer: &Pair) -> Option<i64> {
        let ((qa, qb), (ra, rb)) = question.both().zip(answer.both())?;
        let gained = self.clock.map_or(0, |clock| {
            clock.ahead_at(ra.time_ns).saturating_sub(clock.ahead_at(qa.time_ns))
        });
        let at_a = ra.time_ns.saturating_sub(qa.time_ns);
        let at_b = rb.time_ns.saturating_sub(qb.time_ns).saturating_sub(gained);
        Some(at_a.saturating_sub(at_b))
    }
}

/// SYNs at the point near the server that were followed by another, or by nothing, instead of an answer.
fn unanswered_syns(far: &Seen, end_ns: Option<i64>) -> u32 {
    let answers = far
        .packets
        .iter()
        .filter(|p| p.from_low != far.client_low && p.kind != Kind::Data);
    let first_answer = answers.map(|p| p.time_ns).min();
    let syns: Vec<i64> = far
        .of(Kind::Syn, far.client_low)
        .filter(|p| !p.copy)
        .map(|p| p.time_ns)
        .collect();
    let count = if let Some(first) = first_answer {
        syns.iter().filter(|&&t| t <= first).count().saturating_sub(1)
    } else {
        let could_be = |t: i64| end_ns.is_some_and(|end| t.saturating_add(ANSWER_NS) <= end);
        syns.iter().filter(|&&t| could_be(t)).count()
    };
    count as u32
}

fn is_syn_ack_unanswered(near: &Seen) -> bool {
    let answer = near.of(Kind::SynAck, !near.client_low).map(|p| p.time_ns).next();
    let completed = matches!(near.outcome, halfopen_track::Outcome::Established);
    answer.is_some_and(|at| {
        let mut after = near.packets.iter().filter(|p| p.from_low == near.client_low);
        !completed && !after.any(|p| p.kind != Kind::Syn && p.time_ns >= at)
    })
}
