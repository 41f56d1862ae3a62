//! Time stamps of pcapng: a 64-bit count of units that each interface chooses.

/// Times beyond this many nanoseconds on either side of the epoch (146 years) are out of range: so the difference of
/// any two times of any captures fits 64 bits, and whoever subtracts them need not think of overflow.
pub(super) const MAX_TIME_NS: i64 = 1 << 62;

/// The unit of an interface (`if_tsresol`) and what to add (`if_tsoffset`), draft-ietf-opsawg-pcapng section 4.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Clock {
    unit: Unit,
    offset_ns: i128,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unit {
    /// So many nanoseconds: seconds to nanoseconds.
    Nanoseconds(u64),
    /// So many units are a nanosecond: finer powers of ten.
    PerNanosecond(u64),
    /// 2^-n seconds.
    PowerOfTwo(u32),
    /// Finer than 64 bits of it fill a nanosecond.
    TooFine,
}

impl Default for Clock {
    /// Microseconds since the epoch, where an interface says nothing.
    fn default() -> Self {
        Self {
            unit: Unit::Nanoseconds(1000),
            offset_ns: 0,
        }
    }
}

impl Clock {
    /// Takes `if_tsresol`: the negative power of 10, or of 2 where the top bit is set.
    pub fn set_resolution(&mut self, value: u8) {
        let exponent = u32::from(value & 0x7f);
        self.unit = match exponent {
            _ if value & 0x80 != 0 => Unit::PowerOfTwo(exponent),
            0..=9 => Unit::Nanoseconds(10_u64.pow(9 - exponent)),
            _ => 10_u64
                .checked_pow(exponent - 9)
                .map_or(Unit::TooFine, Unit::PerNanosecond),
        };
    }

    /// Takes `if_tsoffset`, seconds.
    pub fn set_offset(&mut self, seconds: i64) {
        self.offset_ns = i128::from(seconds) * 1_000_000_000;
    }

    /// Nanoseconds since the epoch, rounded down, of a 64-bit number of units; `None` beyond [`MAX_TIME_NS`].
    #[inline]
    pub fn time_ns(&self, units: i128) -> Option<i64> {
        let ns = match self.unit {
            Unit::Nanoseconds(factor) => units * i128::from(factor),
            Unit::PerNanosecond(divisor) => divide(units, divisor),
            Unit::PowerOfTwo(exponent) => (units * 1_000_000_000) >> exponent,
            Unit::TooFine => 0,
        };
        i64::try_from(ns + self.offset_ns)
            .ok()
            .filter(|ns| (-MAX_TIME_NS..=MAX_TIME_NS).contains(ns))
    }
}

/// Divides, by 64 bits where it can: that is several times as fast as by 128.
#[inline]
fn divide(units: i128, divisor: u64) -> i128 {
    u64::try_from(units).map_or_else(
        |_| units.div_euclid(i128::from(divisor)),
        |units| i128::from(units / divisor),
    )
}

#[cfg(test)]
mod tests {
    use super::{Clock, MAX_TIME_NS};

    fn time(resolution: u8, offset: i64, units: u64) -> Option<i64> {
        let mut clock = Clock::default();
        clock.set_resolution(resolution);
        clock.set_offset(offset);
        clock.time_ns(i128::from(units))
    }

    #[test]
    fn powers_of_ten() {
        const NS: i64 = 1_600_000_000_123_456_789;
        assert_eq!(
            Clock::default().time_ns(1_600_000_000_123_456),
            Some(1_600_000_000_123_456_000)
        );
        assert_eq!(time(0, 0, 1_600_000_000), Some(1_600_000_000_000_000_000));
        assert_eq!(time(3, 0, 1_600_000_000_123), Some(1_600_000_000_123_000_000));
        assert_eq!(time(9, 0, NS as u64), Some(NS));
        assert_eq!(time(10, 0, NS as u64 * 10 + 7), Some(NS));
        // Picoseconds: 64 bits last for 213 days.
        assert_eq!(time(12, 1_600_000_000, 123_456_789_999), Some(NS));
        assert_eq!(time(28, 5, u64::MAX), Some(5_000_000_001));
        assert_eq!(time(29, 5, u64::MAX), Some(5_000_000_000));
        assert_eq!(time(127, 5, u64::MAX), Some(5_000_000_000));
    }

    #[test]
    fn powers_of_two() {
        assert_eq!(time(0x80, 0, 1_600_000_000), Some(1_600_000_000_000_000_000));
        assert_eq!(time(0x81, 0, 3), Some(1_500_000_000));
        assert_eq!(
            time(0x94, 0, (1_600_000_000 << 20) + 1),
            Some(1_600_000_000_000_000_953)
        );
        assert_eq!(time(0xbf, 0, u64::MAX), Some(1_999_999_999));
        assert_eq!(time(0xff, 7, u64::MAX), Some(7_000_000_000));
    }

    #[test]
    fn offsets_are_signed_and_the_range_has_an_end() {
        assert_eq!(time(9, -1, 0), Some(-1_000_000_000));
        assert_eq!(time(9, i64::MIN, 0), None);
        assert_eq!(time(0, i64::MAX, u64::MAX), None);
        assert_eq!(time(9, 0, MAX_TIME_NS as u64), Some(MAX_TIME_NS));
        assert_eq!(time(9, 0, MAX_TIME_NS as u64 + 1), None);
    }
}
