//! ICMP and `ICMPv6` errors about a SYN.

use halfopen_wire::{Address, Defect};

use crate::support::*;

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// An ICMP message from the router 203.0.113.1.
fn error4(kind: u8, code: u8, quote: &[u8]) -> Vec<u8> {
    #[rustfmt::skip]
    let header = [
        kind, code,
        0, 0,       // checksum
        0, 0, 0, 0, // unused
    ];
    let mut packet = ipv4(ICMP, &join(&header, quote));
    packet[12..16].copy_from_slice(&[203, 0, 113, 1]);
    packet
}

fn error6(kind: u8, code: u8, quote: &[u8]) -> Vec<u8> {
    ipv6(ICMPV6, &join(&[kind, code, 0, 0, 0, 0, 0, 0], quote))
}

#[test]
fn every_error_that_quotes() {
    for (kind, code) in [
        (3, 0),
        (3, 1),
        (3, 3),
        (3, 4),
        (3, 13),
        (4, 0),
        (5, 1),
        (11, 0),
        (12, 0),
    ] {
        let decoded = decode(RAW, &error4(kind, code, &syn4()));
        let e = decoded.icmp();
        assert_eq!(decoded.defects, []);
        assert_eq!((e.v6, e.kind, e.code, e.frame, e.file), (false, kind, code, 42, 3));
        assert_eq!(e.reporter, Address::from_v4([203, 0, 113, 1]));
        assert_eq!((e.src, e.src_port), (Address::from_v4([192, 0, 2, 10]), 40001));
        assert_eq!((e.dst, e.dst_port), (Address::from_v4([198, 51, 100, 5]), 80));
        assert_eq!(e.seq, Some(40_001_000));
    }
    for (kind, code) in [(1, 0), (1, 4), (2, 0), (3, 0), (4, 1)] {
        let e = decode(RAW, &error6(kind, code, &syn6())).icmp();
        assert_eq!((e.v6, e.kind, e.code, e.seq), (true, kind, code, Some(40_001_000)));
        assert_eq!((e.src.to_string(), e.dst_port), ("2001:db8::10".into(), 80));
    }
}

#[test]
fn messages_that_quote_nothing() {
    for kind in [0, 8, 9, 13, 17] {
        decode(RAW, &error4(kind, 0, &syn4())).is_lost(&[]);
    }
    for kind in [128, 129, 135, 136, 143] {
        decode(RAW, &error6(kind, 0, &syn6())).is_lost(&[]);
    }
    decode(RAW, &ipv6(ICMP, &error4(3, 1, &syn4())[20..])).is_lost(&[]); // ICMP is not for IPv6
}

#[test]
fn eight_bytes_of_tcp_are_enough() {
    assert_eq!(decode(RAW, &error4(3, 1, &syn4()[..28])).icmp().seq, Some(40_001_000));
    assert_eq!(decode(RAW, &error6(1, 0, &syn6()[..48])).icmp().seq, Some(40_001_000));
}

#[test]
fn a_quote_that_was_cut_off_names_the_ports() {
    for length in 24..28 {
        let e = decode(RAW, &error4(3, 1, &syn4()[..length])).icmp();
        assert_eq!((e.dst_port, e.seq), (80, None));
    }
    for length in 44..48 {
        let e = decode(RAW, &error6(1, 0, &syn6()[..length])).icmp();
        assert_eq!((e.dst_port, e.seq), (80, None));
    }
    for length in 0..24 {
        decode(RAW, &error4(3, 1, &syn4()[..length])).is_lost(&[Defect::IcmpTruncated]);
    }
    for length in 0..44 {
        decode(RAW, &error6(1, 0, &syn6()[..length])).is_lost(&[Defect::IcmpTruncated]);
    }
}

#[test]
fn the_lengths_of_a_quote_do_not_matter() {
    let mut quote = syn4();
    quote[2..4].copy_from_slice(&[60, 0]); // bytes swapped, as some old stacks quote
    assert_eq!(decode(RAW, &error4(3, 1, &quote)).icmp().seq, Some(40_001_000));
}

#[test]
fn quoted_options_and_extension_headers_are_stepped_over() {
    let mut quote = join(&[&ipv4(TCP, &[])[..], &[0x94, 4, 0, 0]].concat(), &SYN);
    quote[0] = 0x46;
    assert_eq!(decode(RAW, &error4(3, 1, &quote)).icmp().dst_port, 80);
    let quote = ipv6(0, &join(&[44, 0, 5, 2, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 1], &SYN));
    assert_eq!(decode(RAW, &error6(1, 0, &quote)).icmp().dst_port, 80);
}

#[test]
fn what_names_no_segment_is_no_defect() {
    decode(RAW, &error4(3, 3, &ipv4(UDP, &udp(53, b"?")))).is_lost(&[]);
    decode(RAW, &error6(1, 4, &ipv6(UDP, &udp(53, b"?")))).is_lost(&[]);
    decode(RAW, &error4(3, 1, &syn6())).is_lost(&[]);
    let mut later_fragment = syn4();
    later_fragment[7] = 3;
    decode(RAW, &error4(11, 1, &later_fragment)).is_lost(&[]);
    decode(RAW, &error6(3, 1, &ipv6(44, &join(&[6, 0, 0, 8, 0, 0, 0, 1], &SYN)))).is_lost(&[]);
}

#[test]
fn tags_around_an_error_are_known() {
    let frame = ethernet(0x8100, &join(&[0, 100, 0x08, 0x00], &error4(3, 1, &syn4())));
    let decoded = decode(ETHERNET, &frame);
    decoded.icmp();
    assert_eq!(decoded.encap.vlan, [100]);
}
