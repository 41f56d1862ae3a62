//! Numbers, durations and addresses as text, appended to a buffer.
//!
//! Two million records hold some hundred million cells, so nothing here goes through `fmt`; and durations never go
//! through a float: the digits of the nanoseconds are the digits of the microseconds.

use halfopen_wire::Address;

/// Appends a whole number.
pub fn put_int(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends nanoseconds as microseconds, with as many decimals as are needed and at least one: `12.0`, `0.5`, `-1.234`.
/// One decimal always, so that a reader that guesses types from the text sees a float in every row.
pub fn put_micros(out: &mut Vec<u8>, ns: i64) {
    if ns < 0 {
        out.push(b'-');
    }
    let ns = ns.unsigned_abs();
    out.extend_from_slice(itoa::Buffer::new().format(ns / 1000).as_bytes());
    let rest = (ns % 1000) as u16;
    let digits = [b'.', digit(rest / 100), digit(rest / 10 % 10), digit(rest % 10)];
    let len = if rest.is_multiple_of(100) {
        2
    } else if rest.is_multiple_of(10) {
        3
    } else {
        4
    };
    out.extend_from_slice(&digits[..len]);
}

const fn digit(value: u16) -> u8 {
    b'0' + value as u8
}

/// Appends `true` or `false`.
pub fn put_bool(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// Whether a terminal would obey `c` instead of showing it: control characters, C1 and DEL among them, line separators,
/// and the marks that turn the direction of writing. All of them are below U+10000.
pub fn acts_on_terminals(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Appends `\u` and four hexadecimal digits: all of a character below U+10000.
pub fn put_escaped(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes());
}

/// Appends a character as UTF-8.
pub fn put_char(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Appends an address: dotted decimal, or the canonical form of RFC 5952.
pub fn put_address(out: &mut Vec<u8>, address: Address) {
    if address.v6 {
        put_v6(out, address.bits);
    } else {
        put_v4(out, address.bits as u32);
    }
}

/// The decimal digits of each octet and, in the last place, how many there are.
const OCTETS: [[u8; 4]; 256] = {
    let mut table = [[0; 4]; 256];
    let mut n = 0;
    while n < 256 {
        let (hundreds, tens, ones) = (
            b'0' + (n / 100) as u8,
            b'0' + (n / 10 % 10) as u8,
            b'0' + (n % 10) as u8,
        );
        table[n] = if n >= 100 {
            [hundreds, tens, ones, 3]
        } else if n >= 10 {
            [tens, ones, b'.', 2]
        } else {
            [ones, b'.', b'.', 1]
        };
        n += 1;
    }
    table
};

fn put_v4(out: &mut Vec<u8>, bits: u32) {
    // Four bytes are stored for each octet, and the next one overwrites what was too much: fixed-size stores are faster
    // than copies of one to three bytes.
    let mut text = [0_u8; 20];
    let mut at = 0;
    for octet in bits.to_be_bytes() {
        let [a, b, c, len] = OCTETS[usize::from(octet)];
        text[at..at + 4].copy_from_slice(&[a, b, c, b'.']);
        at += usize::from(len);
        text[at] = b'.';
        at += 1;
    }
    out.extend_from_slice(&text[..at - 1]);
}

/// RFC 5952 section 4: lower case, no leading zeros, `::` for the longest run of two or more zero groups, the first of
/// equals; section 5: the last 32 bits of an IPv4-mapped address in dotted decimal.
fn put_v6(out: &mut Vec<u8>, bits: u128) {
    if bits >> 32 == 0xffff {
        out.extend_from_slice(b"::ffff:");
        put_v4(out, bits as u32);
        return;
    }
    let groups: [u16; 8] = std::array::from_fn(|i| (bits >> (112 - 16 * i)) as u16);
    let (start, len) = longest_zero_run(&groups);
    let mut i = 0;
    while i < 8 {
        if len > 1 && i == start {
            out.extend_from_slice(b"::");
            i += len;
            continue;
        }
        if i > 0 && !(len > 1 && i == start + len) {
            out.push(b':');
        }
        put_hex(out, groups[i]);
        i += 1;
    }
}

fn longest_zero_run(groups: &[u16; 8]) -> (usize, usize) {
    let (mut best, mut current) = ((0, 0), (0, 0));
    for (i, &group) in groups.iter().enumerate() {
        current = match (group, current.1) {
            (0, 0) => (i, 1),
            (0, n) => (current.0, n + 1),
            _ => (i, 0),
        };
        if current.1 > best.1 {
            best = current;
        }
    }
    best
}

fn put_hex(out: &mut Vec<u8>, group: u16) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let text: [u8; 4] = std::array::from_fn(|i| DIGITS[usize::from(group >> (12 - 4 * i) & 0xf)]);
    let leading = (group.leading_zeros() / 4).min(3) as usize;
    out.extend_from_slice(&text[leading..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn text(put: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        put(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn microseconds_keep_every_digit_of_the_nanoseconds() {
        for (ns, expected) in [
            (0, "0.0"),
            (1, "0.001"),
            (10, "0.01"),
            (100, "0.1"),
            (1_000, "1.0"),
            (1_234_567, "1234.567"),
            (1_234_050, "1234.05"),
            (-1, "-0.001"),
            (i64::MAX, "9223372036854775.807"),
            (i64::MIN, "-9223372036854775.808"),
        ] {
            assert_eq!(text(|out| put_micros(out, ns)), expected);
        }
    }

    #[test]
    fn addresses_are_written_as_rfc_5952_asks() {
        for canonical in [
            "::",
            "::1",
            "1::",
            "2001:db8::1",
            "2001:db8:0:1:1:1:1:1",
            "2001:0:0:1::1",
            "::ffff:192.0.2.1",
            "1:2:3:4:5:6:7:8",
        ] {
            let address: Ipv6Addr = canonical.parse().unwrap();
            assert_eq!(
                text(|out| put_address(out, Address::from_v6(address.octets()))),
                canonical
            );
        }
    }

    proptest! {
        #[test]
        fn addresses_agree_with_the_standard_library(v4: u32, groups in proptest::array::uniform8(prop_oneof![Just(0_u16), any::<u16>()])) {
            let (v4, v6) = (Ipv4Addr::from_bits(v4), Ipv6Addr::from(groups));
            prop_assert_eq!(text(|out| put_address(out, Address::from_v4(v4.octets()))), v4.to_string());
            prop_assert_eq!(text(|out| put_address(out, Address::from_v6(v6.octets()))), v6.to_string());
        }
    }
}
