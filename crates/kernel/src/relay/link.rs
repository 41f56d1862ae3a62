//! What a link does to any packet, one direction.

use std::str::FromStr;
use std::time::Duration;

use super::text::{SpecError, assignments, duration, probability, rate};
use crate::random::Random;

/// One direction of a link. The default is a perfect one.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Link {
    /// Time under way.
    pub delay: Duration,
    /// Up to this much more or less, uniformly. It does not reorder.
    pub jitter: Duration,
    /// Share of packets that are lost, 0 to 1.
    pub loss: f64,
    /// Share of packets that arrive twice.
    pub duplicate: f64,
    /// Share of packets that overtake those before them: they have no delay.
    pub reorder: f64,
    /// Bits a second; 0 is no limit.
    pub rate_bits: u64,
    /// Larger packets vanish without a word; 0 is no limit.
    pub mtu: usize,
}

impl Link {
    /// How long this packet is under way.
    pub(super) fn travel(&self, random: &mut Random) -> Duration {
        let jitter = self.jitter.as_nanos() as u64;
        if jitter == 0 {
            return self.delay;
        }
        let shifted = self.delay + Duration::from_nanos(random.below(2 * jitter + 1));
        shifted.saturating_sub(self.jitter)
    }

    /// How long the packet occupies the link.
    pub(super) fn occupies(&self, length: usize) -> Duration {
        match self.rate_bits {
            0 => Duration::ZERO,
            rate => Duration::from_nanos((length as u64 * 8).saturating_mul(1_000_000_000) / rate),
        }
    }
}

impl FromStr for Link {
    type Err = SpecError;

    /// `delay=20ms jitter=2ms loss=10% duplicate=1% reorder=5% rate=10mbit mtu=1400`; empty is a perfect link.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut link = Self::default();
        for (name, value) in assignments(text.split_whitespace())? {
            match name {
                "delay" => link.delay = duration(value)?,
                "jitter" => link.jitter = duration(value)?,
                "loss" => link.loss = probability(value)?,
                "duplicate" => link.duplicate = probability(value)?,
                "reorder" => link.reorder = probability(value)?,
                "rate" => link.rate_bits = rate(value)?,
                "mtu" => link.mtu = value.parse().map_err(|_| SpecError::value("mtu", value))?,
                _ => return Err(SpecError::new(format!("a link has no «{name}»"))),
            }
        }
        Ok(link)
    }
}

#[cfg(test)]
mod tests {
    use super::{Link, Random};
    use std::time::Duration;

    #[test]
    fn a_link_is_read_from_text() {
        let link: Link = "delay=20ms jitter=500us loss=2.5% rate=1mbit mtu=1400"
            .parse()
            .expect("a link");
        assert_eq!(
            (link.delay, link.jitter),
            (Duration::from_millis(20), Duration::from_micros(500))
        );
        assert!((link.loss - 0.025).abs() < 1e-12);
        assert_eq!((link.rate_bits, link.mtu), (1_000_000, 1400));
        assert_eq!("".parse::<Link>(), Ok(Link::default()));
        for wrong in [
            "delay",
            "delay=x",
            "loss=200%",
            "weather=bad",
            "delay=-1ms",
            "rate=0mbit",
        ] {
            assert!(wrong.parse::<Link>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn jitter_stays_within_its_bounds() {
        let link: Link = "delay=10ms jitter=4ms".parse().expect("a link");
        let mut random = Random::new(3);
        let times: Vec<_> = (0..1000).map(|_| link.travel(&mut random)).collect();
        assert!(times.iter().all(|t| (6..=14).contains(&(t.as_micros() / 1000))));
        assert!(times.iter().max() > times.iter().min());
    }

    #[test]
    fn a_slow_link_is_occupied_by_a_packet() {
        let link: Link = "rate=1mbit".parse().expect("a link");
        assert_eq!(link.occupies(1250), Duration::from_millis(10));
    }
}
