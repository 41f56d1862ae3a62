//! ICMP (RFC 792) and `ICMPv6` (RFC 4443) errors, and the segment that they quote.
//!
//! A quote may be as short as 8 bytes of TCP: ports and sequence number, all that names a segment; of a packet that was cut
//! off (68 bytes were kept of each by default, once) only the ports may be left. Its lengths are not looked at: routers
//! quote them from before or after their own changes.

use super::ip::{Ip, Upper, extensions};
use super::{Found, Walk, bytes::Bytes};
use crate::{Address, Defect, IcmpError, Packet};

/// Destination unreachable, source quench, redirect, time exceeded, parameter problem.
const QUOTING: [u8; 5] = [3, 4, 5, 11, 12];
/// Destination unreachable, packet too big, time exceeded, parameter problem.
const QUOTING_V6: [u8; 4] = [1, 2, 3, 4];

const TCP: u8 = 6;

/// What an error quotes.
enum Quote<'a> {
    /// A TCP segment between these addresses, and its first bytes.
    Tcp(Address, Address, &'a [u8]),
    /// Something without TCP ports: another protocol, a later fragment.
    NotTcp,
    /// Too little to tell.
    Short,
}

impl Walk<'_> {
    /// An ICMP or `ICMPv6` message.
    pub(super) fn icmp(&mut self, ip: &Ip<'_>, b: Bytes<'_>) -> Found {
        let v6 = ip.is_v6();
        let quoting: &[u8] = if v6 { &QUOTING_V6 } else { &QUOTING };
        let &[kind, code, ..] = b.data else {
            return Found::Nothing;
        };
        if !quoting.contains(&kind) {
            return Found::Nothing;
        }
        // Type, code, checksum and four bytes that depend on them.
        let quote = match b.skip(8) {
            Some(packet) if v6 => quoted_v6(packet),
            Some(packet) => quoted_v4(packet.data),
            None => Quote::Short,
        };
        match quote {
            Quote::Tcp(src, dst, &[s0, s1, d0, d1, ref rest @ ..]) => {
                *self.packet = Packet::Icmp(IcmpError {
                    time_ns: self.frame.time_ns,
                    timed: self.frame.timed,
                    frame: self.frame.number,
                    file: self.frame.file,
                    encap: self.encaps.id(),
                    v6,
                    kind,
                    code,
                    reporter: ip.src(),
                    src,
                    dst,
                    src_port: u16::from_be_bytes([s0, s1]),
                    dst_port: u16::from_be_bytes([d0, d1]),
                    seq: rest.first_chunk().copied().map(u32::from_be_bytes),
                });
                Found::Packet
            }
            Quote::NotTcp => Found::Nothing,
            Quote::Tcp(..) | Quote::Short => self.lost(Defect::IcmpTruncated),
        }
    }
}

fn quoted_v4(packet: &[u8]) -> Quote<'_> {
    let Some(head) = packet.first_chunk::<20>() else {
        return Quote::Short;
    };
    let &[
        vihl,
        _,
        _,
        _,
        _,
        _,
        f0,
        f1,
        _,
        proto,
        _,
        _,
        s0,
        s1,
        s2,
        s3,
        d0,
        d1,
        d2,
        d3,
    ] = head;
    let header = usize::from(vihl & 0x0f) * 4;
    let later_fragment = u16::from_be_bytes([f0, f1]) & 0x1fff != 0;
    if vihl >> 4 != 4 || header < 20 || proto != TCP || later_fragment {
        return Quote::NotTcp;
    }
    let (src, dst) = (Address::from_v4([s0, s1, s2, s3]), Address::from_v4([d0, d1, d2, d3]));
    packet
        .get(header..)
        .map_or(Quote::Short, |segment| Quote::Tcp(src, dst, segment))
}

fn quoted_v6(packet: Bytes<'_>) -> Quote<'_> {
    let Some((head, rest)) = packet.split::<40>() else {
        return Quote::Short;
    };
    if head[0] >> 4 != 6 {
        return Quote::NotTcp;
    }
    let mut ip = Ip::v6(head);
    match extensions(head[6], rest, &mut ip) {
        Upper::Protocol(TCP, segment) => Quote::Tcp(ip.src(), ip.dst(), segment.data),
        Upper::Protocol(..) | Upper::Fragment => Quote::NotTcp,
        Upper::Truncated | Upper::Malformed => Quote::Short,
    }
}
