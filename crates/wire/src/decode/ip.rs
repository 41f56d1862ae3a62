//! IPv4 (RFC 791), IPv6 (RFC 8200) with its extension headers, and what they carry.

use super::{Found, Walk, bytes::Bytes, checksum};
use crate::encap::Outer;
use crate::{Address, Defect, Tunnel};

/// The most extension headers of one packet that are followed. RFC 8200 section 4.1 has a place for eight.
const MAX_EXTENSIONS: usize = 16;

/// Protocol numbers, IANA registry.
mod protocol {
    pub const HOP_BY_HOP: u8 = 0;
    pub const ICMP: u8 = 1;
    pub const IPV4: u8 = 4;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const IPV6: u8 = 41;
    pub const ROUTING: u8 = 43;
    pub const FRAGMENT: u8 = 44;
    pub const GRE: u8 = 47;
    pub const AUTHENTICATION: u8 = 51;
    pub const ICMPV6: u8 = 58;
    pub const DESTINATION: u8 = 60;
    pub const MOBILITY: u8 = 135;
    pub const HIP: u8 = 139;
    pub const SHIM6: u8 = 140;
}

/// What the layers above need of an IP header.
#[derive(Clone, Copy)]
pub(super) struct Ip<'a> {
    /// Source and destination, still in the packet: turned into numbers once, where they are needed.
    ends: Ends<'a>,
    /// TTL or hop limit.
    pub ttl: u8,
    pub id: Option<u16>,
    /// A routing header holds the final destination, so [`Ip::dst`] is not the one in the checksum.
    pub routed: bool,
}

#[derive(Clone, Copy)]
enum Ends<'a> {
    V4(&'a [u8; 8]),
    V6(&'a [u8; 32]),
}

impl<'a> Ip<'a> {
    /// From the last eight bytes of an IPv4 header without options.
    #[inline]
    pub fn v4(ends: &'a [u8; 8], ttl: u8, id: u16) -> Self {
        Self {
            ends: Ends::V4(ends),
            ttl,
            id: Some(id),
            routed: false,
        }
    }

    /// From an IPv6 header.
    pub fn v6(head: &'a [u8; 40]) -> Self {
        let &[_, _, _, _, _, _, _, ttl, ref ends @ ..] = head;
        Self {
            ends: Ends::V6(ends),
            ttl,
            id: None,
            routed: false,
        }
    }

    pub const fn is_v6(&self) -> bool {
        matches!(self.ends, Ends::V6(_))
    }

    #[inline]
    pub fn src(&self) -> Address {
        match self.ends {
            Ends::V4(&[a, b, c, d, ..]) => Address::from_v4([a, b, c, d]),
            Ends::V6(ends) => Address::from_v6(*half(ends.first_chunk())),
        }
    }

    #[inline]
    pub fn dst(&self) -> Address {
        match self.ends {
            Ends::V4(&[.., a, b, c, d]) => Address::from_v4([a, b, c, d]),
            Ends::V6(ends) => Address::from_v6(*half(ends.last_chunk())),
        }
    }

    /// The two ends, as those of a tunnel.
    pub fn outer(&self) -> Outer {
        Outer::new(self.src(), self.dst())
    }
}

/// Half of 32 bytes is always there.
fn half(chunk: Option<&[u8; 16]>) -> &[u8; 16] {
    chunk.unwrap_or(&[0; 16])
}

/// What came of following the extension headers of an IPv6 packet.
pub(super) enum Upper<'a> {
    /// The protocol that they lead to, and its bytes.
    Protocol(u8, Bytes<'a>),
    /// A fragment that is not the first.
    Fragment,
    /// The captured bytes end inside.
    Truncated,
    /// More than [`MAX_EXTENSIONS`], or beyond the end of the packet.
    Malformed,
}

impl Walk<'_> {
    /// The payload of an IP header that `claims` to hold so many bytes.
    ///
    /// Claims beyond the wire are not believed (Linux drops such a packet; in a capture they are mostly the work of
    /// whatever shortened it), except in a fragment: there the rest is in the next one.
    #[inline]
    fn payload<'a>(&mut self, b: Bytes<'a>, claims: usize) -> Bytes<'a> {
        if claims <= b.wire {
            return b.limit(claims);
        }
        if b.partial {
            return Bytes { wire: claims, ..b };
        }
        self.defects.add(Defect::IpMalformed);
        Bytes { partial: true, ..b }
    }

    /// An IPv4 packet.
    #[inline]
    pub(super) fn ipv4(&mut self, b: Bytes<'_>) -> Found {
        let Some(head) = b.data.first_chunk::<20>() else {
            return self.lost(Defect::IpTruncated);
        };
        let &[vihl, _, l0, l1, i0, i1, f0, f1, ttl, proto, _, _, ref ends @ ..] = head;
        let header = usize::from(vihl & 0x0f) * 4;
        let total = match usize::from(u16::from_be_bytes([l0, l1])) {
            // The network card was to cut this one into segments and to fill in the length of each.
            0 => b.wire,
            total => total,
        };
        if vihl >> 4 != 4 || header < 20 || total < header {
            return self.lost(Defect::IpMalformed);
        }
        let b = self.payload(b, total);
        let Some(mut upper) = b.skip(header) else {
            let cut = b.partial || b.wire >= header;
            return self.lost(if cut { Defect::IpTruncated } else { Defect::IpMalformed });
        };
        if self.verify {
            self.verify_header(b.limit(header).data);
        }
        let fragment = u16::from_be_bytes([f0, f1]);
        if fragment & 0x1fff != 0 {
            return self.lost(Defect::Fragment);
        }
        upper.partial |= fragment & 0x2000 != 0;
        let ip = Ip::v4(ends, ttl, u16::from_be_bytes([i0, i1]));
        if proto == protocol::TCP {
            return self.tcp(&ip, upper);
        }
        self.upper(&ip, proto, upper)
    }

    fn verify_header(&mut self, header: &[u8]) {
        if !checksum::holds(checksum::sum(header)) {
            self.defects.add(Defect::BadIpChecksum);
        }
    }

    /// An IPv6 packet.
    pub(super) fn ipv6(&mut self, b: Bytes<'_>) -> Found {
        let Some((head, rest)) = b.split::<40>() else {
            return self.lost(Defect::IpTruncated);
        };
        if head[0] >> 4 != 6 {
            return self.lost(Defect::IpMalformed);
        }
        let rest = match usize::from(u16::from_be_bytes([head[4], head[5]])) {
            // A jumbogram (RFC 2675), or one that the network card was to cut: all of the wire either way.
            0 => rest,
            length => self.payload(rest, length),
        };
        let mut ip = Ip::v6(head);
        match extensions(head[6], rest, &mut ip) {
            Upper::Protocol(protocol::TCP, upper) => self.tcp(&ip, upper),
            Upper::Protocol(proto, upper) => self.upper(&ip, proto, upper),
            Upper::Fragment => self.lost(Defect::Fragment),
            Upper::Truncated => self.lost(Defect::IpTruncated),
            Upper::Malformed => self.lost(Defect::IpMalformed),
        }
    }

    /// Everything but TCP directly in IP.
    fn upper(&mut self, ip: &Ip<'_>, proto: u8, b: Bytes<'_>) -> Found {
        match proto {
            protocol::TCP => self.tcp(ip, b),
            protocol::UDP => self.udp(ip, b),
            protocol::ICMP if !ip.is_v6() => self.icmp(ip, b),
            protocol::ICMPV6 if ip.is_v6() => self.icmp(ip, b),
            protocol::IPV4 if self.encaps.enter(Tunnel::Ipip(ip.outer())) => self.ipv4(b),
            protocol::IPV6 if self.encaps.enter(Tunnel::Ip6ip(ip.outer())) => self.ipv6(b),
            protocol::IPV4 | protocol::IPV6 => self.lost(Defect::TunnelTooDeep),
            protocol::GRE => self.gre(ip, b),
            // IPv6 follows it among the extension headers; in IPv4 it is a protocol.
            protocol::AUTHENTICATION if !ip.is_v6() => match extensions(proto, b, &mut { *ip }) {
                Upper::Protocol(inner, b) if inner != protocol::AUTHENTICATION => self.upper(ip, inner, b),
                Upper::Truncated => self.lost(Defect::IpTruncated),
                _ => self.lost(Defect::IpMalformed),
            },
            _ => Found::Nothing,
        }
    }
}

