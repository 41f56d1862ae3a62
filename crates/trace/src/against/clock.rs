//! How the clock of the second capture relates to that of the first.
//!
//! A packet from the side of the first capture says: the second clock is ahead by *at most* the difference of its two
//! times, since it cannot have arrived before it was sent. A packet the other way says by *at least* how much. Every line
//! *offset + drift · t* that keeps below all of the former and above all of the latter is possible; the one in the middle,
//! which leaves both directions the same smallest time on the way, is the estimate, and how far the others reach is its
//! uncertainty. (The lower envelopes of Paxson, «On Calibrating Measurements of Packet Transit Times», 1998, section 4,
//! taken in both directions.) So the stated bounds hold whatever the delays are, as long as drift is steady.

/// One packet seen at both points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// When, on the first clock.
    pub at_ns: i64,
    /// Its time on the second clock less that on the first.
    pub ahead_ns: i64,
    /// It passed the first point first.
    pub from_a: bool,
}

/// The relation. Times in nanoseconds, rates in parts per billion of the first clock.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Clock {
    /// The second clock less the first, in the middle of the common time.
    pub offset_ns: i64,
    /// The true offset is within this much of it.
    pub uncertainty_ns: i64,
    /// That middle, on the first clock.
    pub middle_ns: i64,
    /// How fast the second clock gains on the first, where the time is long enough to tell.
    pub drift: Option<Drift>,
    /// The shortest round trip between the points that was seen.
    pub shortest_round_trip_ns: i64,
    /// Medians of the time on the way: from the first point to the second, and back.
    usual_ns: [i64; 2],
    /// Packets used: from the side of the first point, and from the other.
    pub samples: [u64; 2],
    /// From the first to the last of them.
    pub span_ns: i64,
}

/// A rate in parts per million.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Drift {
    /// The estimate.
    pub ppm: f64,
    /// The true rate is within this much of it.
    pub uncertainty_ppm: f64,
}

/// Why there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoClock {
    /// No packet was seen at both points.
    NoPackets,
    /// Packets were, but nothing tells which point they passed first.
    NoDirection,
    /// Packets of one direction only: the offset cannot be told from the time on the way.
    OneDirection,
    /// No steady clock explains the times: one of them was set meanwhile, or the captures are not of one path.
    Contradiction,
}

impl NoClock {
    /// The spelling in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoPackets => "no_packets",
            Self::NoDirection => "no_direction",
            Self::OneDirection => "one_direction",
            Self::Contradiction => "contradiction",
        }
    }
}

/// Clocks that are steered by NTP run at most this wrong (`MAXFREQ`, include/linux/timex.h), ppm.
const STEERED_PPM: f64 = 500.0;
/// No oscillator is worse than this; more is a clock that was set.
const WORST_PPM: f64 = 20_000.0;
/// A drift that is known no better than this is not worth saying, unless there must be one.
const KNOWN_PPM: f64 = 20.0;
/// Without drift the shortest round trip would be less than this share of what it is with the best: possible, but no path
/// has a moment so much faster than all others just where a drift would explain it.
const UNLIKELY_SHARE: f64 = 0.8;
/// Halvings of an interval of rates: far below a nanosecond over any capture.
const STEPS: u32 = 80;

