//! Headers with one field a line, and a decoder for one frame.

use halfopen_wire::decode::{Decoder, Options};
use halfopen_wire::{Defect, Defects, Encap, Frame, IcmpError, LinkType, Packet, Segment};

pub const ETHERNET: u32 = 1;
pub const RAW: u32 = 101;

/// What became of one frame.
pub struct Decoded {
    pub packet: Packet,
    pub encap: Encap,
    pub defects: Vec<Defect>,
}

impl Decoded {
    /// The segment; panics when there is none.
    pub fn segment(&self) -> Segment {
        match self.packet {
            Packet::Tcp(segment) => segment,
            other => panic!("no segment but {other:?}, defects {:?}", self.defects),
        }
    }

    /// The ICMP error; panics when there is none.
    pub fn icmp(&self) -> IcmpError {
        match self.packet {
            Packet::Icmp(error) => error,
            other => panic!("no ICMP error but {other:?}, defects {:?}", self.defects),
        }
    }

    /// Neither segment nor ICMP error, with exactly these defects.
    #[track_caller]
    pub fn is_lost(&self, defects: &[Defect]) {
        assert!(matches!(self.packet, Packet::Other), "{:?}", self.packet);
        assert_eq!(self.defects, defects);
    }

    /// A segment, with exactly these defects.
    #[track_caller]
    pub fn is_segment(&self, defects: &[Defect]) -> Segment {
        assert_eq!(self.defects, defects);
        self.segment()
    }

    /// Names of the tunnels, outermost first.
    pub fn tunnels(&self) -> Vec<&'static str> {
        self.encap.tunnels.iter().map(halfopen_wire::Tunnel::name).collect()
    }
}

/// Decodes a frame that was captured whole.
pub fn decode(link: u32, data: &[u8]) -> Decoded {
    decode_with(Options::default(), link, data, data.len())
}

/// Decodes a frame that had `wire` bytes, with a decoder that saw nothing before.
pub fn decode_with(options: Options, link: u32, data: &[u8], wire: usize) -> Decoded {
    let mut decoder = Decoder::new(options);
    let mut defects = Defects::default();
    let packet = decoder.decode(&frame(link, data, wire), &mut defects);
    let encap = match packet {
        Packet::Tcp(segment) => decoder.encaps().get(segment.encap).clone(),
        Packet::Icmp(error) => decoder.encaps().get(error.encap).clone(),
        Packet::Other => Encap::default(),
    };
    let defects = defects
        .nonzero()
        .flat_map(|(kind, n)| std::iter::repeat_n(kind, n as usize));
    Decoded {
        packet,
        encap,
        defects: defects.collect(),
    }
}

pub fn frame(link: u32, data: &[u8], wire: usize) -> Frame<'_> {
    Frame {
        timed: true,
        time_ns: 1_600_000_000_123_456_789,
        number: 42,
        file: 3,
        link: LinkType(link),
        interface: 5,
        wire_len: wire as u32,
        data,
    }
}

/// One layer in front of another.
pub fn join(head: &[u8], payload: &[u8]) -> Vec<u8> {
    [head, payload].concat()
}

/// The SYN that all samples carry: no options, no payload.
#[rustfmt::skip]
pub const SYN: [u8; 20] = [
    0x9c, 0x41,             // source port 40001
    0x00, 0x50,             // destination port 80
    0x02, 0x62, 0x5d, 0xe8, // sequence number 40001000
    0x00, 0x00, 0x00, 0x00, // acknowledgment number
    0x50, 0x02,             // 5 words, SYN
    0xfa, 0xf0,             // window 64240
    0x00, 0x00,             // checksum
    0x00, 0x00,             // urgent pointer
];

/// A SYN with an option list, padded with zeros to whole words.
pub fn syn_with(options: &[u8]) -> Vec<u8> {
    let mut segment = join(&SYN, options);
    segment.resize(segment.len().next_multiple_of(4), 0);
    segment[12] = (segment.len() as u8 / 4) << 4;
    segment
}

/// An IPv4 packet from 192.0.2.10 to 198.51.100.5.
pub fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total = (payload.len() as u16 + 20).to_be_bytes();
    #[rustfmt::skip]
    let header = [
        0x45,                 // version 4, 5 words
        0x00,                 // type of service
        total[0], total[1],   // total length
        0x00, 0x65,           // identification 101
        0x40, 0x00,           // don't fragment, offset 0
        64,                   // TTL
        protocol,             // protocol
        0x00, 0x00,           // checksum
        192, 0, 2, 10,        // source
        198, 51, 100, 5,      // destination
    ];
    join(&header, payload)
}

/// The ends of a tunnel: 10.0.0.1 to 10.0.0.2.
pub fn outer_ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = ipv4(protocol, payload);
    packet[12..20].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
    packet
}

/// An IPv6 packet from 2001:db8::10 to 2001:db8::5.
pub fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16).to_be_bytes();
    #[rustfmt::skip]
    let header = [
        0x60, 0, 0, 0,        // version 6, class, flow
        length[0], length[1], // payload length
        next,                 // next header
        61,                   // hop limit
        0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, // source
        0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x05, // destination
    ];
    join(&header, payload)
}

/// A datagram from port 50000.
pub fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let (port, length) = (port.to_be_bytes(), (payload.len() as u16 + 8).to_be_bytes());
    #[rustfmt::skip]
    let header = [
        0xc3, 0x50,           // source port
        port[0], port[1],     // destination port
        length[0], length[1], // length
        0, 0,                 // checksum: none
    ];
    join(&header, payload)
}

/// An Ethernet frame.
pub fn ethernet(kind: u16, payload: &[u8]) -> Vec<u8> {
    let kind = kind.to_be_bytes();
    #[rustfmt::skip]
    let header = [
        0x02, 0, 0, 0, 0, 2,  // destination
        0x02, 0, 0, 0, 0, 1,  // source
        kind[0], kind[1],     // type
    ];
    join(&header, payload)
}

pub const TCP: u8 = 6;
pub const UDP: u8 = 17;

/// The SYN in IPv4.
pub fn syn4() -> Vec<u8> {
    ipv4(TCP, &SYN)
}

/// The SYN in IPv6.
pub fn syn6() -> Vec<u8> {
    ipv6(TCP, &SYN)
}
