//! Counts over time, in bins that grow wider as the capture grows longer.

use crate::Fetch;

/// What a bin holds.
pub trait Bin: Default + Clone {
    /// Adds the bin that follows.
    fn absorb(&mut self, next: &Self);
}

impl Bin for u32 {
    fn absorb(&mut self, next: &Self) {
        *self = self.saturating_add(*next);
    }
}

const MS: i64 = 1_000_000;
/// One second, nanoseconds.
pub const SECOND: i64 = 1000 * MS;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Widths that people read off an axis; each divides the next, so that bins can be joined. Doubled beyond the last.
const WIDTHS: [i64; 19] = [
    MS,
    2 * MS,
    10 * MS,
    20 * MS,
    100 * MS,
    200 * MS,
    SECOND,
    2 * SECOND,
    10 * SECOND,
    20 * SECOND,
    MINUTE,
    2 * MINUTE,
    10 * MINUTE,
    20 * MINUTE,
    HOUR,
    2 * HOUR,
    6 * HOUR,
    12 * HOUR,
    24 * HOUR,
];

fn wider(width: i64) -> i64 {
    WIDTHS
        .iter()
        .copied()
        .find(|&w| w > width)
        .unwrap_or(width.saturating_mul(2))
}

/// Bins of equal width over the time that was touched; a bin starts at a multiple of its width since the epoch.
#[derive(Clone, Debug)]
pub struct Timeline<B> {
    width: i64,
    limit: usize,
    /// Number of `bins[0]`: its start divided by `width`.
    first: i64,
    bins: Vec<B>,
    /// Where the last lookup ended: packets come nearly in order of time.
    cursor: usize,
    cursor_start: i64,
}

impl<B: Bin> Timeline<B> {
    /// No bins yet; they will be 1 ms wide at first and at most `limit` in number.
    pub fn new(limit: usize) -> Self {
        Self::with_width(MS, limit)
    }

    /// As [`Timeline::new`], beginning with another width.
    pub fn with_width(width: i64, limit: usize) -> Self {
        Self {
            width,
            limit: limit.max(2),
            first: 0,
            bins: Vec::new(),
            cursor: 0,
            cursor_start: 0,
        }
    }

    /// The bin of a moment within 2^62 ns of the epoch, which every reader of captures sees to.
    #[inline]
    pub fn at(&mut self, time_ns: i64) -> &mut B {
        // As unsigned numbers, a time before the bin is far beyond its end.
        if (time_ns.wrapping_sub(self.cursor_start) as u64) >= self.width as u64 || self.bins.is_empty() {
            self.seek(time_ns);
        }
        &mut self.bins[self.cursor]
    }

    fn seek(&mut self, time_ns: i64) {
        let number = loop {
            let number = time_ns.div_euclid(self.width);
            if self.bins.is_empty() {
                self.first = number;
            }
            let last = self.first + self.bins.len().saturating_sub(1) as i64;
            let span = i128::from(number.max(last)) - i128::from(number.min(self.first)) + 1;
            if span <= self.limit as i128 {
                break number;
            }
            self.widen();
        };
        if number < self.first {
            let missing = (self.first - number) as usize;
            self.bins.splice(0..0, std::iter::repeat_n(B::default(), missing));
            self.first = number;
        }
        self.cursor = (number - self.first) as usize;
        if self.cursor >= self.bins.len() {
            self.bins.resize(self.cursor + 1, B::default());
        }
        self.cursor_start = number.saturating_mul(self.width);
    }

    fn widen(&mut self) {
        let width = wider(self.width);
        let ratio = width / self.width;
        let first = self.first.div_euclid(ratio);
        let mut joined: Vec<B> = Vec::with_capacity(self.bins.len() / ratio as usize + 2);
        for (i, bin) in self.bins.iter().enumerate() {
            let at = ((self.first + i as i64).div_euclid(ratio) - first) as usize;
            joined.resize(joined.len().max(at + 1), B::default());
            joined[at].absorb(bin);
        }
        (self.width, self.first, self.bins) = (width, first, joined);
        let number = self.cursor_start.div_euclid(width);
        (self.cursor, self.cursor_start) = ((number - first) as usize, number.saturating_mul(width));
    }

    /// Asks for the bin that was touched last.
    pub fn fetch<F: Fetch>(&self) {
        if let Some(bin) = self.bins.get(self.cursor) {
            F::fetch(bin);
        }
    }

    /// Width of a bin, nanoseconds.
    pub fn width_ns(&self) -> i64 {
        self.width
    }

    /// Start of the first bin, nanoseconds since the epoch; `None` without bins.
    pub fn start_ns(&self) -> Option<i64> {
        (!self.bins.is_empty()).then(|| self.first.saturating_mul(self.width))
    }

    /// The bins, without gaps.
    pub fn bins(&self) -> &[B] {
        &self.bins
    }

    /// Start of the bin that [`Timeline::at`] returned last.
    pub fn current_start_ns(&self) -> i64 {
        self.cursor_start
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        size_of::<B>() * self.bins.capacity()
    }
}

/// The busiest interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Peak {
    /// Attempts begun in it.
    pub attempts: u32,
    /// Its length, nanoseconds.
    pub width_ns: i64,
    /// Its begin, nanoseconds since the epoch.
    pub at_ns: i64,
}

