//! The plain counts of a number of handshakes: of all, of one endpoint, of one host.

use super::waiting::Waiting;
use crate::{Handshake, Outcome};

/// Waits for a retransmitted SYN, seconds. Linux sends again after 1, 3, 7, 15, 31, 63 s (`tcp_syn_retries`, doubling from an initial
/// RTO of 1 s, RFC 6298), since 6.5 also after 1, 2, 3, 4, 5 s first (`tcp_syn_linear_timeouts`); other systems lie between.
pub const WAIT_SECONDS: [u32; 19] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 31, 63, 127];

/// Index into [`WAIT_SECONDS`] of the value nearest to a wait.
fn wait_index(ns: i64) -> usize {
    let half_seconds = ns.max(0) / 500_000_000;
    WAIT_SECONDS
        .windows(2)
        .position(|pair| half_seconds < i64::from(pair[0] + pair[1]))
        .unwrap_or(WAIT_SECONDS.len() - 1)
}

/// Retransmissions of SYN and SYN-ACK.
#[derive(Clone, Debug, Default)]
pub struct Retransmission {
    /// Attempts whose SYN was sent more than once.
    pub syn_handshakes: u64,
    /// Attempts whose SYN-ACK was sent more than once.
    pub syn_ack_handshakes: u64,
    /// SYNs beyond the first of each attempt.
    pub syn: u64,
    /// SYN-ACKs beyond the first of each attempt.
    pub syn_ack: u64,
    /// Attempts of which it is known which SYN was answered.
    pub answered: u64,
    /// Of these, the ones where it was not the first.
    pub waited: u64,
    waits: Option<Box<[u32; WAIT_SECONDS.len()]>>,
}

impl Retransmission {
    fn add(&mut self, h: &Handshake) {
        self.syn_handshakes += u64::from(h.syn_sent > 1);
        self.syn_ack_handshakes += u64::from(h.syn_ack_sent > 1);
        self.syn += u64::from(h.syn_sent.saturating_sub(1));
        self.syn_ack += u64::from(h.syn_ack_sent.saturating_sub(1));
        let Some(wait) = h.retransmit_wait_ns else { return };
        self.answered += 1;
        if wait > 0 {
            self.waited += 1;
            let count = &mut self.waits.get_or_insert_default()[wait_index(wait)];
            *count = count.saturating_add(1);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.syn_handshakes += other.syn_handshakes;
        self.syn_ack_handshakes += other.syn_ack_handshakes;
        self.syn += other.syn;
        self.syn_ack += other.syn_ack;
        self.answered += other.answered;
        self.waited += other.waited;
        if let Some(theirs) = &other.waits {
            let mine = self.waits.get_or_insert_default();
            for (mine, &n) in mine.iter_mut().zip(theirs.iter()) {
                *mine = mine.saturating_add(n);
            }
        }
    }

    /// The waits that occurred: nearest of [`WAIT_SECONDS`], and how many.
    pub fn waits(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let counts = self.waits.iter().flat_map(|w| w.iter().copied());
        WAIT_SECONDS.into_iter().zip(counts).filter(|&(_, n)| n > 0)
    }

    fn heap_bytes(&self) -> usize {
        self.waits.as_ref().map_or(0, |w| size_of_val(&**w))
    }
}

/// Where between the ends the capture was taken, as far as the split of the round trip says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Split {
    /// Attempts that say anything.
    pub judged: u64,
    /// SYN-ACK → ACK takes at most a fifth of answered SYN → ACK.
    pub near_client: u64,
    /// It takes at least four fifths.
    pub near_server: u64,
    /// By tenths of that share.
    pub tenths: [u64; 10],
}

impl Split {
    fn add(&mut self, h: &Handshake) {
        let Some((before, after)) = Self::parts(h) else { return };
        let whole = before + after;
        self.judged += 1;
        self.near_client += u64::from(5 * after <= whole);
        self.near_server += u64::from(5 * after >= 4 * whole);
        self.tenths[(10 * after / whole).min(9) as usize] += 1;
    }

    /// Answered SYN → SYN-ACK and SYN-ACK → ACK. A SYN-ACK that was sent twice says nothing: the second part then holds the
    /// server's timer. Nor do two simultaneous SYNs.
    fn parts(h: &Handshake) -> Option<(u128, u128)> {
        if h.outcome != Outcome::Established || h.syn_ack_sent != 1 || h.simultaneous {
            return None;
        }
        let before = answered_syn_to_syn_ack(h)?.max(0) as u128;
        let after = h.syn_ack_to_ack_ns?.max(0) as u128;
        (before + after > 0).then_some((before, after))
    }

