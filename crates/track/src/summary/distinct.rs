//! How many distinct addresses: exact while they are few, `HyperLogLog` after that.

use halfopen_wire::Address;

use super::hash::stable;
use crate::Fetch;

/// Up to so many distinct addresses the count is exact; it may stay so up to twice as many.
pub const EXACT_LIMIT: usize = 4096;
/// 2^14 registers: standard error 1.04 / sqrt(2^14) = 0.8 % (Flajolet et al. 2007), 16 KiB.
const INDEX_BITS: u32 = 14;
const REGISTERS: usize = 1 << INDEX_BITS;
/// Bits of the hash that are left for the rank.
const RANK_BITS: u32 = 64 - INDEX_BITS;
/// A list shorter than this is not looked through for doubles.
const PATIENCE: usize = 64;

/// A set of addresses of which only the size is known. At most 32 KiB, and as much as it needs below that.
#[derive(Clone, Debug, Default)]
pub struct Distinct {
    /// The leading 32 bits of the hashes, sorted and without doubles up to `sorted`. Unused once there are registers.
    list: Vec<u32>,
    sorted: usize,
    registers: Option<Box<[u8; REGISTERS]>>,
}

/// The size of a set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Estimate {
    /// How many.
    pub count: u64,
    /// Whether it is a count (up to collisions of 32-bit hashes: one in 500 sets of 4096 is one short) or an estimate.
    pub exact: bool,
}

impl Distinct {
    /// Adds an address.
    #[inline]
    pub fn add(&mut self, address: Address) {
        let hash = stable(address);
        if let Some(registers) = &mut self.registers {
            raise(registers, hash, RANK_BITS);
            return;
        }
        let short = (hash >> 32) as u32;
        if self.list.last() == Some(&short) {
            return;
        }
        self.list.push(short);
        self.compact_if_due();
    }

    /// Asks for the end of the list.
    pub fn fetch<F: Fetch>(&self) {
        if let Some(last) = self.list.last() {
            F::fetch(last);
        }
    }

    /// Doubles are taken out when the list has doubled, so that sorting costs little for each address.
    #[inline]
    fn compact_if_due(&mut self) {
        if self.list.len() >= (2 * self.sorted).max(PATIENCE) {
            self.compact();
        }
    }

    #[cold]
    fn compact(&mut self) {
        self.list.sort_unstable();
        self.list.dedup();
        self.sorted = self.list.len();
        if self.sorted > EXACT_LIMIT {
            let mut registers = Box::new([0; REGISTERS]);
            raise_all(&mut registers, &self.list);
            self.registers = Some(registers);
            self.list = Vec::new();
        }
    }

    /// Adds all of another set.
    pub fn merge(&mut self, other: &Self) {
        if let Some(theirs) = &other.registers {
            let mine = self.registers.get_or_insert_with(|| Box::new([0; REGISTERS]));
            raise_all(mine, &std::mem::take(&mut self.list));
            for (mine, &theirs) in mine.iter_mut().zip(theirs.iter()) {
                *mine = (*mine).max(theirs);
            }
        }
        if let Some(mine) = &mut self.registers {
            raise_all(mine, &other.list);
        } else {
            self.list.extend_from_slice(&other.list);
            self.compact_if_due();
        }
    }

    /// How many distinct addresses there were.
    pub fn estimate(&self) -> Estimate {
        if let Some(registers) = &self.registers {
            return Estimate {
                count: hyperloglog(registers).round() as u64,
                exact: false,
            };
        }
        let mut list = self.list.clone();
        list.sort_unstable();
        list.dedup();
        Estimate {
            count: list.len() as u64,
            exact: true,
        }
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        4 * self.list.capacity() + self.registers.as_ref().map_or(0, |_| REGISTERS)
    }
}

/// Raises the register that `hash` selects to the rank of the first 1 among the next `bits` bits.
#[inline]
fn raise(registers: &mut [u8; REGISTERS], hash: u64, bits: u32) {
    let rank = (hash << INDEX_BITS).leading_zeros().min(bits) as u8 + 1;
    let register = &mut registers[(hash >> RANK_BITS) as usize];
    *register = (*register).max(rank);
}

/// As [`raise`] for hashes of which only 32 bits were kept. One in 2^18 of them loses a part of its rank.
fn raise_all(registers: &mut [u8; REGISTERS], list: &[u32]) {
    for &short in list {
        raise(registers, u64::from(short) << 32, 32 - INDEX_BITS);
    }
}

/// The estimator of Ertl, «New cardinality estimation algorithms for `HyperLogLog` sketches» (2017), algorithm 6: without bias
/// over the whole range, and without the tables that the original needs between 2.5 and 5 times the number of registers.
fn hyperloglog(registers: &[u8; REGISTERS]) -> f64 {
    let m = REGISTERS as f64;
    let mut ranks = [0u32; RANK_BITS as usize + 2];
    for &rank in registers {
        ranks[usize::from(rank)] += 1;
    }
    let full = f64::from(ranks[RANK_BITS as usize + 1]);
    let mut z = m * tau(1.0 - full / m);
    for &n in ranks[1..=RANK_BITS as usize].iter().rev() {
        z = 0.5 * (z + f64::from(n));
    }
    z += m * sigma(f64::from(ranks[0]) / m);
    m * m / (2.0 * std::f64::consts::LN_2 * z)
}

/// x + Σ x^(2^k) · 2^(k−1), to the last bit.
fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z <= before {
            return z;
        }
    }
}

/// (1 − x − Σ (1 − x^(2^−k))² · 2^−k) / 3, to the last bit.
fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z >= before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(n: u32) -> Address {
        Address::from_v4(n.to_be_bytes())
    }

    fn set(numbers: impl Iterator<Item = u32>) -> Distinct {
        let mut set = Distinct::default();
        numbers.for_each(|n| set.add(v4(n)));
        set
    }

    #[test]
    fn few_are_counted_exactly_however_often_they_come() {
        for n in [0, 1, 63, 64, 65, 1000, EXACT_LIMIT as u32] {
            let set = set((0..5).flat_map(|_| 0..n));
            let want = Estimate {
                count: u64::from(n),
                exact: true,
            };
            assert_eq!(set.estimate(), want);
        }
    }

    #[test]
    fn many_are_estimated_within_three_standard_errors() {
        // Consecutive addresses (a scanner's range), and spread ones.
        for step in [1u32, 0x0123_4567] {
            for n in [10_000u32, 20_000, 40_000, 60_000, 100_000, 1_000_000] {
                let got = set((0..n).map(|i| i.wrapping_mul(step))).estimate();
                let error = got.count as f64 / f64::from(n) - 1.0;
                assert!(!got.exact && error.abs() < 0.0244, "{n} by {step}: {error}");
            }
        }
    }

    #[test]
    fn the_union_counts_common_members_once() {
        for (a, b) in [(100, 150), (100, 20_000), (20_000, 100), (20_000, 30_000), (4000, 6000)] {
            let mut union = set(0..a);
            union.merge(&set(50..b));
            let want = f64::from(a.max(b));
            assert!((union.estimate().count as f64 / want - 1.0).abs() < 0.0244, "{a} {b}");
        }
    }

    #[test]
    fn families_are_told_apart() {
        let mut set = Distinct::default();
        set.add(v4(7));
        set.add(Address { v6: true, bits: 7 });
        assert_eq!(set.estimate().count, 2);
    }

    #[test]
    fn memory_is_bounded() {
        let set = set((0..300_000).map(|i| i % 5000));
        assert!(set.heap_bytes() <= 32 * 1024);
    }
}
