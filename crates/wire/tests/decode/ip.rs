//! IPv4 and IPv6: options, extension headers, fragments, and lengths that lie.

use halfopen_wire::decode::Options;
use halfopen_wire::{Address, Defect};

use crate::support::*;

/// The SYN in IPv4, with some bytes of the IP header changed.
fn changed(bytes: &[(usize, u8)]) -> Vec<u8> {
    let mut packet = syn4();
    for &(at, value) in bytes {
        packet[at] = value;
    }
    packet
}

#[test]
fn ipv4_options_are_stepped_over() {
    let mut packet = join(&[&ipv4(TCP, &[])[..], &[0x94, 4, 0, 0]].concat(), &SYN); // router alert
    packet[0] = 0x46;
    packet[3] = 44;
    let segment = decode(RAW, &packet).is_segment(&[]);
    assert_eq!((segment.seq, segment.payload_len), (40_001_000, 0));
}

#[test]
fn what_an_ipv4_header_must_not_claim() {
    for (bytes, why) in [
        (&[(0, 0x44)][..], "header of 4 words"),
        (&[(0, 0x40)], "header of no words"),
        (&[(3, 19)], "total length below the header"),
        (&[(0, 0x4f), (3, 40)], "header beyond the total length"),
    ] {
        let decoded = decode(228, &changed(bytes));
        assert_eq!(decoded.defects, [Defect::IpMalformed], "{why}");
    }
    decode(ETHERNET, &ethernet(0x0800, &syn6())).is_lost(&[Defect::IpMalformed]);
    decode(ETHERNET, &ethernet(0x86dd, &syn4())).is_lost(&[Defect::IpMalformed]);
    decode(RAW, &[0x00; 40]).is_lost(&[Defect::IpMalformed]);
}

#[test]
fn a_total_length_of_zero_means_the_rest_of_the_frame() {
    let packet = join(&changed(&[(3, 0)]), &[b'x'; 3000]);
    assert_eq!(decode(RAW, &packet).is_segment(&[]).payload_len, 3000);
    let cut = decode_with(Options::default(), RAW, &packet[..60], packet.len());
    assert_eq!(cut.is_segment(&[]).payload_len, 3000);
}

#[test]
fn the_ip_length_counts_not_what_was_captured() {
    let packet = ipv4(TCP, &join(&SYN, &[b'x'; 1000]));
    let cut = decode_with(Options::default(), RAW, &packet[..50], packet.len());
    assert_eq!(cut.is_segment(&[]).payload_len, 1000);
}

#[test]
fn a_length_beyond_the_wire_is_said_and_not_believed() {
    let packet = join(&changed(&[(2, 0x10)]), b"abc");
    assert_eq!(decode(RAW, &packet).is_segment(&[Defect::IpMalformed]).payload_len, 3);
}

#[test]
fn a_file_that_claims_less_than_it_holds_is_not_believed() {
    let packet = ipv4(TCP, &join(&SYN, b"abc"));
    let decoded = decode_with(Options::default(), RAW, &packet, 0);
    assert_eq!(decoded.is_segment(&[]).payload_len, 3);
}

#[test]
fn fragments() {
    let first = changed(&[(6, 0x20)]);
    decode(RAW, &first).is_segment(&[]);
    let later = changed(&[(6, 0x00), (7, 3)]);
    decode(RAW, &later).is_lost(&[Defect::Fragment]);
    let last_of_6 = ipv6(44, &join(&[6, 0, 0x00, 0x18, 0, 0, 0, 9], &SYN));
    decode(RAW, &last_of_6).is_lost(&[Defect::Fragment]);
}

#[test]
fn a_first_fragment_keeps_what_it_has_of_a_header() {
    let syn = syn_with(&[2, 4, 5, 180, 1, 3, 3, 7]);
    let mut first = ipv4(TCP, &syn[..24]);
    first[6] = 0x20;
    let segment = decode(RAW, &first).is_segment(&[Defect::OptionsTruncated]);
    let options = segment.syn.unwrap();
    assert_eq!(
        (options.mss, options.window_scale, options.incomplete),
        (Some(1460), None, true)
    );
    assert_eq!(segment.payload_len, 0);
}