    fn merge(&mut self, other: &Self) {
        self.judged += other.judged;
        self.near_client += other.near_client;
        self.near_server += other.near_server;
        for (mine, theirs) in self.tenths.iter_mut().zip(other.tenths) {
            *mine += theirs;
        }
    }
}

/// From the SYN that was answered to its SYN-ACK.
pub fn answered_syn_to_syn_ack(h: &Handshake) -> Option<i64> {
    Some(h.syn_to_syn_ack_ns?.saturating_sub(h.retransmit_wait_ns?))
}

/// Counts of a number of handshakes.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Attempts.
    pub handshakes: u64,
    outcomes: [u64; Outcome::ALL.len()],
    /// SYN transmissions.
    pub syn_sent: u64,
    /// SYN-ACK transmissions.
    pub syn_ack_sent: u64,
    /// Retransmissions and the waits for them.
    pub retransmission: Retransmission,
    /// How the round trip splits.
    pub split: Split,
    /// Unanswered attempts with one SYN, by when they sent it.
    pub no_answer: Waiting,
    /// Half-open ones with one SYN-ACK, by when it came.
    pub no_ack: Waiting,
    /// Smallest answered SYN → SYN-ACK, nanoseconds.
    pub round_trip_min_ns: Option<i64>,
    /// Start of the earliest attempt; above `last_ns` while there is none.
    pub first_ns: i64,
    /// Start of the latest attempt.
    pub last_ns: i64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            handshakes: 0,
            outcomes: [0; Outcome::ALL.len()],
            syn_sent: 0,
            syn_ack_sent: 0,
            retransmission: Retransmission::default(),
            split: Split::default(),
            no_answer: Waiting::default(),
            no_ack: Waiting::default(),
            round_trip_min_ns: None,
            first_ns: i64::MAX,
            last_ns: i64::MIN,
        }
    }
}

impl Tally {
    /// Counts one handshake.
    #[inline]
    pub fn add(&mut self, h: &Handshake) {
        self.handshakes += 1;
        self.outcomes[h.outcome as usize] += 1;
        self.syn_sent += u64::from(h.syn_sent);
        self.syn_ack_sent += u64::from(h.syn_ack_sent);
        if h.timed {
            self.first_ns = self.first_ns.min(h.start_ns);
            self.last_ns = self.last_ns.max(h.start_ns);
            self.wait(h);
        }
        self.retransmission.add(h);
        if let Some(ns) = answered_syn_to_syn_ack(h) {
            self.round_trip_min_ns = Some(self.round_trip_min_ns.map_or(ns, |min| min.min(ns)));
            self.split.add(h);
        }
    }

    fn wait(&mut self, h: &Handshake) {
        match (h.outcome, h.syn_to_syn_ack_ns) {
            (Outcome::Unanswered, _) if h.syn_sent == 1 => self.no_answer.add(h.start_ns),
            (Outcome::HalfOpen, Some(ns)) if h.syn_ack_sent == 1 => self.no_ack.add(h.start_ns.saturating_add(ns)),
            _ => {}
        }
    }

    /// As [`Tally::add`] for one SYN and nothing else, sent at `start_ns`.
    #[inline]
    pub fn unanswered(&mut self, start_ns: i64) {
        self.handshakes += 1;
        self.outcomes[Outcome::Unanswered as usize] += 1;
        self.syn_sent += 1;
        self.no_answer.add(start_ns);
        self.first_ns = self.first_ns.min(start_ns);
        self.last_ns = self.last_ns.max(start_ns);
    }

    /// Adds all of another tally.
    pub fn merge(&mut self, other: &Self) {
        self.handshakes += other.handshakes;
        for (mine, theirs) in self.outcomes.iter_mut().zip(other.outcomes) {
            *mine += theirs;
        }
        self.syn_sent += other.syn_sent;
        self.syn_ack_sent += other.syn_ack_sent;
        self.retransmission.merge(&other.retransmission);
        self.split.merge(&other.split);
        self.no_answer.merge(&other.no_answer);
        self.no_ack.merge(&other.no_ack);
        self.round_trip_min_ns = [self.round_trip_min_ns, other.round_trip_min_ns]
            .into_iter()
            .flatten()
            .min();
        self.first_ns = self.first_ns.min(other.first_ns);
        self.last_ns = self.last_ns.max(other.last_ns);
    }

