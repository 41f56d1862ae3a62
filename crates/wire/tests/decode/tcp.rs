//! The fixed TCP header: fields, damage, checksums.

use halfopen_wire::decode::Options;
use halfopen_wire::{Defect, Flags, SynOptions};

use crate::support::*;

const VERIFY: Options = Options { verify_checksums: true };

#[test]
fn every_field_of_a_data_segment() {
    #[rustfmt::skip]
    let segment = [
        0x01, 0xbb,             // source port 443
        0xff, 0xff,             // destination port 65535
        0xff, 0xff, 0xff, 0xfe, // sequence number
        0x80, 0x00, 0x00, 0x01, // acknowledgment number
        0x81, 0xd8,             // 8 words; AE, CWR, ECE, ACK, PSH
        0x01, 0xf5,             // window 501
        0x12, 0x34,             // checksum
        0x00, 0x00,             // urgent pointer
        1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, // timestamps
        b'h', b'e', b'l', b'l', b'o',
    ];
    let s = decode(RAW, &ipv4(TCP, &segment)).is_segment(&[]);
    assert_eq!(
        (s.src_port, s.dst_port, s.seq, s.ack),
        (443, 65535, 0xffff_fffe, 0x8000_0001)
    );
    assert_eq!(
        s.flags,
        Flags(Flags::AE | Flags::CWR | Flags::ECE | Flags::ACK | Flags::PSH)
    );
    assert_eq!((s.window, s.payload_len, s.syn), (501, 5, None));
}

#[test]
fn options_are_there_exactly_with_the_syn_flag() {
    for flags in 0..=255 {
        let mut segment = syn_with(&[2, 4, 5, 180]);
        segment[13] = flags;
        let s = decode(RAW, &ipv4(TCP, &segment)).is_segment(&[]);
        assert_eq!(s.syn.is_some(), flags & 2 != 0);
        assert_eq!(s.flags, Flags(u16::from(flags)));
    }
}

#[test]
fn data_in_a_syn_is_counted() {
    let s = decode(RAW, &ipv4(TCP, &join(&syn_with(&[34, 2]), b"GET /"))).is_segment(&[]);
    assert_eq!(s.payload_len, 5);
}

#[test]
fn a_data_offset_below_five_is_no_header() {
    for words in 0..5 {
        let mut segment = SYN;
        segment[12] = words << 4;
        decode(RAW, &ipv4(TCP, &segment)).is_lost(&[Defect::TcpMalformed]);
    }
}

#[test]
fn a_data_offset_beyond_the_segment_is_said_and_the_rest_is_used() {
    let mut segment = syn_with(&[2, 4, 5, 180]);
    segment[12] = 0xf0;
    let s = decode(RAW, &ipv4(TCP, &segment)).is_segment(&[Defect::TcpMalformed]);
    let options = s.syn.unwrap();
    assert_eq!((s.payload_len, options.mss, options.incomplete), (0, Some(1460), true));
}

#[test]
fn a_segment_shorter_than_its_header_is_malformed() {
    for length in 0..20 {
        decode(RAW, &ipv4(TCP, &SYN[..length])).is_lost(&[Defect::TcpMalformed]);
    }
}

#[test]
fn a_header_cut_behind_its_flags_is_still_used() {
    let packet = ipv4(TCP, &syn_with(&[2, 4, 5, 180]));
    for captured in 0..20 {
        let cut = decode_with(Options::default(), RAW, &packet[..20 + captured], packet.len());
        if captured < 14 {
            cut.is_lost(&[Defect::TcpTruncated]);
            continue;
        }
        let s = cut.is_segment(&[Defect::TcpTruncated]);
        assert_eq!((s.seq, s.flags, s.payload_len), (40_001_000, Flags(Flags::SYN), 0));
        let expected = SynOptions {
            incomplete: true,
            window_cut: captured < 16,
            cut: true,
            ..SynOptions::default()
        };
        assert_eq!(s.syn, Some(expected));
        assert_eq!(s.window, if captured < 16 { s.window } else { 64240 });
    }
}

#[test]
fn checksums_are_left_alone_unless_asked_for() {
    decode(RAW, &syn4()).is_segment(&[]);
}

/// RFC 1071 over words, written the slow way.
fn checksum(parts: &[&[u8]]) -> [u8; 2] {
    let bytes = parts.concat();
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|w| u32::from(w[0]) << 8 | w.get(1).map_or(0, |&b| u32::from(b)))
        .sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    (!(sum as u16)).to_be_bytes()
}

fn checksummed4(payload: &[u8]) -> Vec<u8> {
    let mut segment = join(&SYN, payload);
    let length = (segment.len() as u16).to_be_bytes();
    let sum = checksum(&[&[192, 0, 2, 10, 198, 51, 100, 5, 0, TCP], &length, &segment]);
    segment[16..18].copy_from_slice(&sum);
    let mut packet = ipv4(TCP, &segment);
    let sum = checksum(&[&packet[..20]]);
    packet[10..12].copy_from_slice(&sum);
    packet
}

#[test]
fn right_checksums_are_found_right() {
    for payload in [&b""[..], b"a", b"ab", b"abc", b"\xff\xff\xff\xff\xff"] {
        let packet = checksummed4(payload);
        let s = decode_with(VERIFY, RAW, &packet, packet.len()).is_segment(&[]);
        assert!(!s.bad_checksum);
    }
    let mut packet = syn6();
    let sum = checksum(&[&packet[8..40], &[0, 0, 0, 20, 0, 0, 0, TCP], &SYN]);
    packet[56..58].copy_from_slice(&sum);
    decode_with(VERIFY, RAW, &packet, packet.len()).is_segment(&[]);
}

#[test]
fn every_flipped_bit_is_found() {
    let packet = checksummed4(b"abc");
    for byte in 20..packet.len() {
        let mut bad = packet.clone();
        bad[byte] ^= 0x04;
        let decoded = decode_with(VERIFY, RAW, &bad, bad.len());
        assert_eq!(decoded.defects.first(), Some(&Defect::BadTcpChecksum), "byte {byte}");
        assert!(decoded.segment().bad_checksum);
    }
    let mut bad = packet.clone();
    bad[8] -= 1; // TTL
    let s = decode_with(VERIFY, RAW, &bad, bad.len()).is_segment(&[Defect::BadIpChecksum]);
    assert!(!s.bad_checksum);
}

#[test]
fn only_a_whole_segment_can_be_verified() {
    let mut packet = syn4();
    packet.extend(*b"abc");
    packet[3] += 3;
    let sum = checksum(&[&packet[..20]]);
    packet[10..12].copy_from_slice(&sum);
    let cut = decode_with(VERIFY, RAW, &packet[..42], packet.len()).is_segment(&[]);
    assert!(!cut.bad_checksum);

    packet[6] = 0x20; // more fragments
    packet[10..12].copy_from_slice(&[0, 0]);
    let sum = checksum(&[&packet[..20]]);
    packet[10..12].copy_from_slice(&sum);
    decode_with(VERIFY, RAW, &packet, packet.len()).is_segment(&[]);

    let source_routed = ipv6(43, &join(&[6, 0, 4, 1, 0, 0, 0, 0], &SYN));
    decode_with(VERIFY, RAW, &source_routed, source_routed.len()).is_segment(&[]);
}