#[test]
fn a_tunnel_in_a_first_fragment_knows_the_inner_length() {
    let inner = ipv4(TCP, &join(&SYN, &[b'x'; 1000]));
    let mut first = outer_ipv4(4, &inner[..496]);
    first[6] = 0x20;
    assert_eq!(decode(RAW, &first).is_segment(&[]).payload_len, 1000);
}

#[test]
fn atomic_fragments_are_whole() {
    let segment = decode(RAW, &ipv6(44, &join(&[6, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef], &SYN))).is_segment(&[]);
    assert_eq!(segment.ip_id, Some(0xbeef));
}

#[test]
fn every_extension_header_is_stepped_over() {
    #[rustfmt::skip]
    let chain = [
        43, 0, 0x05, 2, 0, 0, 1, 0,           // hop-by-hop: router alert
        60, 0, 0x04, 0, 0, 0, 0, 0,           // routing, no segments left
        135, 1, 0x01, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // destination options
        139, 0, 0, 0, 0, 0, 0, 0,             // mobility
        140, 0, 0, 0, 0, 0, 0, 0,             // host identity
        51, 0, 0, 0, 0, 0, 0, 0,              // shim6
        44, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1,  // authentication: (4 + 2) words
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
        6, 0, 0x00, 0x00, 0, 0, 0, 7,         // atomic fragment
    ];
    let segment = decode(RAW, &ipv6(0, &join(&chain, &SYN))).is_segment(&[]);
    assert_eq!(
        (segment.seq, segment.ip_id, segment.payload_len),
        (40_001_000, Some(7), 0)
    );
}

#[test]
fn extension_headers_are_followed_to_a_limit() {
    let chain = |n: usize| ipv6(60, &join(&[60, 0, 1, 4, 0, 0, 0, 0].repeat(n), &SYN));
    decode(RAW, &chain(5000)).is_lost(&[Defect::IpMalformed]);
    decode(RAW, &chain(1)).is_lost(&[Defect::IpMalformed]); // the last one leads into the SYN
}

#[test]
fn an_extension_header_beyond_the_packet_is_malformed() {
    let packet = ipv6(60, &join(&[6, 200, 1, 4, 0, 0, 0, 0], &SYN));
    decode(RAW, &packet).is_lost(&[Defect::IpMalformed]);
    let more = decode_with(Options::default(), RAW, &packet, 4000);
    more.is_lost(&[Defect::IpMalformed]); // the wire had more, the packet had not
}

#[test]
fn jumbograms_are_as_long_as_the_wire() {
    #[rustfmt::skip]
    let mut packet = ipv6(0, &join(&[
        6, 0,                  // next header, 8 bytes
        0xc2, 4, 0, 1, 0x17, 0x8c, // jumbo payload of 71564 bytes
    ], &SYN));
    packet[4..6].copy_from_slice(&[0, 0]);
    let wire = 40 + 71_564;
    let decoded = decode_with(Options::default(), RAW, &packet, wire);
    assert_eq!(decoded.is_segment(&[]).payload_len, 71_564 - 8 - 20);
}

#[test]
fn what_carries_no_tcp_is_no_defect() {
    for protocol in [2, 17, 50, 89, 132] {
        decode(RAW, &ipv4(protocol, &[0; 40])).is_lost(&[]);
        decode(RAW, &ipv6(protocol, &[0; 40])).is_lost(&[]);
    }
    decode(RAW, &ipv6(59, &[])).is_lost(&[]);
}

#[test]
fn a_mapped_address_in_ipv6_is_not_the_ipv4_host() {
    let mut packet = syn6();
    packet[8..24].copy_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 10]);
    assert_ne!(decode(RAW, &packet).segment().src, Address::from_v4([192, 0, 2, 10]));
}
