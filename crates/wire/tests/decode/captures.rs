//! The same conversations in many link layers and encapsulations (`tests/captures/derived`): one result for all.

use std::collections::BTreeMap;
use std::path::PathBuf;

use halfopen_wire::decode::{Decoder, Options};
use halfopen_wire::{Defect, Defects, EncapId, Frame, IcmpError, LinkType, Packet, Segment};

/// What came out of a file.
#[derive(Default)]
struct Outcome {
    segments: Vec<Segment>,
    errors: Vec<IcmpError>,
    defects: BTreeMap<&'static str, u64>,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Decodes a little-endian pcap file, time stamps left out: they are the reader's business.
fn read(name: &str) -> Outcome {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/captures/derived")
        .join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let link = LinkType(u32_at(&bytes, 20));
    let (mut decoder, mut defects) = (Decoder::new(Options::default()), Defects::default());
    let mut outcome = Outcome::default();
    let mut at = 24;
    while at + 16 <= bytes.len() {
        let (captured, wire_len) = (u32_at(&bytes, at + 8) as usize, u32_at(&bytes, at + 12));
        at += 16;
        let frame = Frame {
            timed: true,
            time_ns: 0,
            number: 0,
            file: 0,
            link,
            interface: 0,
            wire_len,
            data: &bytes[at..at + captured],
        };
        match decoder.decode(&frame, &mut defects) {
            Packet::Tcp(segment) => outcome.segments.push(segment),
            Packet::Icmp(error) => outcome.errors.push(error),
            Packet::Other => {}
        }
        at += captured;
    }
    outcome.defects = defects.nonzero().map(|(kind, n)| (kind.name(), n)).collect();
    outcome
}

/// A segment without what belongs to its link: interface and encapsulation.
fn bare(segment: &Segment) -> String {
    let mut segment = *segment;
    segment.interface = 0;
    segment.encap = EncapId::NONE;
    format!("{segment:?}")
}

fn bare_error(error: &IcmpError) -> String {
    let mut error = *error;
    error.encap = EncapId::NONE;
    format!("{error:?}")
}

#[test]
fn every_link_layer_and_encapsulation_gives_the_same_segments() {
    let canon = read("c01-pcap-le-us.pcap");
    assert_eq!((canon.segments.len(), canon.errors.len()), (94, 1));
    assert!(canon.segments.iter().all(|s| s.encap == EncapId::NONE));
    assert!(canon.defects.is_empty());
    for name in [
        "c03-pcap-le-ns.pcap",
        "l01-raw101.pcap",
        "l06-null-le.pcap",
        "l10-sll.pcap",
        "l11-sll2.pcap",
        "x01-vlan.pcap",
        "x02-qinq.pcap",
        "x06-mpls1.pcap",
        "x09-pppoe.pcap",
        "x20-ipip.pcap",
        "x22-gre.pcap",
        "x30-vxlan.pcap",
        "x50-v6-hbh.pcap",
        "d36-zero-length-record.pcap",
    ] {
        let other = read(name);
        assert!(
            canon.segments.iter().map(bare).eq(other.segments.iter().map(bare)),
            "{name}"
        );
        assert!(
            canon
                .errors
                .iter()
                .map(bare_error)
                .eq(other.errors.iter().map(bare_error)),
            "{name}"
        );
        let expected: &[_] = if name.starts_with('d') {
            &[("link_truncated", 1)]
        } else {
            &[]
        };
        assert_eq!(other.defects.into_iter().collect::<Vec<_>>(), expected, "{name}");
    }
}

/// What a cut or a fragment leaves: everything but payload, window and options.
fn place(s: &Segment) -> (halfopen_wire::Address, u16, u32, u32, u16) {
    (s.src, s.src_port, s.seq, s.ack, s.flags.0)
}

#[test]
fn first_fragments_stand_for_their_packets() {
    let (canon, fragments) = (read("c01-pcap-le-us.pcap"), read("x53-v4-frag-24.pcap"));
    assert!(
        canon
            .segments
            .iter()
            .map(place)
            .eq(fragments.segments.iter().map(place))
    );
    assert_eq!(fragments.defects.get(Defect::Fragment.name()), Some(&82));
    assert_eq!(fragments.errors.len(), 1);
}

/// 48 bytes are Ethernet, IPv4 and TCP up to the flags; IPv6 needs more.
#[test]
fn a_snaplen_of_48_leaves_what_decides() {
    let (canon, cut) = (read("c01-pcap-le-us.pcap"), read("d13-snap48.pcap"));
    let of_v4 = canon.segments.iter().filter(|s| !s.src.v6);
    assert!(of_v4.map(place).eq(cut.segments.iter().map(place)));
    assert_eq!(cut.segments.len(), 86);
    let expected = [("icmp_truncated", 1), ("ip_truncated", 8), ("tcp_truncated", 86)];
    assert_eq!(cut.defects.into_iter().collect::<Vec<_>>(), expected);
}
