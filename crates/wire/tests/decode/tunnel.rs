//! Tunnels: what makes two of them the same, how deep they go, and what only looks like one.

use halfopen_wire::decode::{Decoder, Options};
use halfopen_wire::encap::Outer;
use halfopen_wire::{Address, Defect, Defects, EncapId, Packet, Tunnel};

use crate::samples::VXLAN;
use crate::support::*;

fn outer() -> Outer {
    Outer::new(Address::from_v4([10, 0, 0, 1]), Address::from_v4([10, 0, 0, 2]))
}

/// The tunnels around the SYN.
fn tunnels(packet: &[u8]) -> Vec<Tunnel> {
    decode(RAW, packet).encap.tunnels
}

fn gre(head: &[u8], payload: &[u8]) -> Vec<u8> {
    outer_ipv4(47, &join(head, payload))
}

#[test]
fn identifiers_and_keys_are_part_of_a_tunnel() {
    let bridged = ethernet(0x0800, &syn4());
    let vxlan = outer_ipv4(UDP, &udp(4789, &join(&VXLAN, &bridged)));
    assert_eq!(tunnels(&vxlan), [Tunnel::Vxlan(outer(), 77)]);
    let geneve = outer_ipv4(UDP, &udp(6081, &join(&[0, 0, 0x65, 0x58, 1, 0, 0, 0], &bridged)));
    assert_eq!(tunnels(&geneve), [Tunnel::Geneve(outer(), 0x1_0000)]);
    let keyed = gre(&[0x20, 0, 0x08, 0x00, 0xde, 0xad, 0xbe, 0xef], &syn4());
    assert_eq!(tunnels(&keyed), [Tunnel::Gre(outer(), Some(0xdead_beef))]);
    assert_eq!(
        tunnels(&gre(&[0, 0, 0x08, 0x00], &syn4())),
        [Tunnel::Gre(outer(), None)]
    );
    let pppoe = decode(51, &join(&[0x11, 0, 0x12, 0x34, 0, 42, 0x00, 0x21], &syn4()));
    assert_eq!(pppoe.encap.tunnels, [Tunnel::Pppoe(0x1234)]);
}

#[test]
fn six_in_four_and_six_in_six() {
    assert_eq!(tunnels(&outer_ipv4(41, &syn6())), [Tunnel::Ip6ip(outer())]);
    assert_eq!(decode(RAW, &ipv6(41, &syn6())).tunnels(), ["ip6ip"]);
    assert!(decode(RAW, &outer_ipv4(41, &syn6())).segment().src.v6);
}

#[test]
fn teredo_with_and_without_its_headers() {
    #[rustfmt::skip]
    let authentication = [0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0];
    let origin = [0, 0, 0xf2, 0x27, 1, 2, 3, 4];
    for head in [
        &[][..],
        &authentication,
        &origin,
        &[&authentication[..], &origin].concat(),
    ] {
        assert_eq!(
            tunnels(&outer_ipv4(UDP, &udp(3544, &join(head, &syn6())))),
            [Tunnel::Teredo(outer())]
        );
    }
}

#[test]
fn numbers_that_differ_by_direction_are_no_identity() {
    let bridged = ethernet(0x0800, &syn4());
    let nvgre = |flow| gre(&[0x20, 0, 0x65, 0x58, 0, 0x50, 0, flow], &bridged);
    assert_eq!(tunnels(&nvgre(1)), tunnels(&nvgre(2)));
    let small_key = |key| gre(&[0x20, 0, 0x65, 0x58, 0, 0, 0, key], &bridged);
    assert_ne!(tunnels(&small_key(1)), tunnels(&small_key(2)));
    let pptp = |call| gre(&[0x20, 0x01, 0x88, 0x0b, 0, 41, 0, call, 0x21], &syn4());
    assert_eq!(tunnels(&pptp(1)), [Tunnel::Gre(outer(), None)]);
    assert_eq!(tunnels(&pptp(1)), tunnels(&pptp(2)));
}

#[test]
fn both_directions_are_the_same_tunnel() {
    let mut decoder = Decoder::new(Options::default());
    let mut id = |packet: &[u8]| match decoder.decode(&frame(RAW, packet, packet.len()), &mut Defects::default()) {
        Packet::Tcp(segment) => segment.encap,
        other => panic!("{other:?}"),
    };
    let forth = outer_ipv4(4, &syn4());
    let mut back = forth.clone();
    back[12..20].copy_from_slice(&[10, 0, 0, 2, 10, 0, 0, 1]);
    let mut other = forth.clone();
    other[19] = 3;
    let first = id(&forth);
    assert_eq!(id(&back), first);
    assert_eq!(id(&syn4()), EncapId::NONE);
    assert_ne!(id(&other), first);
    assert_eq!(id(&forth), first);
}

