//! The distributions over logarithmic bins, as a page draws them.

use crate::quantiles::Quantiles;

/// Bins of a factor of 10.
const PER_DECADE: u32 = 20;
/// From 1 µs to 1000 s.
const DECADES: u32 = 9;

/// The n + 1 edges of all bins, nanoseconds.
pub fn edges() -> Vec<u64> {
    let edge = |i: u32| 10f64.powf(3.0 + f64::from(i) / f64::from(PER_DECADE)).round() as u64;
    (0..=PER_DECADE * DECADES).map(edge).collect()
}

/// The counts of one distribution.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counts {
    /// Values below the first edge.
    pub below: u64,
    /// For each bin the values from its lower edge up to, but without, its upper one.
    pub bins: Vec<u64>,
    /// Values at or above the last edge.
    pub above: u64,
}

/// Sorts a distribution into the bins between `edges`.
pub fn counts(quantiles: &Quantiles, edges: &[u64]) -> Counts {
    let mut counts = Counts {
        below: 0,
        bins: vec![0; edges.len().saturating_sub(1)],
        above: 0,
    };
    quantiles.for_each(|value, n| {
        let place = edges.partition_point(|&edge| edge <= value);
        let count = match place.checked_sub(1) {
            None => &mut counts.below,
            Some(bin) => counts.bins.get_mut(bin).unwrap_or(&mut counts.above),
        };
        *count += n;
    });
    counts
}

/// The range of bins that hold anything in any of the distributions.
pub fn used<'a>(all: impl Iterator<Item = &'a Counts>) -> std::ops::Range<usize> {
    let nothing = std::ops::Range {
        start: usize::MAX,
        end: 0,
    };
    all.fold(nothing, |range, counts| {
        let first = counts.bins.iter().position(|&n| n > 0);
        let last = counts.bins.iter().rposition(|&n| n > 0);
        match (first, last) {
            (Some(first), Some(last)) => range.start.min(first)..range.end.max(last + 1),
            _ => range,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantiles::Precision;

    #[test]
    fn edges_are_round_at_the_powers_of_ten() {
        let edges = edges();
        assert_eq!(edges.len(), 181);
        for (i, us) in [(0, 1), (20, 10), (60, 1000), (120, 1_000_000), (180, 1_000_000_000)] {
            assert_eq!(edges[i], us * 1000);
        }
        assert!(edges.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn every_value_has_one_place() {
        let mut q = Quantiles::new(Precision::ENDPOINT);
        for ns in [0, 999, 1000, 1001, 9_999, 10_000, 1_000_000_000_000, i64::MAX] {
            q.add(ns);
        }
        let counts = counts(&q, &edges());
        assert_eq!((counts.below, counts.above), (2, 2));
        assert_eq!((counts.bins[0], counts.bins[19], counts.bins[20]), (2, 1, 1));
        assert_eq!(used([&counts].into_iter()), 0..21);
    }

    #[test]
    fn nothing_uses_no_bins() {
        let empty = counts(&Quantiles::new(Precision::ENDPOINT), &edges());
        assert!(used([&empty].into_iter()).is_empty());
    }
}