impl Clock {
    /// Estimates it.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub fn estimate(samples: &[Sample]) -> Result<Self, NoClock> {
        let (Some(first), Some(last)) = (
            samples.iter().map(|s| s.at_ns).min(),
            samples.iter().map(|s| s.at_ns).max(),
        ) else {
            return Err(NoClock::NoPackets);
        };
        let frame = Frame {
            middle_ns: first + (last.saturating_sub(first)) / 2,
            base_ns: samples[0].ahead_ns,
        };
        let above = Envelope::new(&frame, samples.iter().filter(|s| s.from_a), 1.0);
        let below = Envelope::new(&frame, samples.iter().filter(|s| !s.from_a), -1.0);
        if above.points.is_empty() || below.points.is_empty() {
            return Err(NoClock::OneDirection);
        }
        let corridor = Corridor { above, below };
        let fit = corridor.fit().ok_or(NoClock::Contradiction)?;
        let mut clock = Self {
            offset_ns: frame.base_ns.saturating_add(fit.offset.round() as i64),
            // The time stamps themselves are whole microseconds in most captures.
            uncertainty_ns: (fit.reach.ceil() as i64).saturating_add(1_000),
            middle_ns: frame.middle_ns,
            drift: fit.drift,
            shortest_round_trip_ns: fit.width.round() as i64,
            usual_ns: [0; 2],
            samples: [true, false].map(|from_a| samples.iter().filter(|s| s.from_a == from_a).count() as u64),
            span_ns: last.saturating_sub(first),
        };
        clock.usual_ns = [true, false].map(|from_a| clock.median(samples, from_a));
        Ok(clock)
    }

    fn median(&self, samples: &[Sample], from_a: bool) -> i64 {
        let mut ways: Vec<i64> = samples
            .iter()
            .filter(|s| s.from_a == from_a)
            .map(|s| {
                let way = s.ahead_ns.saturating_sub(self.ahead_at(s.at_ns));
                if from_a { way } else { way.saturating_neg() }
            })
            .collect();
        let middle = ways.len() / 2;
        *ways.select_nth_unstable(middle).1
    }

    /// How much the second clock is ahead at a time of the first.
    pub fn ahead_at(&self, a_ns: i64) -> i64 {
        let drifted = self
            .drift
            .map_or(0.0, |d| a_ns.saturating_sub(self.middle_ns) as f64 * d.ppm / 1e6);
        self.offset_ns.saturating_add(drifted.round() as i64)
    }

    /// A time of the first clock on the second.
    pub fn to_b(&self, a_ns: i64) -> i64 {
        a_ns.saturating_add(self.ahead_at(a_ns))
    }

    /// A time of the second clock on the first.
    pub fn to_a(&self, b_ns: i64) -> i64 {
        let about = b_ns.saturating_sub(self.offset_ns);
        let rate = self.drift.map_or(0.0, |d| d.ppm / 1e6);
        let drifted = about.saturating_sub(self.middle_ns) as f64 * rate / (1.0 + rate);
        about.saturating_sub(drifted.round() as i64)
    }

    /// From a time of the first clock to one of the second, with the clocks made equal.
    pub fn difference(&self, a_ns: i64, b_ns: i64) -> i64 {
        b_ns.saturating_sub(self.to_b(a_ns))
    }

    /// Median time on the way from the first point to the second (`true`) or back.
    pub const fn usual_ns(&self, from_a: bool) -> i64 {
        if from_a { self.usual_ns[0] } else { self.usual_ns[1] }
    }
}

/// Where the numbers are counted from, so that they stay small enough for floats.
struct Frame {
    middle_ns: i64,
    base_ns: i64,
}

/// The convex lower hull of the differences of one direction: only its corners can touch a line from below.
struct Envelope {
    /// (time, difference), relative to the [`Frame`].
    points: Vec<(f64, f64)>,
}

impl Envelope {
    /// `sign` turns the other direction over, so that both are bounded from below.
    fn new<'a>(frame: &Frame, samples: impl Iterator<Item = &'a Sample>, sign: f64) -> Self {
        let mut all: Vec<(f64, f64)> = samples
            .map(|s| {
                let ahead = s.ahead_ns.saturating_sub(frame.base_ns) as f64;
                (s.at_ns.saturating_sub(frame.middle_ns) as f64, sign * ahead)
            })
            .collect();
        all.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.total_cmp(&y.1)));
        let mut points: Vec<(f64, f64)> = Vec::new();
        for point in all {
            while let [.., p, q] = points[..]
                && (q.0 - p.0) * (point.1 - p.1) <= (point.0 - p.0) * (q.1 - p.1)
            {
                points.pop();
            }
            if points.last().is_none_or(|last| last.0 < point.0) {
                points.push(point);
            }
        }
        Self { points }
    }

    /// How far up a line of this slope can go: the smallest intercept.
    fn room(&self, slope: f64) -> f64 {
        self.points
            .iter()
            .map(|(t, d)| d - slope * t)
            .fold(f64::INFINITY, f64::min)
    }
}

