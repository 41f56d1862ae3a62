//! The Internet checksum, RFC 1071.

use crate::Address;

/// The sum of `data` as big-endian words, an odd last byte padded with zero. Not folded: sums add up.
pub(super) fn sum(data: &[u8]) -> u64 {
    let (words, rest) = data.as_chunks::<4>();
    let mut last = [0; 4];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    words
        .iter()
        .chain([&last])
        .map(|w| u64::from(u32::from_be_bytes(*w)))
        .sum()
}

/// The sum of the pseudo-header: both addresses, protocol 6, TCP length (RFC 9293 section 3.1, RFC 8200 section 8.1).
pub(super) fn pseudo_header(src: Address, dst: Address, length: usize) -> u64 {
    let address = |a: Address| sum(&a.bits.to_be_bytes());
    address(src) + address(dst) + 6 + length as u64
}

/// Whether a sum over everything, the checksum field included, says that nothing changed.
pub(super) fn holds(mut sum: u64) -> bool {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum == 0xffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071() {
        let mut data = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7, 0x22, 0x0d];
        assert!(holds(sum(&data))); // ddf2 is their sum, 220d its complement
        data[1] = 2;
        assert!(!holds(sum(&data)));
    }

    #[test]
    fn an_odd_byte_counts_as_the_high_one() {
        assert_eq!(holds(sum(&[0xff])), holds(sum(&[0xff, 0x00])));
        assert!(holds(sum(&[0xff, 0xff])));
        assert!(holds(sum(&[0x00, 0xff, 0xff])));
    }
}