#[test]
fn labels_in_one_direction_only_are_the_same_network() {
    let mut decoder = Decoder::new(Options::default());
    let mut id = |data: &[u8]| match decoder.decode(&frame(ETHERNET, data, data.len()), &mut Defects::default()) {
        Packet::Tcp(segment) => segment.encap,
        other => panic!("{other:?}"),
    };
    let labelled = id(&ethernet(0x8847, &join(&[0, 1, 1, 64], &syn4())));
    let priority = id(&ethernet(0x8100, &join(&[0xa0, 0, 8, 0], &syn4())));
    let tagged = id(&ethernet(0x8100, &join(&[0, 9, 8, 0], &syn4())));
    assert_eq!((labelled.network(), priority.network()), (EncapId::NONE, EncapId::NONE));
    assert_ne!(tagged.network(), EncapId::NONE);
}

#[test]
fn tunnels_are_followed_to_a_limit() {
    let nested = |depth: usize| (0..depth).fold(syn4(), |inner, _| outer_ipv4(4, &inner));
    assert_eq!(decode(RAW, &nested(8)).tunnels(), ["ipip"; 8]);
    decode(RAW, &nested(9)).is_lost(&[Defect::TunnelTooDeep]);
    decode(RAW, &nested(3000)).is_lost(&[Defect::TunnelTooDeep]);
}

#[test]
fn every_kind_of_tunnel_counts_towards_the_limit() {
    let deepest = (0..8).fold(syn4(), |inner, _| outer_ipv4(4, &inner));
    let bridged = ethernet(0x0800, &deepest);
    for packet in [
        gre(&[0, 0, 0x08, 0x00], &deepest),
        outer_ipv4(UDP, &udp(4789, &join(&VXLAN, &bridged))),
        outer_ipv4(UDP, &udp(6081, &join(&[0, 0, 0x65, 0x58, 0, 0, 1, 0], &bridged))),
        outer_ipv4(UDP, &udp(2152, &join(&[0x30, 0xff, 0, 200, 0, 0, 0, 1], &deepest))),
    ] {
        decode(RAW, &packet).is_lost(&[Defect::TunnelTooDeep]);
    }
    decode(ETHERNET, &ethernet(0x8847, &join(&[0, 1, 1, 64], &deepest))).is_lost(&[Defect::TunnelTooDeep]);
    decode(51, &join(&[0x11, 0, 0, 1, 0, 202, 0, 0x21], &deepest)).is_lost(&[Defect::TunnelTooDeep]);
}

#[test]
fn a_label_stack_without_a_bottom_ends() {
    let stack = [0, 1, 0, 64].repeat(1000);
    decode(ETHERNET, &ethernet(0x8847, &stack)).is_lost(&[Defect::TunnelTooDeep]);
}

#[test]
fn a_route_without_an_end_ends() {
    let route = [8, 0, 0, 0].repeat(100);
    let packet = gre(&[0x40, 0, 8, 0, 0, 0, 0, 0], &route);
    decode(RAW, &packet).is_lost(&[Defect::LinkTruncated]);
}

/// A client may use any port for anything: a port alone makes no tunnel and no defect.
#[test]
fn other_traffic_on_the_ports_of_tunnels_is_left_alone() {
    #[rustfmt::skip]
    let dns = [
        0x08, 0x00, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, // an answer whose identifier begins like VXLAN
        3, b'w', b'w', b'w', 7, b'e', b'x', b'a', b'm', b'p', b'l', b'e', 3, b'c', b'o', b'm', 0, 0, 1, 0, 1,
        0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 1, 0, 0, 4, 192, 0, 2, 1,
    ];
    let zeros = [0; 64];
    let ones = [0xff; 64];
    for port in [1701, 2152, 3544, 4789, 4790, 6081, 8472] {
        for payload in [
            &dns[..],
            &zeros,
            &ones,
            &syn4(),
            b"GET / HTTP/1.1\r\nHost: example\r\n\r\n",
        ] {
            decode(RAW, &outer_ipv4(UDP, &udp(port, payload))).is_lost(&[]);
        }
    }
    let bridged = ethernet(0x0800, &syn4());
    let without_identifier = [0, 0, 0, 0, 0, 0, 77, 0];
    decode(RAW, &outer_ipv4(UDP, &udp(4789, &join(&without_identifier, &bridged)))).is_lost(&[]);
    decode(RAW, &outer_ipv4(UDP, &udp(4788, &join(&VXLAN, &bridged)))).is_lost(&[]);
    let wrong_version = [0x40, 0, 0x65, 0x58, 0, 0, 77, 0];
    decode(RAW, &outer_ipv4(UDP, &udp(6081, &join(&wrong_version, &bridged)))).is_lost(&[]);
}

#[test]
fn unknown_payloads_of_gre_are_left_alone() {
    decode(RAW, &gre(&[0x00, 0x00, 0x12, 0x34], &syn4())).is_lost(&[]);
    decode(RAW, &gre(&[0x00, 0x07, 0x08, 0x00], &syn4())).is_lost(&[]); // version 7
    decode(RAW, &gre(&[0x00, 0x00, 0x00, 0x30], &syn4())).is_lost(&[]); // a length is no type here
}