struct Corridor {
    above: Envelope,
    below: Envelope,
}

struct Fit {
    offset: f64,
    reach: f64,
    width: f64,
    drift: Option<Drift>,
}

impl Corridor {
    /// The highest possible offset at a rate; concave in the rate.
    fn highest(&self, rate: f64) -> f64 {
        self.above.room(rate)
    }

    /// The lowest; convex.
    fn lowest(&self, rate: f64) -> f64 {
        -self.below.room(-rate)
    }

    /// The shortest round trip that a rate leaves; below zero it is impossible. Concave.
    fn width(&self, rate: f64) -> f64 {
        self.highest(rate) - self.lowest(rate)
    }

    fn fit(&self) -> Option<Fit> {
        let possible = |limit: f64| {
            let best = widest(-limit, limit, |rate| self.width(rate));
            (self.width(best) >= -RESOLUTION_NS).then_some((best, limit))
        };
        let (best, limit) = possible(STEERED_PPM * 1e-6).or_else(|| possible(WORST_PPM * 1e-6))?;
        let slowest = edge(best, -limit, |rate| self.width(rate));
        let fastest = edge(best, limit, |rate| self.width(rate));
        let needed = self.width(0.0) < -RESOLUTION_NS;
        let reach_ppm = (fastest - best).max(best - slowest) * 1e6;
        let is_known = fastest < limit && slowest > -limit && reach_ppm <= KNOWN_PPM
            || self.width(0.0) < UNLIKELY_SHARE * self.width(best);
        let rate = if needed || is_known { best } else { 0.0 };
        let top = self.highest(widest(slowest, fastest, |r| self.highest(r)));
        let bottom = self.lowest(widest(slowest, fastest, |r| -self.lowest(r)));
        let offset = f64::midpoint(self.highest(rate), self.lowest(rate));
        Some(Fit {
            offset,
            reach: (top - offset).max(offset - bottom),
            width: self.width(rate).max(0.0),
            drift: (needed || is_known).then_some(Drift {
                ppm: rate * 1e6,
                uncertainty_ppm: reach_ppm,
            }),
        })
    }
}

/// Two time stamps of whole microseconds may contradict each other by this much and mean nothing.
const RESOLUTION_NS: f64 = 2_000.0;

/// Where a concave function is largest.
fn widest(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..2 * STEPS {
        let third = (high - low) / 3.0;
        if f(low + third) < f(high - third) {
            low += third;
        } else {
            high -= third;
        }
    }
    f64::midpoint(low, high)
}