    /// How many ended so.
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// Attempts that drew any answer, be it a refusal.
    pub fn answered(&self) -> u64 {
        self.handshakes - self.outcome(Outcome::Unanswered) - self.outcome(Outcome::Timeout)
    }

    /// Attempts that ended, as far as the capture shows it, without a connection.
    pub fn failed(&self) -> u64 {
        self.handshakes - self.outcome(Outcome::Established) - self.outcome(Outcome::Partial)
    }

    /// Established of those that were not partial, 0 to 1.
    pub fn completed_share(&self) -> Option<f64> {
        let judged = self.handshakes - self.outcome(Outcome::Partial);
        (judged > 0).then(|| self.outcome(Outcome::Established) as f64 / judged as f64)
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.retransmission.heap_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{established, handshake};
    use super::*;

    #[test]
    fn waits_go_to_the_nearest_timer() {
        let ms = |n: i64| n * 1_000_000;
        for (wait, seconds) in [
            (1, 0),
            (ms(499), 0),
            (ms(500), 1),
            (ms(1031), 1),
            (ms(1499), 1),
            (ms(3070), 3),
            (ms(7140), 7),
            (ms(22_000), 15),
            (ms(23_000), 31),
            (ms(46_000), 31),
            (ms(63_500), 63),
            (ms(127_000), 127),
            (i64::MAX, 127),
        ] {
            assert_eq!(WAIT_SECONDS[wait_index(wait)], seconds, "{wait} ns");
        }
    }

    #[test]
    fn retransmissions_are_counted_by_attempt_and_by_packet() {
        let mut tally = Tally::default();
        let mut h = established(10_000, 200);
        tally.add(&h);
        h.syn_sent = 3;
        h.retransmit_wait_ns = Some(3_010_000_000);
        tally.add(&h);
        h.syn_ack_sent = 2;
        h.retransmit_wait_ns = None;
        tally.add(&h);
        let r = &tally.retransmission;
        assert_eq!((r.syn_handshakes, r.syn, r.syn_ack_handshakes, r.syn_ack), (2, 4, 1, 1));
        assert_eq!((r.answered, r.waited), (2, 1));
        assert_eq!(r.waits().collect::<Vec<_>>(), [(3, 1)]);
    }

    #[test]
    fn the_split_tells_the_ends_apart() {
        for (before, after, want) in [
            (20_000, 100, (1, 1, 0)),
            (100, 20_000, (1, 0, 1)),
            (1000, 1000, (1, 0, 0)),
            (0, 0, (0, 0, 0)),
        ] {
            let mut tally = Tally::default();
            tally.add(&established(before, after));
            let split = tally.split;
            assert_eq!(
                (split.judged, split.near_client, split.near_server),
                want,
                "{before} {after}"
            );
            assert_eq!(split.tenths.iter().sum::<u64>(), split.judged);
        }
    }

    #[test]
    fn a_repeated_syn_ack_says_nothing_about_the_split() {
        let mut tally = Tally::default();
        tally.add(&Handshake {
            syn_ack_sent: 2,
            ..established(100, 1_000_000)
        });
        assert_eq!(tally.split, Split::default());
    }

    #[test]
    fn shares_leave_partial_attempts_out() {
        let mut tally = Tally::default();
        assert_eq!(tally.completed_share(), None);
        for outcome in [
            Outcome::Partial,
            Outcome::Established,
            Outcome::Refused,
            Outcome::Unanswered,
            Outcome::Timeout,
        ] {
            tally.add(&handshake(outcome));
        }
        assert_eq!(
            (tally.answered(), tally.failed(), tally.completed_share()),
            (3, 3, Some(0.25))
        );
    }

    #[test]
    fn a_merged_tally_is_the_tally_of_both() {
        let all = [
            established(500, 7),
            handshake(Outcome::Refused),
            Handshake {
                start_ns: -5,
                timed: true,
                ..established(9, 900)
            },
        ];
        let mut whole = Tally::default();
        let (mut a, mut b) = (Tally::default(), Tally::default());
        for h in &all {
            whole.add(h);
        }
        all[..1].iter().for_each(|h| a.add(h));
        all[1..].iter().for_each(|h| b.add(h));
        a.merge(&b);
        assert_eq!(format!("{a:?}"), format!("{whole:?}"));
    }
}
