//! Attempts that were waiting when the capture ended, and that it therefore does not judge.

/// Who waits less than this may yet be answered: no client sends its SYN again sooner, and no server its SYN-ACK (RFC 6298
/// section 2.1).
pub const PATIENCE_NS: i64 = 1_000_000_000;

/// Times are kept by the quarter of a second, and as many quarters as can touch the last second.
const SLICE_NS: i64 = PATIENCE_NS / 4;
const SLICES: usize = 5;

/// How many began to wait in the last second before the end, wherever that will be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Begin of the latest slice in which any did.
    newest_ns: i64,
    /// In that slice, the one before, …
    counts: [u32; SLICES],
}

impl Default for Waiting {
    fn default() -> Self {
        Self {
            newest_ns: i64::MIN,
            counts: [0; SLICES],
        }
    }
}

impl Waiting {
    /// Counts one that waits from then on. They need not come in the order of time.
    #[inline]
    pub fn add(&mut self, since_ns: i64) {
        let is_newest = (0..SLICE_NS).contains(&since_ns.saturating_sub(self.newest_ns));
        if is_newest {
            self.counts[0] = self.counts[0].saturating_add(1);
        } else {
            self.add_some(since_ns, 1);
        }
    }

    fn add_some(&mut self, since_ns: i64, count: u32) {
        let slice_ns = since_ns.div_euclid(SLICE_NS).saturating_mul(SLICE_NS);
        let ahead = slices(slice_ns, self.newest_ns);
        if ahead > 0 {
            self.counts.rotate_right(ahead.min(SLICES));
            self.counts.iter_mut().take(ahead).for_each(|n| *n = 0);
            self.newest_ns = slice_ns;
        }
        if let Some(n) = self.counts.get_mut(slices(self.newest_ns, slice_ns)) {
            *n = n.saturating_add(count);
        }
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        other
            .slices()
            .for_each(|(begin_ns, count)| self.add_some(begin_ns, count));
    }

    /// How many had waited for less than [`PATIENCE_NS`] then; up to a quarter of a second more, to be on the safe side.
    pub fn at(&self, end_ns: i64) -> u64 {
        let from_ns = end_ns.saturating_sub(PATIENCE_NS + SLICE_NS);
        self.slices()
            .filter(|&(begin_ns, _)| begin_ns > from_ns)
            .map(|(_, count)| u64::from(count))
            .sum()
    }

    /// Begin and count of each slice that is not empty.
    fn slices(&self) -> impl Iterator<Item = (i64, u32)> + '_ {
        let begins = (0..).map(|back| self.newest_ns.saturating_sub(back * SLICE_NS));
        begins.zip(self.counts).filter(|&(_, count)| count > 0)
    }
}

/// From the begin of one slice to that of another; 0 when that is no later.
fn slices(later_ns: i64, earlier_ns: i64) -> usize {
    let slices = later_ns.saturating_sub(earlier_ns) / SLICE_NS;
    usize::try_from(slices).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{PATIENCE_NS, Waiting};

    const MS: i64 = 1_000_000;

    fn waiting(since: &[i64]) -> Waiting {
        let mut all = Waiting::default();
        for ms in since {
            all.add(ms * MS);
        }
        all
    }

    #[test]
    fn the_last_second_counts() {
        let all = waiting(&[0, 10, 3000, 3100, 3300, 3990, 4000]);
        let counts = [
            (4000, 5),
            (4200, 5),
            (4250, 3),
            (4600, 2),
            (5000, 1),
            (5240, 1),
            (5250, 0),
            (9000, 0),
        ];
        for (end_ms, count) in counts {
            assert_eq!(all.at(end_ms * MS), count, "{end_ms}");
        }
        assert_eq!(Waiting::default().at(PATIENCE_NS), 0);
        assert_eq!(Waiting::default().at(i64::MIN), 0);
    }

    #[test]
    fn the_order_does_not_matter() {
        let times = [-7000, 3990, 0, 3000, 10, 4000, 3300, 3100];
        let mut sorted = times;
        sorted.sort_unstable();
        assert_eq!(waiting(&times), waiting(&sorted));
    }

    #[test]
    fn merged_is_as_if_added_one_by_one() {
        let (some, others) = ([3990, 0, 3000], [10, 4000, -900, 3300]);
        let mut merged = waiting(&some);
        merged.merge(&waiting(&others));
        assert_eq!(merged, waiting(&[some.as_slice(), &others].concat()));
        merged.merge(&Waiting::default());
        assert_eq!(merged.at(4000 * MS), 4);
    }

    #[test]
    fn any_time_will_do() {
        let mut all = Waiting::default();
        for ns in [i64::MIN, i64::MAX, 0, i64::MIN] {
            all.add(ns);
        }
        assert_eq!(all.at(i64::MAX), 1);
    }
}