/// The last place between `inside` and `limit` where a concave function is not below zero.
fn edge(inside: f64, limit: f64, f: impl Fn(f64) -> f64) -> f64 {
    let holds = |rate: f64| f(rate) >= -RESOLUTION_NS;
    if holds(limit) {
        return limit;
    }
    let (mut good, mut bad) = (inside, limit);
    for _ in 0..STEPS {
        let middle = f64::midpoint(good, bad);
        if holds(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::against::testing::Random;

    const SECOND: i64 = 1_000_000_000;
    const MILLI: i64 = 1_000_000;

    /// Packets in both directions over a path of 5 ms with jitter, some of them held up for long.
    fn path(random: &mut Random, span: i64, offset: i64, ppm: f64) -> Vec<Sample> {
        (0..600)
            .map(|i| {
                let at_ns = 1_700_000_000 * SECOND + span / 600 * i;
                let rare = if random.below(10) == 0 {
                    random.below(200) * MILLI
                } else {
                    0
                };
                let way = 5 * MILLI + random.below(2 * MILLI) + rare;
                let ahead = offset + ((at_ns - 1_700_000_000 * SECOND) as f64 * ppm / 1e6) as i64;
                let from_a = i % 2 == 0;
                Sample {
                    at_ns,
                    ahead_ns: if from_a { ahead + way } else { ahead - way },
                    from_a,
                }
            })
            .collect()
    }

    #[test]
    fn the_truth_is_within_the_bounds() {
        let mut random = Random(7);
        for span in [SECOND, 60 * SECOND, 7200 * SECOND] {
            for ppm in [0.0, 0.5, 12.0, -250.0] {
                for offset in [0, -3 * SECOND, 86_400 * 365 * SECOND] {
                    let clock = Clock::estimate(&path(&mut random, span, offset, ppm)).unwrap();
                    let since = (clock.middle_ns - 1_700_000_000 * SECOND) as f64;
                    let truth = offset + (since * ppm / 1e6) as i64;
                    assert!(
                        (clock.offset_ns - truth).abs() <= clock.uncertainty_ns,
                        "{clock:?} {truth}"
                    );
                    assert!(clock.uncertainty_ns < 9 * MILLI, "{clock:?}");
                    let is_seen = span == 7200 * SECOND || span == 60 * SECOND && ppm < -249.0;
                    assert_eq!(clock.drift.is_some(), is_seen, "{clock:?}");
                    if let Some(drift) = clock.drift {
                        assert!((drift.ppm - ppm).abs() <= drift.uncertainty_ppm, "{drift:?} {ppm}");
                        assert!(drift.uncertainty_ppm * (span as f64) < 1.2e6 * 10e6, "{drift:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_two_clocks_turned_round_give_the_opposite() {
        let samples = path(&mut Random(3), 100 * SECOND, 42 * MILLI, 20.0);
        let turned: Vec<Sample> = samples
            .iter()
            .map(|s| Sample {
                at_ns: s.at_ns + s.ahead_ns,
                ahead_ns: -s.ahead_ns,
                from_a: !s.from_a,
            })
            .collect();
        let (one, other) = (Clock::estimate(&samples).unwrap(), Clock::estimate(&turned).unwrap());
        assert!((one.offset_ns + other.offset_ns).abs() < 10_000, "{one:?} {other:?}");
        assert_eq!(one.usual_ns(true) / 10_000, other.usual_ns(false) / 10_000);
    }

    #[test]
    fn times_go_to_the_other_clock_and_back() {
        let samples = path(&mut Random(5), 7200 * SECOND, -9 * SECOND, 300.0);
        let clock = Clock::estimate(&samples).unwrap();
        for sample in &samples {
            assert!((clock.to_a(clock.to_b(sample.at_ns)) - sample.at_ns).abs() <= 1);
        }
    }

    #[test]
    fn what_cannot_be_told_is_not_told() {
        let samples = path(&mut Random(1), SECOND, 0, 0.0);
        let one_way: Vec<Sample> = samples.iter().copied().filter(|s| s.from_a).collect();
        assert_eq!(Clock::estimate(&[]), Err(NoClock::NoPackets));
        assert_eq!(Clock::estimate(&one_way), Err(NoClock::OneDirection));
        let mut set = samples;
        for sample in set.iter_mut().skip(300) {
            sample.ahead_ns += SECOND; // somebody set the clock
        }
        assert_eq!(Clock::estimate(&set), Err(NoClock::Contradiction));
    }

    #[test]
    fn times_at_the_ends_of_what_a_file_can_hold_do_no_harm() {
        let extreme = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];
        let mut samples = Vec::new();
        for at_ns in extreme {
            for ahead_ns in extreme {
                for from_a in [true, false] {
                    samples.push(Sample {
                        at_ns,
                        ahead_ns,
                        from_a,
                    });
                    if let Ok(clock) = Clock::estimate(&samples) {
                        let _finite = clock.to_b(at_ns).wrapping_add(clock.to_a(at_ns));
                    }
                }
            }
        }
        assert_eq!(Clock::estimate(&samples), Err(NoClock::Contradiction));
    }
}
