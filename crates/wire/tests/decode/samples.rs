//! One SYN in everything that it can come in: for the tables, the truncations and the mutations.

use crate::support::*;

/// A frame that holds the SYN.
pub struct Sample {
    pub name: &'static str,
    pub link: u32,
    pub data: Vec<u8>,
    pub vlan: &'static [u16],
    pub tunnels: &'static [&'static str],
}

const fn sample(name: &'static str, link: u32, data: Vec<u8>) -> Sample {
    Sample {
        name,
        link,
        data,
        vlan: &[],
        tunnels: &[],
    }
}

fn tagged(name: &'static str, vlan: &'static [u16], data: Vec<u8>) -> Sample {
    Sample {
        vlan,
        ..sample(name, ETHERNET, data)
    }
}

fn tunnelled(name: &'static str, link: u32, tunnels: &'static [&'static str], data: Vec<u8>) -> Sample {
    Sample {
        tunnels,
        ..sample(name, link, data)
    }
}

/// Every link type, with nothing in between.
#[rustfmt::skip]
pub fn link_layers() -> Vec<Sample> {
    vec![
        sample("Ethernet", ETHERNET, ethernet(0x0800, &syn4())),
        sample("802.3, LLC, SNAP", ETHERNET, ethernet(48, &join(&[
            0xaa, 0xaa,           // access points: SNAP
            0x03,                 // unnumbered information
            0x00, 0x00, 0x00,     // organisation
            0x08, 0x00,           // type
        ], &syn4()))),
        sample("802.3, LLC with IP's own access point", ETHERNET, ethernet(43, &join(&[0x06, 0x06, 0x03], &syn4()))),
        sample("ATM, LLC, SNAP", 100, join(&[0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00], &syn4())),
        sample("RAW", RAW, syn4()),
        sample("RAW as DLT", 12, syn4()),
        sample("RAW as OpenBSD's DLT", 14, syn4()),
        sample("IPV4", 228, syn4()),
        sample("NULL, little-endian", 0, join(&[2, 0, 0, 0], &syn4())),
        sample("NULL, big-endian", 0, join(&[0, 0, 0, 2], &syn4())),
        sample("LOOP", 108, join(&[0, 0, 0, 2], &syn4())),
        sample("SLL", 113, join(&[
            0x00, 0x04,           // sent by us
            0x00, 0x01,           // ARPHRD_ETHER
            0x00, 0x06,           // address length
            2, 0, 0, 0, 0, 1, 0, 0, // address
            0x08, 0x00,           // protocol
        ], &syn4())),
        sample("SLL, LLC, SNAP", 113, join(&[
            0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x00, 0x04, // protocol: LLC
            0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00,
        ], &syn4())),
        sample("SLL2", 276, join(&[
            0x08, 0x00,           // protocol
            0x00, 0x00,           // reserved
            0x00, 0x00, 0x00, 0x07, // interface 7
            0x00, 0x01,           // ARPHRD_ETHER
            0x04,                 // sent by us
            0x06,                 // address length
            2, 0, 0, 0, 0, 1, 0, 0, // address
        ], &syn4())),
        sample("PPP", 9, join(&[0x00, 0x21], &syn4())),
        sample("PPP, address and control", 9, join(&[0xff, 0x03, 0x00, 0x21], &syn4())),
        sample("PPP, compressed protocol", 9, join(&[0x21], &syn4())),
        sample("PPP, address and control, compressed protocol", 9, join(&[0xff, 0x03, 0x21], &syn4())),
        sample("PPP_HDLC", 50, join(&[0xff, 0x03, 0x00, 0x21], &syn4())),
        sample("PPP_HDLC with Cisco's header", 50, join(&[0x0f, 0x00, 0x08, 0x00], &syn4())),
        sample("C_HDLC", 104, join(&[
            0x0f,                 // unicast
            0x00,                 // control
            0x08, 0x00,           // protocol
        ], &syn4())),
        sample("PPP_PPPD", 166, join(&[0x01, 0x03, 0x00, 0x21], &syn4())),
        sample("PPP_WITH_DIR", 204, join(&[0x01, 0xff, 0x03, 0x00, 0x21], &syn4())),
        sample("NFLOG", 239, join(&[
            0x02,                 // AF_INET
            0x00,                 // version
            0x00, 0x01,           // resource
            0x05, 0x00, 0x0a, 0x00, 0x00, 0, 0, 0, // prefix "", padded
            0x2c, 0x00, 0x09, 0x00, // payload, 4 + 40 bytes
        ], &syn4())),
    ]
}

/// VLAN tags.
#[rustfmt::skip]
pub fn tags() -> Vec<Sample> {
    vec![
        tagged("802.1Q", &[100], ethernet(0x8100, &join(&[
            0x00, 0x64,           // VLAN 100
            0x08, 0x00,           // type
        ], &syn4()))),
        tagged("802.1Q with priority and drop bits", &[100], ethernet(0x8100, &join(&[0xf0, 0x64, 0x08, 0x00], &syn4()))),
        tagged("priority tag", &[0], ethernet(0x8100, &join(&[0xa0, 0x00, 0x08, 0x00], &syn4()))),
        tagged("802.1ad", &[200, 100], ethernet(0x88a8, &join(&[0, 200, 0x81, 0x00, 0, 100, 0x08, 0x00], &syn4()))),
        tagged("QinQ before 802.1ad", &[1, 2, 3], ethernet(0x9100, &join(&[
            0, 1, 0x92, 0x00,
            0, 2, 0x81, 0x00,
            0, 3, 0x08, 0x00,
        ], &syn4()))),
        tagged("802.1Q, 802.3, SNAP", &[100], ethernet(0x8100, &join(&[
            0, 100, 0, 48,
            0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00,
        ], &syn4()))),
        Sample {
            link: 113,
            ..tagged("SLL, 802.1Q", &[100], join(&[
                0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x81, 0x00,
                0, 100, 0x08, 0x00,
            ], &syn4()))
        },
    ]
}

/// VXLAN header, network 77.
pub const VXLAN: [u8; 8] = [
    0x08, 0, 0, 0, // the identifier is valid
    0, 0, 77, // identifier
    0,  // reserved
];

/// Tunnels below UDP.
#[rustfmt::skip]
pub fn tunnels() -> Vec<Sample> {
    let bridged = ethernet(0x0800, &syn4());
    vec![
        tunnelled("MPLS, one label", ETHERNET, &["mpls"], ethernet(0x8847, &join(&[0x00, 0x01, 0x01, 64], &syn4()))),
        tunnelled("MPLS, three labels", ETHERNET, &["mpls"], ethernet(0x8848, &join(&[
            0x00, 0x01, 0x00, 64, // label 16
            0x00, 0x02, 0x0e, 64, // label 32, class 7
            0x00, 0x03, 0x01, 64, // label 48, bottom of the stack
        ], &syn4()))),
        tunnelled("MPLS, pseudowire with control word", ETHERNET, &["mpls"], ethernet(0x8847, &join(&[
            0x00, 0x01, 0x01, 64,
            0x00, 0x00, 0x00, 0x09, // control word, sequence number 9
        ], &bridged))),
        tunnelled("MPLS, pseudowire without control word", ETHERNET, &["mpls"], ethernet(0x8847, &join(&[0, 1, 1, 64], &bridged))),
        tunnelled("PPP, MPLS", 9, &["mpls"], join(&[0x02, 0x81, 0x00, 0x01, 0x01, 64], &syn4())),
        tunnelled("PPPoE", ETHERNET, &["pppoe"], ethernet(0x8864, &join(&[
            0x11,                 // version 1, type 1
            0x00,                 // session data
            0x00, 0x0b,           // session 11
            0x00, 0x2a,           // 42 bytes
            0x00, 0x21,           // PPP: IPv4
        ], &syn4()))),
        tunnelled("PPP_ETHER", 51, &["pppoe"], join(&[0x11, 0, 0, 11, 0, 42, 0x00, 0x21], &syn4())),
        tunnelled("IPIP", RAW, &["ipip"], outer_ipv4(4, &syn4())),
        tunnelled("IPv4 in IPv6", RAW, &["ipip"], ipv6(4, &syn4())),
        tunnelled("GRE", RAW, &["gre"], outer_ipv4(47, &join(&[
            0x00, 0x00,           // no flags, version 0
            0x08, 0x00,           // IPv4
        ], &syn4()))),
        tunnelled("GRE, checksum, key, sequence", RAW, &["gre"], outer_ipv4(47, &join(&[
            0xb0, 0x00,           // checksum, key, sequence
            0x08, 0x00,           // IPv4
            0xab, 0xcd, 0, 0,     // checksum, reserved
            0, 0, 0, 5,           // key 5
            0, 0, 0, 1,           // sequence number
        ], &syn4()))),
        tunnelled("GRE, route", RAW, &["gre"], outer_ipv4(47, &join(&[
            0x40, 0x00,           // routing
            0x08, 0x00,           // IPv4
            0, 0, 0, 0,           // checksum, offset
            0x08, 0x00, 0, 4, 10, 9, 8, 7, // one hop
            0, 0, 0, 0,           // end of the route
        ], &syn4()))),
        tunnelled("GRE, Ethernet", RAW, &["gre"], outer_ipv4(47, &join(&[0x00, 0x00, 0x65, 0x58], &bridged))),
        tunnelled("GRE, MPLS", RAW, &["gre", "mpls"], outer_ipv4(47, &join(&[0, 0, 0x88, 0x47, 0, 1, 1, 64], &syn4()))),
        tunnelled("GRE, ERSPAN I", RAW, &["gre"], outer_ipv4(47, &join(&[0x00, 0x00, 0x88, 0xbe], &bridged))),
        tunnelled("GRE, ERSPAN II", RAW, &["gre"], outer_ipv4(47, &join(&[
            0x10, 0x00,           // sequence
            0x88, 0xbe,           // ERSPAN
            0, 0, 0, 1,           // sequence number
            0x10, 0, 0, 1, 0, 0, 0, 0, // ERSPAN header
        ], &bridged))),
        tunnelled("GRE, ERSPAN III", RAW, &["gre"], outer_ipv4(47, &join(&[
            0x10, 0x00, 0x22, 0xeb, 0, 0, 0, 1,
            0x20, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x01, // ERSPAN header, a platform header follows
            0, 0, 0, 0, 0, 0, 0, 0,
        ], &bridged))),
        tunnelled("GRE, PPTP", RAW, &["gre"], outer_ipv4(47, &join(&[
            0x30, 0x81,           // key, sequence, acknowledgment; version 1
            0x88, 0x0b,           // PPP
            0x00, 0x2c,           // 44 bytes
            0x00, 0x07,           // call 7
            0, 0, 0, 1,           // sequence number
            0, 0, 0, 1,           // acknowledgment number
            0xff, 0x03, 0x00, 0x21, // PPP: IPv4
        ], &syn4()))),
        tunnelled("authentication header", RAW, &["ipip"], outer_ipv4(51, &join(&[
            4,                    // next header: IPv4
            1,                    // (1 + 2) words
            0, 0, 0, 0, 0, 1, 0, 0, 0, 1,
        ], &syn4()))),
    ]
}

/// Tunnels in UDP.
#[rustfmt::skip]
pub fn udp_tunnels() -> Vec<Sample> {
    let bridged = ethernet(0x0800, &syn4());
    vec![
        tunnelled("VXLAN", RAW, &["vxlan"], outer_ipv4(UDP, &udp(4789, &join(&VXLAN, &bridged)))),
        tunnelled("VXLAN on Linux's port, over IPv6", RAW, &["vxlan"], ipv6(UDP, &udp(8472, &join(&VXLAN, &bridged)))),
        tunnelled("VXLAN with group policy", RAW, &["vxlan"], outer_ipv4(UDP, &udp(4789, &join(&[0x88, 0, 0, 9, 0, 0, 77, 0], &bridged)))),
        tunnelled("VXLAN-GPE", RAW, &["vxlan"], outer_ipv4(UDP, &udp(4790, &join(&[0x0c, 0, 0, 1, 0, 0, 77, 0], &syn4())))),
        tunnelled("GENEVE", RAW, &["geneve"], outer_ipv4(UDP, &udp(6081, &join(&[
            0x02,                 // version 0, two words of options
            0x40,                 // critical options
            0x65, 0x58,           // Ethernet
            0, 0, 77,             // network identifier
            0,                    // reserved
            0x01, 0x02, 0x80, 0x01, 0, 0, 0, 9, // an option of one word
        ], &bridged)))),
        tunnelled("GENEVE, IP", RAW, &["geneve"], outer_ipv4(UDP, &udp(6081, &join(&[0, 0, 0x08, 0x00, 0, 0, 77, 0], &syn4())))),
        tunnelled("GTP-U", RAW, &["gtpu"], outer_ipv4(UDP, &udp(2152, &join(&[
            0x30,                 // version 1, GTP
            0xff,                 // user data
            0x00, 0x28,           // 40 bytes
            0, 0, 0, 1,           // tunnel endpoint
        ], &syn4())))),
        tunnelled("GTP-U, extension header", RAW, &["gtpu"], outer_ipv4(UDP, &udp(2152, &join(&[
            0x34,                 // version 1, GTP, extensions
            0xff,
            0x00, 0x30,           // 48 bytes
            0, 0, 0, 1,
            0, 0, 0, 0x85,        // sequence number, N-PDU, next: PDU session container
            0x01, 0x10, 0x01, 0x00, // one word; no more
        ], &syn4())))),
        tunnelled("L2TP", RAW, &["l2tp"], outer_ipv4(UDP, &udp(1701, &join(&[
            0x40, 0x02,           // data, length; version 2
            0x00, 0x34,           // 52 bytes
            0, 1, 0, 2,           // tunnel, session
            0xff, 0x03, 0x00, 0x21, // PPP: IPv4
        ], &syn4())))),
        tunnelled("GRE in IPIP in VXLAN", RAW, &["vxlan", "ipip", "gre"], outer_ipv4(UDP, &udp(4789, &join(&VXLAN,
            &ethernet(0x0800, &outer_ipv4(4, &outer_ipv4(47, &join(&[0, 0, 0x08, 0x00], &syn4())))))))),
    ]
}

/// All of the above.
pub fn all() -> Vec<Sample> {
    [link_layers(), tags(), tunnels(), udp_tunnels()]
        .into_iter()
        .flatten()
        .collect()
}
