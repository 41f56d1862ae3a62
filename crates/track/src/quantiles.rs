//! Percentiles of many durations in bounded memory.
//!
//! Count, sum, smallest and largest are always exact. Percentiles are exact up to a number of values that the owner
//! chooses, and come from a log-linear histogram of stated precision after that. A value is appended to a buffer that
//! is emptied into the histogram when it is full: with a thousand servers in turn, adding directly would miss the cache each time.
//!
//! **Memory** of one `Quantiles`: 8 bytes × `cap` for the buffer, and for the histogram 4 bytes × 2^`bits` for every
//! factor of 2 between the smallest and the largest value; at most 852 KiB with 12 bits, 29 KiB with 7.

use crate::Fetch;

/// How exact a [`Quantiles`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Precision {
    /// Values other than 0 that are kept as they are; with more, percentiles come from the histogram.
    pub cap: u32,
    /// Each factor of 2 is cut into 2^`bits` buckets, so a percentile is off by at most 2^−(`bits` + 1) of itself. At most 16.
    pub bits: u32,
}

impl Precision {
    /// For the totals of a capture: exact up to 262 144 values, within 1/8192 after that.
    pub const TOTAL: Precision = Precision { cap: 1 << 18, bits: 12 };
    /// For one of very many endpoints: exact up to 512 values, within 1/256 after that.
    pub const ENDPOINT: Precision = Precision { cap: 512, bits: 7 };
}

/// A distribution of durations in nanoseconds.
///
/// To add a value touches one cache line of this and one of the buffer: sums and extremes are taken when the buffer is
/// emptied, or when somebody asks.
#[derive(Clone, Debug)]
pub struct Quantiles {
    /// Values other than 0 that are not in `folded`: all of them while that is `None`.
    recent: Vec<u64>,
    zeros: u64,
    negative: u64,
    precision: Precision,
    folded: Option<Box<Folded>>,
    /// Of `folded`; here so that nobody has to look there.
    folded_bytes: usize,
}

/// Values that went through the buffer.
#[derive(Clone, Debug)]
struct Folded {
    totals: Totals,
    histogram: Histogram,
}

/// What is known exactly of any number of values.
#[derive(Clone, Copy, Debug)]
struct Totals {
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
}

impl Totals {
    const NONE: Totals = Totals {
        count: 0,
        sum: 0,
        min: u64::MAX,
        max: 0,
    };