/// Follows extension headers from the one named `next`; notes fragment identification and routing in `ip`.
pub(super) fn extensions<'a>(mut next: u8, mut b: Bytes<'a>, ip: &mut Ip<'_>) -> Upper<'a> {
    for _ in 0..MAX_EXTENSIONS {
        if !is_extension(next) {
            return Upper::Protocol(next, b);
        }
        let Some((&[following, length, o0, o1, _, _, i0, i1], _)) = b.split() else {
            return if b.wire < 8 && !b.partial {
                Upper::Malformed
            } else {
                Upper::Truncated
            };
        };
        let size = match next {
            protocol::FRAGMENT => {
                let place = u16::from_be_bytes([o0, o1]);
                if place >> 3 != 0 {
                    return Upper::Fragment;
                }
                b.partial |= place & 1 != 0;
                ip.id = Some(u16::from_be_bytes([i0, i1]));
                8
            }
            // RFC 4302 section 2.2: in 32-bit words, minus 2.
            protocol::AUTHENTICATION => (usize::from(length) + 2) * 4,
            _ => (usize::from(length) + 1) * 8,
        };
        // Third byte: type, fourth byte: segments left.
        ip.routed |= next == protocol::ROUTING && o1 != 0;
        match b.skip(size) {
            Some(rest) => b = rest,
            None if b.wire < size && !b.partial => return Upper::Malformed,
            None => return Upper::Truncated,
        }
        next = following;
    }
    Upper::Malformed
}

const fn is_extension(next: u8) -> bool {
    matches!(
        next,
        protocol::HOP_BY_HOP
            | protocol::ROUTING
            | protocol::FRAGMENT
            | protocol::AUTHENTICATION
            | protocol::DESTINATION
            | protocol::MOBILITY
            | protocol::HIP
            | protocol::SHIM6
    )
}
