//! Chance that can be had again: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).

/// The generator.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// From a seed; the same one gives the same numbers.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Whether something of this probability happens. A certainty or an impossibility draws no number.
    pub fn happens(&mut self, probability: f64) -> bool {
        if probability <= 0.0 {
            return false;
        }
        probability >= 1.0 || self.unit() < probability
    }

    /// 0 up to `limit`, exclusive; 0 for 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn a_seed_gives_the_same_numbers_again() {
        let (mut one, mut two, mut other) = (Random::new(7), Random::new(7), Random::new(8));
        let drawn: Vec<_> = (0..100).map(|_| one.next()).collect();
        assert!(drawn.iter().all(|number| *number == two.next()));
        assert!(drawn.iter().any(|number| *number != other.next()));
    }

    #[test]
    fn chance_keeps_its_promise() {
        let mut random = Random::new(1);
        let hits = (0..100_000).filter(|_| random.happens(0.1)).count();
        assert!((9_500..10_500).contains(&hits), "{hits} of 100 000 at 10 %");
        assert!((0..1000).all(|_| random.below(7) < 7));
        assert!(!random.happens(0.0) && random.happens(1.0));
    }
}