    fn of(values: &[u64]) -> Self {
        Self {
            count: values.len() as u64,
            sum: values.iter().map(|&v| u128::from(v)).sum(),
            min: values.iter().copied().min().unwrap_or(u64::MAX),
            max: values.iter().copied().max().unwrap_or(0),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

impl Quantiles {
    /// An empty distribution.
    pub fn new(precision: Precision) -> Self {
        let precision = Precision {
            cap: precision.cap.max(1),
            bits: precision.bits.min(16),
        };
        Self {
            recent: Vec::new(),
            zeros: 0,
            negative: 0,
            precision,
            folded: None,
            folded_bytes: 0,
        }
    }

    /// Adds one duration. A negative one (the capturing host's clock stepped back) is counted as such and taken as 0:
    /// to leave it out would make the counts disagree with the number of handshakes.
    #[inline]
    pub fn add(&mut self, ns: i64) {
        // Most waits are 0: they need no place.
        if ns > 0 {
            self.store(ns as u64);
        } else {
            self.zeros += 1;
            self.negative += u64::from(ns < 0);
        }
    }

    /// Asks for where the next value is put.
    pub fn fetch<F: Fetch>(&self) {
        if let Some(last) = self.recent.last() {
            F::fetch(last);
        }
    }

    #[inline]
    fn store(&mut self, value: u64) {
        if self.recent.len() >= self.precision.cap as usize {
            self.flush();
        }
        self.recent.push(value);
    }

    #[cold]
    fn flush(&mut self) -> &mut Folded {
        let bits = self.precision.bits;
        let folded = self.folded.get_or_insert_with(|| {
            Box::new(Folded {
                totals: Totals::NONE,
                histogram: Histogram::new(bits),
            })
        });
        folded.totals = folded.totals.and(Totals::of(&self.recent));
        folded.histogram.add_all(&self.recent);
        self.recent.clear();
        self.folded_bytes = folded.heap_bytes();
        folded
    }

    /// The exact figures of all values.
    fn totals(&self) -> Totals {
        let zeros = Totals {
            count: self.zeros,
            sum: 0,
            min: if self.zeros > 0 { 0 } else { u64::MAX },
            max: 0,
        };
        let folded = self.folded.as_ref().map_or(Totals::NONE, |f| f.totals);
        zeros.and(folded).and(Totals::of(&self.recent))
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.zeros + self.recent.len() as u64 + self.folded.as_ref().map_or(0, |f| f.totals.count)
    }

    /// How many of them were negative and taken as 0.
    pub fn negative(&self) -> u64 {
        self.negative
    }

    /// Their sum, nanoseconds, exact.
    pub fn sum(&self) -> u128 {
        self.totals().sum
    }

    /// The smallest, exact.
    pub fn min(&self) -> Option<u64> {
        (self.count() > 0).then(|| self.totals().min)
    }

    /// The largest, exact.
    pub fn max(&self) -> Option<u64> {
        (self.count() > 0).then(|| self.totals().max)
    }

    /// Whether percentiles are exact.
    pub fn is_exact(&self) -> bool {
        self.folded.is_none()
    }

    /// For each share q (0 to 1) the nearest-rank percentile: the smallest value that at least q of all values do not
    /// exceed, so that one slow connect among five is seen in the 90th. `None` without values.
    pub fn percentiles<const N: usize>(&self, shares: [f64; N]) -> Option<[u64; N]> {
        let totals = self.totals();
        let last = totals.count.checked_sub(1)?;
        let ranks = shares.map(|q| nearest_rank(totals.count, q).min(last));
        Some(if let Some(folded) = &self.folded {
            let mut all = folded.histogram.clone();
            all.add_all(&self.recent);
            ranks.map(|rank| self.at_rank(rank, &totals, |r| all.at_rank(r)))
        } else {
            let mut sorted = self.recent.clone();
            sorted.sort_unstable();
            ranks.map(|rank| self.at_rank(rank, &totals, |r| sorted.get(r as usize).copied()))
        })
    }

    /// The first and last value are known exactly whatever the histogram says.
    fn at_rank(&self, rank: u64, totals: &Totals, nonzero: impl Fn(u64) -> Option<u64>) -> u64 {
        match rank {
            _ if rank < self.zeros => 0,
            _ if rank + 1 == totals.count => totals.max,
            0 => totals.min,
            _ => nonzero(rank - self.zeros)
                .unwrap_or(totals.max)
                .clamp(totals.min, totals.max),
        }
    }

    /// Calls `f` with every value (or the middle of its bucket) and how often it occurs, in no order.
    pub fn for_each(&self, mut f: impl FnMut(u64, u64)) {
        if self.zeros > 0 {
            f(0, self.zeros);
        }
        if let Some(folded) = &self.folded {
            folded.histogram.buckets().for_each(|(value, n)| f(value, u64::from(n)));
        }
        self.recent.iter().for_each(|&value| f(value, 1));
    }

    /// Adds all of `other`, which may have another precision; the result has the precision of `self`, or the coarser of
    /// the two where `other` is no longer exact.
    pub fn merge(&mut self, other: &Self) {
        self.zeros += other.zeros;
        self.negative += other.negative;
        for &value in &other.recent {
            self.store(value);
        }
        if let Some(theirs) = &other.folded {
            let mine = self.flush();
            mine.totals = mine.totals.and(theirs.totals);
            theirs
                .histogram
                .buckets()
                .for_each(|(value, n)| mine.histogram.add(value, n));
            self.folded_bytes = mine.heap_bytes();
        }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        8 * self.recent.capacity() + self.folded_bytes
    }
}

impl Folded {
    fn heap_bytes(&self) -> usize {
        size_of::<Self>() + 4 * self.histogram.counts.capacity()
    }
}

/// Log-linear buckets: below 2^bits one for each value, above 2^bits equal ones for every factor of 2. Only the range
/// between the smallest and the largest value is stored.
#[derive(Clone, Debug)]
struct Histogram {
    bits: u32,
    /// Bucket number of `counts[0]`.
    first: usize,
    /// A bucket saturates at 2^32 − 1.
    counts: Vec<u32>,
}

impl Histogram {
    fn new(bits: u32) -> Self {
        Self {
            bits,
            first: 0,
            counts: Vec::new(),
        }
    }

    fn bucket(&self, value: u64) -> usize {
        let shift = (value | 1).ilog2().saturating_sub(self.bits);
        ((shift as usize) << self.bits) + (value >> shift) as usize
    }

    /// The middle of a bucket.
    fn middle(&self, bucket: usize) -> u64 {
        let shift = (bucket >> self.bits).saturating_sub(1) as u32;
        let low = (bucket - ((shift as usize) << self.bits)) as u64;
        (low << shift) + ((1 << shift) >> 1)
    }

    /// Makes room for the buckets from `low` to `high`, both included.
    fn cover(&mut self, low: usize, high: usize) {
        if self.counts.is_empty() {
            self.first = low;
        } else if low < self.first {
            self.counts.splice(0..0, std::iter::repeat_n(0, self.first - low));
            self.first = low;
        }
        if high - self.first >= self.counts.len() {
            self.counts.resize(high - self.first + 1, 0);
        }
    }

    fn add(&mut self, value: u64, n: u32) {
        let bucket = self.bucket(value);
        self.cover(bucket, bucket);
        let count = &mut self.counts[bucket - self.first];
        *count = count.saturating_add(n);
    }

    fn add_all(&mut self, values: &[u64]) {
        let (Some(&low), Some(&high)) = (values.iter().min(), values.iter().max()) else {
            return;
        };
        self.cover(self.bucket(low), self.bucket(high));
        for &value in values {
            let bucket = self.bucket(value) - self.first;
            self.counts[bucket] = self.counts[bucket].saturating_add(1);
        }
    }

    fn buckets(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        let counts = self.counts.iter().enumerate().filter(|&(_, &n)| n > 0);
        counts.map(|(i, &n)| (self.middle(self.first + i), n))
    }

    fn at_rank(&self, rank: u64) -> Option<u64> {
        let mut before = 0;
        self.buckets()
            .find(|&(_, n)| {
                before += u64::from(n);
                rank < before
            })
            .map(|(value, _)| value)
    }
}

/// Index of the percentile among `count` sorted values. The small subtraction keeps 0.99 · 100 from being 99.000…01.
fn nearest_rank(count: u64, share: f64) -> u64 {
    let rank = (count as f64 * share.clamp(0.0, 1.0) - 1e-9).ceil().max(1.0);
    rank as u64 - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHARES: [f64; 6] = [0.0, 0.1, 0.5, 0.9, 0.99, 1.0];

    /// The definition, on a sorted vector.
    fn truth(values: &[i64]) -> [u64; 6] {
        let mut sorted: Vec<u64> = values.iter().map(|&v| v.max(0) as u64).collect();
        sorted.sort_unstable();
        SHARES.map(|q| sorted[((sorted.len() as f64 * q - 1e-9).ceil() as usize).saturating_sub(1)])
    }

    fn filled(precision: Precision, values: &[i64]) -> Quantiles {
        let mut q = Quantiles::new(precision);
        for &v in values {
            q.add(v);
        }
        q
    }

    fn assert_close(got: [u64; 6], want: [u64; 6], bits: u32) -> Result<(), TestCaseError> {
        for (got, want) in got.into_iter().zip(want) {
            let allowed = want >> (bits + 1);
            prop_assert!(got.abs_diff(want) <= allowed, "{got} is not within {allowed} of {want}");
        }
        Ok(())
    }

    /// Durations over the whole range, with zeros and clock steps among them.
    fn duration() -> impl Strategy<Value = i64> {
        prop_oneof![
            2 => Just(0),
            1 => -1_000_000i64..0,
            6 => 1i64..2_000_000_000,
            4 => (0u32..63, 0i64..1000).prop_map(|(shift, x)| (1i64 << shift).saturating_add(x)),
        ]
    }

    proptest! {
        // A 12-bit histogram over the whole range has 200 000 buckets: a hundred of them are enough.
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn exact_up_to_the_cap(values in prop::collection::vec(duration(), 1..300)) {
            let q = filled(Precision { cap: 300, bits: 4 }, &values);
            prop_assert!(q.is_exact());
            prop_assert_eq!(q.percentiles(SHARES), Some(truth(&values)));
        }

        #[test]
        fn within_the_stated_precision_beyond_the_cap(values in prop::collection::vec(duration(), 1..600), bits in 1u32..13) {
            let q = filled(Precision { cap: 16, bits }, &values);
            assert_close(q.percentiles(SHARES).unwrap(), truth(&values), bits)?;
            let clamped = values.iter().map(|&v| v.max(0) as u128);
            prop_assert_eq!(q.sum(), clamped.clone().sum::<u128>());
            prop_assert_eq!(q.min().map(u128::from), clamped.clone().min());
            prop_assert_eq!(q.max().map(u128::from), clamped.max());
            prop_assert_eq!(q.negative(), values.iter().filter(|&&v| v < 0).count() as u64);
        }

        #[test]
        fn merging_is_as_good_as_adding(a in prop::collection::vec(duration(), 1..100), b in prop::collection::vec(duration(), 1..100),
                                        cap_a in 1u32..120, cap_b in 1u32..120) {
            let mut q = filled(Precision { cap: cap_a, bits: 9 }, &a);
            q.merge(&filled(Precision { cap: cap_b, bits: 9 }, &b));
            let all: Vec<i64> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(q.count(), all.len() as u64);
            // A value that went through two histograms was rounded to the middle of the same bucket twice.
            assert_close(q.percentiles(SHARES).unwrap(), truth(&all), 9)?;
        }

        #[test]
        fn a_bucket_holds_its_own_middle(value in any::<u64>(), bits in 0u32..17) {
            let h = Histogram::new(bits);
            prop_assert_eq!(h.bucket(h.middle(h.bucket(value))), h.bucket(value));
        }
    }

    #[test]
    fn an_empty_distribution_has_no_values() {
        let q = Quantiles::new(Precision::ENDPOINT);
        assert_eq!((q.min(), q.max(), q.percentiles([0.5])), (None, None, None));
    }

    #[test]
    fn memory_is_what_the_module_says() {
        let mut q = Quantiles::new(Precision::ENDPOINT);
        for i in 0..200_000u64 {
            q.add((1 << (i % 63)) + i as i64);
        }
        assert!(q.heap_bytes() <= 8 * 512 + 30 * 1024, "{}", q.heap_bytes());
    }

    #[test]
    fn zeros_take_no_place() {
        let q = filled(Precision::ENDPOINT, &vec![0; 10_000]);
        assert!(q.is_exact());
        assert_eq!(q.heap_bytes(), 0);
        assert_eq!(q.percentiles([0.99]), Some([0]));
    }
}
