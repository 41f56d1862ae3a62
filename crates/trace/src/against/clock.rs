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
            uncertainty_ns: fit.reach.ceil() as i64 + 1_000,
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
                if from_a { way } else { -way }
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

    /// A time of the second clock on the first. Exact to a nanosecond in a million seconds at 1000 ppm.
    pub fn to_a(&self, b_ns: i64) -> i64 {
        let about = b_ns.saturating_sub(self.offset_ns);
        b_ns.saturating_sub(self.ahead_at(b_ns.saturating_sub(self.ahead_at(about))))
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
        let is_known = fastest < limit && slowest > -limit && reach_ppm <= KNOWN_PPM;
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
