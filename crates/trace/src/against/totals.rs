//! The sums over all handshakes.

use std::collections::BTreeMap;

use halfopen_track::Outcome;
use halfopen_track::quantiles::{Precision, Quantiles};

use super::Comparison;
use super::judge::{Compared, Fate, Why};
use super::pair::KINDS;
use super::seen::Kind;

/// Packets of one kind and direction, by fate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts([u64; 4]);

impl Counts {
    /// How many had this fate.
    pub const fn get(&self, fate: Fate) -> u64 {
        self.0[fate as usize]
    }

    /// All of them.
    pub fn sum(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// The parts of the time, each as a distribution.
#[derive(Clone, Debug)]
pub struct Splits {
    /// From the point near the client to the other.
    pub there: Quantiles,
    /// And back.
    pub back: Quantiles,
    /// Both.
    pub between: Quantiles,
    /// Behind the point near the server.
    pub server_side: Quantiles,
    /// Before the point near the client.
    pub client_side: Quantiles,
}

/// The sums.
#[derive(Clone, Debug)]
pub struct Totals {
    /// Handshakes whose client is nearer to the first point, to the second, and where that cannot be told.
    pub client_at: [u64; 3],
    /// In both captures.
    pub common: u64,
    /// Of these, with numbers rewritten on the way.
    pub rewritten: u64,
    /// Handshakes that lost a packet between the points, those that lost all included.
    pub with_loss: u64,
    /// Handshakes that lost all their packets: they are in one capture only.
    pub lost_whole: u64,
    /// By kind (in the order of [`KINDS`]) and sender: client, server.
    pub packets: [[Counts; 2]; 4],
    /// Handshakes in one capture only, by capture and reason.
    pub single: BTreeMap<(usize, Why), u64>,
    /// Common handshakes that ended differently at the two points.
    pub differing: BTreeMap<(&'static str, &'static str), u64>,
    /// SYNs that passed both points and drew no answer.
    pub unanswered_syns: u64,
    /// Handshakes of these.
    pub with_unanswered_syns: u64,
    /// SYN-ACKs that passed both points and drew no answer of the client.
    pub unanswered_syn_acks: u64,
    /// The parts of the time.
    pub splits: Splits,
    /// Handshakes with losses, most losses first: places in [`Comparison::handshakes`].
    pub worst: Vec<usize>,
}

/// Handshakes that are named one by one at most.
const WORST: usize = 1000;

impl Totals {
    /// Sums up.
    pub fn of(comparison: &Comparison) -> Self {
        let new = || Quantiles::new(Precision::TOTAL);
        let mut totals = Self {
            client_at: [0; 3],
            common: 0,
            rewritten: 0,
            with_loss: 0,
            lost_whole: 0,
            packets: [[Counts::default(); 2]; 4],
            single: BTreeMap::new(),
            differing: BTreeMap::new(),
            unanswered_syns: 0,
            with_unanswered_syns: 0,
            unanswered_syn_acks: 0,
            splits: Splits {
                there: new(),
                back: new(),
                between: new(),
                server_side: new(),
                client_side: new(),
            },
            worst: Vec::new(),
        };
        let mut losers: Vec<(usize, usize)> = Vec::new();
        for (place, compared) in comparison.handshakes().enumerate() {
            totals.add(&compared);
            totals.compare_outcomes(comparison, &compared);
            let lost = compared.lost();
            if lost > 0 {
                totals.with_loss += 1;
                losers.push((usize::MAX - lost, place));
            }
        }
        losers.sort_unstable();
        totals.worst = losers.into_iter().take(WORST).map(|(_, place)| place).collect();
        totals
    }

    fn add(&mut self, compared: &Compared) {
        if let Some(why) = compared.why {
            *self.single.entry((usize::from(compared.a.is_none()), why)).or_default() += 1;
            self.lost_whole += u64::from(why == Why::Lost);
        } else {
            self.common += 1;
            self.client_at[match compared.client_at_a {
                Some(true) => 0,
                Some(false) => 1,
                None => 2,
            }] += 1;
        }
        self.rewritten += u64::from(compared.rewritten);
        self.unanswered_syns += u64::from(compared.unanswered_syns);
        self.with_unanswered_syns += u64::from(compared.unanswered_syns > 0);
        self.unanswered_syn_acks += u64::from(compared.unanswered_syn_ack);
        for sent in &compared.transmissions {
            let counts = &mut self.packets[row(sent.kind)][usize::from(!sent.from_client)];
            counts.0[sent.fate as usize] += 1;
        }
        let split = &compared.split;
        for (quantiles, value) in [
            (&mut self.splits.there, split.there_ns),
            (&mut self.splits.back, split.back_ns),
            (&mut self.splits.between, split.between_ns),
            (&mut self.splits.server_side, split.server_side_ns),
            (&mut self.splits.client_side, split.client_side_ns),
        ] {
            if let Some(ns) = value {
                quantiles.add(ns);
            }
        }
    }

    fn compare_outcomes(&mut self, comparison: &Comparison, compared: &Compared) {
        let outcome = |seen: Option<&super::Seen>| seen.map(|s| s.outcome);
        let both = outcome(comparison.in_a(compared)).zip(outcome(comparison.in_b(compared)));
        if let Some((a, b)) = both.filter(|(a, b)| a != b && *a != Outcome::Partial && *b != Outcome::Partial) {
            *self.differing.entry((a.name(), b.name())).or_default() += 1;
        }
    }

    /// Packets lost between the points.
    pub fn lost(&self) -> u64 {
        self.packets.iter().flatten().map(|c| c.get(Fate::Lost)).sum()
    }
}

fn row(kind: Kind) -> usize {
    KINDS.iter().position(|&k| k == kind).unwrap_or(0)
}
