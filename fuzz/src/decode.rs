//! The decoder of frames. Whatever the bytes, it returns, says the same twice, finds no more than there is, and what it
//! finds in a frame that was cut is what it finds in the whole one.

use halfopen_wire::decode::{Decoder, Options};
use halfopen_wire::{Defects, Flags, Frame, LinkType, Packet, Segment};

/// A frame cannot be wrong in more ways: one for each header that it can hold.
const DEFECTS_MAX: u64 = 16;

/// The smallest frame with a segment: 20 bytes of IPv4, 14 of TCP.
const SEGMENT_MIN: usize = 34;

/// Two bytes of link type (network order), then a frame.
pub fn frame(input: &[u8]) {
    if let Some((&link, data)) = input.split_first_chunk() {
        check(u16::from_be_bytes(link).into(), data);
    }
}

/// An IP packet.
pub fn ip(input: &[u8]) {
    check(101, input);
}

/// The option list of a SYN.
pub fn options(input: &[u8]) {
    let mut list = input[..input.len().min(40)].to_vec();
    list.resize(list.len().next_multiple_of(4), 0);
    let header = 20 + list.len() as u8;
    #[rustfmt::skip]
    let mut packet = vec![
        0x45, 0, 0, 20 + header, 0, 1, 0, 0, 64, 6, 0, 0, 192, 0, 2, 10, 198, 51, 100, 5,
        0x9c, 0x41, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, header << 2, 2, 0xff, 0xff, 0, 0, 0, 0,
    ];
    packet.append(&mut list);
    assert!(
        decode(101, &packet, packet.len()).is_some(),
        "damaged options are no reason to lose a SYN"
    );
    check(101, &packet);
}

/// What follows the 8 bytes of an ICMP (first byte even) or `ICMPv6` error.
pub fn icmp(input: &[u8]) {
    let Some((&version, quote)) = input.split_first() else {
        return;
    };
    let quote = &quote[..quote.len().min(1200)];
    let mut packet = if version & 1 == 0 {
        let [high, low] = (quote.len() as u16 + 28).to_be_bytes();
        vec![
            0x45, 0, high, low, 0, 1, 0, 0, 64, 1, 0, 0, 203, 0, 113, 1, 192, 0, 2, 10, 3, 1, 0, 0, 0, 0, 0, 0,
        ]
    } else {
        let [high, low] = (quote.len() as u16 + 8).to_be_bytes();
        let mut packet = vec![0x60, 0, 0, 0, high, low, 58, 64];
        packet.extend([0x20; 32]);
        packet.extend([1, 0, 0, 0, 0, 0, 0, 0]);
        packet
    };
    packet.extend(quote);
    check(101, &packet);
}

/// Decodes twice with one decoder.
fn decode(link: u32, data: &[u8], wire: usize) -> Option<Segment> {
    let (mut decoder, mut defects) = (Decoder::new(Options { verify_checksums: true }), Defects::default());
    let frame = Frame {
        time_ns: 1,
        timed: true,
        number: 1,
        file: 0,
        link: LinkType(link),
        interface: 0,
        wire_len: wire as u32,
        data,
    };
    let packet = decoder.decode(&frame, &mut defects);
    assert!(defects.nonzero().map(|(_, n)| n).sum::<u64>() <= DEFECTS_MAX);
    let again = decoder.decode(&frame, &mut defects);
    assert_eq!(format!("{packet:?}"), format!("{again:?}"));
    match packet {
        Packet::Tcp(segment) => Some(segment),
        Packet::Icmp(_) | Packet::Other => None,
    }
}

fn check(link: u32, data: &[u8]) {
    let Some(whole) = decode(link, data, data.len()) else {
        return;
    };
    assert!(data.len() >= SEGMENT_MIN);
    assert_eq!(whole.syn.is_some(), whole.flags.has(Flags::SYN));
    for length in 0..data.len() {
        if let Some(cut) = decode(link, &data[..length], data.len()) {
            assert_eq!(place(&cut), place(&whole), "cut to {length}");
        }
    }
}

/// What no cut may change.
fn place(s: &Segment) -> impl PartialEq + std::fmt::Debug {
    (
        s.src,
        s.dst,
        s.src_port,
        s.dst_port,
        s.seq,
        s.ack,
        s.flags,
        s.payload_len,
        s.ttl,
        s.ip_id,
        s.encap,
    )
}