impl Peak {
    /// Whether it is the higher rate. Nothing is below everything.
    fn is_above(self, other: Self) -> bool {
        if self.width_ns == other.width_ns {
            return self.attempts > other.attempts;
        }
        let (mine, theirs) = (u128::from(self.attempts), u128::from(other.attempts));
        mine * other.width_ns.max(1) as u128 > theirs * self.width_ns.max(1) as u128
    }
}

/// Attempts per second, and the most there ever were. Bins are a second wide as long as the limit allows.
#[derive(Clone, Debug)]
pub struct Rate {
    timeline: Timeline<u32>,
    peak: Peak,
}

impl Rate {
    /// Nothing counted; at most `limit` bins of 4 bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            timeline: Timeline::with_width(SECOND, limit),
            peak: Peak::default(),
        }
    }

    /// Counts `n` attempts at a moment. The peak is kept as it was seen, so a burst from before the bins were widened
    /// is still known by its second.
    #[inline]
    pub fn add(&mut self, time_ns: i64, n: u32) {
        let bin = self.timeline.at(time_ns);
        *bin = bin.saturating_add(n);
        let now = Peak {
            attempts: *bin,
            width_ns: self.timeline.width_ns(),
            at_ns: self.timeline.current_start_ns(),
        };
        if now.is_above(self.peak) {
            self.peak = now;
        }
    }

    /// Asks for the bin that was counted in last.
    pub fn fetch<F: Fetch>(&self) {
        self.timeline.fetch::<F>();
    }

    /// Adds all of another rate.
    pub fn merge(&mut self, other: &Self) {
        let (width, bins) = (other.timeline.width_ns(), other.timeline.bins());
        // A wide bin must not be poured into one second: that would be a burst that never was.
        while self.timeline.width_ns() < width {
            self.timeline.widen();
        }
        if other.peak.is_above(self.peak) {
            self.peak = other.peak;
        }
        for (i, &n) in bins.iter().enumerate().filter(|&(_, &n)| n > 0) {
            self.add((other.timeline.first + i as i64).saturating_mul(width), n);
        }
    }

    /// The busiest interval; `None` when nothing was counted.
    pub fn peak(&self) -> Option<Peak> {
        (self.peak.attempts > 0).then_some(self.peak)
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.timeline.heap_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_width_divides_the_next() {
        for pair in WIDTHS.windows(2) {
            assert_eq!(pair[1] % pair[0], 0, "{pair:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_everything_is_in_its_bin(times in prop::collection::vec(prop_oneof![
            4 => 1_700_000_000_000_000_000i64..1_700_000_600_000_000_000, 1 => -(1i64 << 62)..1 << 62], 1..200)) {
            let mut line: Timeline<u32> = Timeline::new(64);
            for &t in &times {
                *line.at(t) += 1;
                let start = line.current_start_ns();
                prop_assert!(i128::from(t) - i128::from(start) < i128::from(line.width_ns()));
            }
            prop_assert!(line.bins().len() <= 64);
            prop_assert_eq!(line.bins().iter().sum::<u32>() as usize, times.len());
            for (i, &n) in line.bins().iter().enumerate() {
                let number = line.first + i as i64;
                let inside = times.iter().filter(|t| t.div_euclid(line.width_ns()) == number).count();
                prop_assert_eq!(n as usize, inside);
            }
        }
    }

    #[test]
    fn the_width_follows_the_length() {
        for (seconds, width) in [
            (0, MS),
            (1, 2 * MS),
            (5, 10 * MS),
            (60, 100 * MS),
            (600, SECOND),
            (3600, 10 * SECOND),
            (86_400, 10 * MINUTE),
        ] {
            let mut line: Timeline<u32> = Timeline::new(600);
            line.at(0);
            line.at(seconds * SECOND - i64::from(seconds > 0));
            assert_eq!(line.width_ns(), width, "{seconds} s");
        }
    }

    #[test]
    fn a_burst_keeps_its_second_when_the_bins_grow() {
        let mut rate = Rate::new(4);
        (0..50).for_each(|i| rate.add(2 * SECOND + i, 1));
        (0..100).for_each(|i| rate.add(i * SECOND, 1));
        let burst = Peak {
            attempts: 50,
            width_ns: SECOND,
            at_ns: 2 * SECOND,
        };
        // The slow rest adds one more to that second before the bins are widened.
        assert_eq!(rate.peak(), Some(Peak { attempts: 51, ..burst }));
    }

    #[test]
    fn merging_makes_no_burst_that_never_was() {
        let (mut a, mut b) = (Rate::new(64), Rate::new(4));
        a.add(0, 1);
        (0..100).for_each(|i| b.add(i * SECOND, 1));
        a.merge(&b);
        let peak = a.peak().unwrap();
        assert!(i64::from(peak.attempts) * SECOND <= 2 * peak.width_ns, "{peak:?}");
    }

    #[test]
    fn merged_rates_add_up() {
        let (mut a, mut b) = (Rate::new(16), Rate::new(16));
        a.add(5 * SECOND, 3);
        b.add(5 * SECOND + 1, 4);
        b.add(6 * SECOND, 5);
        a.merge(&b);
        assert_eq!(
            a.peak(),
            Some(Peak {
                attempts: 7,
                width_ns: SECOND,
                at_ns: 5 * SECOND
            })
        );
    }
}
