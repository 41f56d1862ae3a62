//! Link layers and tags: every one leads to the same segment.

use halfopen_wire::{Address, Defect, EncapId, Flags, Packet};

use crate::samples::{Sample, all};
use crate::support::*;

/// The SYN as it must come out of every sample.
#[track_caller]
pub fn is_the_syn(sample: &Sample) {
    let decoded = decode(sample.link, &sample.data);
    assert_eq!(decoded.defects, [], "{}", sample.name);
    let s = decoded.segment();
    assert_eq!((s.time_ns, s.frame, s.file), (1_600_000_000_123_456_789, 42, 3));
    assert_eq!(
        s.interface,
        // Cooked: index 7 in what interface 5 of the file captured.
        if sample.link == 276 { 5 << 16 | 7 | 1 << 31 } else { 5 },
        "{}",
        sample.name
    );
    assert_eq!(
        (s.src, s.src_port),
        (Address::from_v4([192, 0, 2, 10]), 40001),
        "{}",
        sample.name
    );
    assert_eq!(
        (s.dst, s.dst_port),
        (Address::from_v4([198, 51, 100, 5]), 80),
        "{}",
        sample.name
    );
    assert_eq!(
        (s.seq, s.ack, s.flags, s.window),
        (40_001_000, 0, Flags(Flags::SYN), 64240)
    );
    assert_eq!(
        (s.payload_len, s.ttl, s.ip_id, s.bad_checksum),
        (0, 64, Some(101), false),
        "{}",
        sample.name
    );
    assert_eq!(s.syn, Some(halfopen_wire::SynOptions::default()));
    assert_eq!(decoded.tunnels(), sample.tunnels, "{}", sample.name);
    assert_eq!(decoded.encap.vlan, sample.vlan, "{}", sample.name);
    assert_eq!(
        s.encap == EncapId::NONE,
        sample.vlan.is_empty() && sample.tunnels.is_empty()
    );
}

#[test]
fn every_encapsulation_leads_to_the_same_segment() {
    let samples = all();
    assert!(samples.len() > 50);
    samples.iter().for_each(is_the_syn);
}

#[test]
fn every_number_of_af_inet6_is_ipv6() {
    for family in [10, 24, 28, 30] {
        let (swapped, host) = ([0, 0, 0, family], [family, 0, 0, 0]);
        assert!(decode(0, &join(&host, &syn6())).segment().src.v6);
        assert!(decode(0, &join(&swapped, &syn6())).segment().src.v6);
        assert!(decode(108, &join(&swapped, &syn6())).segment().src.v6);
    }
    decode(0, &join(&[7, 0, 0, 0], &syn6())).is_lost(&[]);
}

#[test]
fn ipv6_over_every_kind_of_link() {
    for (link, data) in [
        (ETHERNET, ethernet(0x86dd, &syn6())),
        (RAW, syn6()),
        (229, syn6()),
        (9, join(&[0x00, 0x57], &syn6())),
        (9, join(&[0x57], &syn6())),
        (104, join(&[0x8f, 0x00, 0x86, 0xdd], &syn6())),
    ] {
        let s = decode(link, &data).is_segment(&[]);
        assert_eq!(s.src.to_string(), "2001:db8::10");
        assert_eq!(s.dst.to_string(), "2001:db8::5");
        assert_eq!((s.ttl, s.ip_id, s.seq), (61, None, 40_001_000));
    }
}

#[test]
fn an_unknown_link_type_is_said() {
    decode(147, &syn4()).is_lost(&[Defect::UnknownLinkType]);
}

#[test]
fn an_empty_frame_is_truncated() {
    decode(ETHERNET, &[]).is_lost(&[Defect::LinkTruncated]);
    decode(RAW, &[]).is_lost(&[Defect::IpTruncated]);
}

#[test]
fn traffic_that_is_not_ip_is_no_defect() {
    decode(ETHERNET, &ethernet(0x0806, &[0; 28])).is_lost(&[]); // ARP
    decode(ETHERNET, &ethernet(38, &join(&[0x42, 0x42, 0x03], &[0; 35]))).is_lost(&[]); // spanning tree
    decode(ETHERNET, &ethernet(0x8863, &[0; 28])).is_lost(&[]); // PPPoE discovery
    decode(
        113,
        &join(&[0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x00, 0x0c], &[0; 16]),
    )
    .is_lost(&[]); // CAN
    decode(9, &[0xc0, 0x21, 1, 1, 0, 4]).is_lost(&[]); // LCP
}

#[test]
fn tags_are_followed_to_a_limit() {
    let tagged = |n: usize| {
        ethernet(
            0x8100,
            &join(&[0, 9, 0x81, 0x00].repeat(n - 1), &join(&[0, 9, 8, 0], &syn4())),
        )
    };
    let decoded = decode(ETHERNET, &tagged(8));
    assert_eq!(decoded.encap.vlan, [9; 8]);
    assert!(matches!(decoded.packet, Packet::Tcp(_)));
    decode(ETHERNET, &tagged(9)).is_lost(&[Defect::TunnelTooDeep]);
    decode(ETHERNET, &tagged(10_000)).is_lost(&[Defect::TunnelTooDeep]);
}

#[test]
fn tags_inside_a_tunnel_are_kept_apart() {
    let inner = ethernet(0x8100, &join(&[0, 9, 0x08, 0x00], &syn4()));
    let outer = outer_ipv4(UDP, &udp(4789, &join(&crate::samples::VXLAN, &inner)));
    let frame = ethernet(0x8100, &join(&[0, 7, 0x08, 0x00], &outer));
    let decoded = decode(ETHERNET, &frame);
    assert_eq!((decoded.encap.vlan, decoded.encap.inner_vlan), (vec![7], vec![9]));
}

#[test]
fn padding_of_a_short_frame_is_no_payload() {
    let mut frame = ethernet(0x0800, &syn4());
    frame.resize(60, 0xee);
    assert_eq!(decode(ETHERNET, &frame).is_segment(&[]).payload_len, 0);
}
