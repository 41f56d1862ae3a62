//! UDP, only for the tunnels in it.
//!
//! A port number proves nothing: any client may have picked 4789 for its questions to a name server. So every fixed bit of
//! a tunnel's header must be as its RFC says, and what it carries must look like what it says, before it is entered; what
//! does not is no defect, it is other traffic.

use super::ethernet::ethertype;
use super::ip::Ip;
use super::{Found, Walk, bytes::Bytes, bytes::be16};
use crate::{Defect, Tunnel};

/// Ports, IANA registry.
mod port {
    pub const L2TP: u16 = 1701;
    pub const GTPU: u16 = 2152;
    pub const TEREDO: u16 = 3544;
    pub const VXLAN: u16 = 4789;
    pub const VXLAN_GPE: u16 = 4790;
    pub const GENEVE: u16 = 6081;
    /// VXLAN before it had a number: still the default of Linux.
    pub const VXLAN_LINUX: u16 = 8472;
}

/// The most extension headers of a GTP-U packet that are followed.
const MAX_GTP_EXTENSIONS: usize = 4;

impl Walk<'_> {
    /// A datagram.
    pub(super) fn udp(&mut self, ip: &Ip<'_>, b: Bytes<'_>) -> Found {
        let Some((&[s0, s1, d0, d1, l0, l1, _, _], rest)) = b.split() else {
            return Found::Nothing;
        };
        let (src, dst) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
        let inner = match usize::from(u16::from_be_bytes([l0, l1])) {
            // Left to the network card.
            0 => rest,
            length @ 8.. if length - 8 <= rest.wire => rest.limit(length - 8),
            length @ 8.. if rest.partial => Bytes {
                wire: length - 8,
                ..rest
            },
            _ => return Found::Nothing,
        };
        match dst {
            port::VXLAN | port::VXLAN_LINUX => self.vxlan(ip, inner),
            port::VXLAN_GPE => self.vxlan_gpe(ip, inner),
            port::GENEVE => self.geneve(ip, inner),
            _ if src == port::GTPU || dst == port::GTPU => self.gtpu(ip, inner),
            _ if src == port::TEREDO || dst == port::TEREDO => self.teredo(ip, inner),
            _ if src == port::L2TP || dst == port::L2TP => self.l2tp(ip, inner),
            _ => Found::Nothing,
        }
    }

    /// RFC 7348 section 5: flags (8: the identifier is valid; 80: a group policy follows), reserved, identifier, reserved.
    fn vxlan(&mut self, ip: &Ip<'_>, b: Bytes<'_>) -> Found {
        match b.split() {
            Some((&[0x08 | 0x88, _, _, _, v0, v1, v2, _], frame)) => {
                self.bridged(Tunnel::Vxlan(ip.outer(), u32::from_be_bytes([0, v0, v1, v2])), frame)
            }
            Some(_) => Found::Nothing,
            None => self.lost(Defect::LinkTruncated),
        }
    }

    /// draft-ietf-nvo3-vxlan-gpe: flags 4 (a protocol is named) and 8, reserved, protocol, identifier, reserved.
    fn vxlan_gpe(&mut self, ip: &Ip<'_>, b: Bytes<'_>) -> Found {
        match b.split() {
            Some((&[0x0c, 0, 0, next, v0, v1, v2, _], inner)) => {
                let tunnel = Tunnel::Vxlan(ip.outer(), u32::from_be_bytes([0, v0, v1, v2]));
                match next {
                    1 | 2 => self.plain(tunnel, inner),
                    3 => self.bridged(tunnel, inner),
                    _ => Found::Nothing,
                }
            }
            Some(_) => Found::Nothing,
            None => self.lost(Defect::LinkTruncated),
        }
    }

    /// RFC 8926 section 3.4: version 0 and length of the options in words, control bits, protocol, identifier, reserved.
    fn geneve(&mut self, ip: &Ip<'_>, b: Bytes<'_>) -> Found {
        let Some((&[version, control, p0, p1, v0, v1, v2, reserved], rest)) = b.split() else {
            return self.lost(Defect::LinkTruncated);
        };
        if version >= 0x40 || control & 0x3f != 0 || reserved != 0 {
            return Found::Nothing;
        }
        let Some(inner) = rest.skip(usize::from(version) * 4) else {
            return self.lost(Defect::LinkTruncated);
        };
        let tunnel = Tunnel::Geneve(ip.outer(), u32::from_be_bytes([0, v0, v1, v2]));
        match u16::from_be_bytes([p0, p1]) {
            ethertype::BRIDGED => self.bridged(tunnel, inner),
            ethertype::IPV4 | ethertype::IPV6 => self.plain(tunnel, inner),
            _ => Found::Nothing,
        }
    }

    /// 3GPP TS 29.281 section 5.1: version 1, protocol type 1, type 255 (user data), length, TEID; when any of the three
    /// low flags is set, sequence number, N-PDU number and a chain of extension headers.
    fn gtpu(&mut self, ip: &Ip<'_>, b: Bytes<'_>) -> Found {
        let Some((&[flags @ 0x30..=0x37, 0xff, l0, l1, _, _, _, _], rest)) = b.split() else {
            return Found::Nothing;
        };
        let b = rest.limit(usize::from(u16::from_be_bytes([l0, l1])));
        let inner = if flags == 0x30 {
            Some(b)
        } else {
            behind_gtp_extensions(b)
        };
        match inner {
            Some(inner) => self.plain(Tunnel::Gtpu(ip.outer()), inner),
            None => Found::Nothing,
        }
    }

    /// RFC 4380 section 5.1.1: authentication and origin may stand before the packet, in this order.
    fn teredo(&mut self, ip: &Ip<'_>, b: Bytes<'_>) -> Found {
        let mut inner = Some(b);
        if let [0, 1, id, auth, ..] = b.data {
            // Identifier and authentication value, then a nonce of 8 bytes and a confirmation byte.
            inner = b.skip(13 + usize::from(*id) + usize::from(*auth));
        }
        if let Some(b) = inner
            && b.data.starts_with(&[0, 0])
        {
            inner = b.skip(8);
        }
        match inner {
            Some(packet) if packet.data.first().is_some_and(|byte| byte >> 4 == 6) => {
                self.plain(Tunnel::Teredo(ip.outer()), packet)
            }
            _ => Found::Nothing,
        }
    }

    /// RFC 2661 section 3.1, data messages: version 2; length, sequence numbers and an offset if their flags are set.
    fn l2tp(&mut self, ip: &Ip<'_>, b: Bytes<'_>) -> Found {
        const CONTROL_AND_RESERVED: u16 = 0xb4f0;
        let Some((&head, rest)) = b.split() else {
            return Found::Nothing;
        };
        let flags = u16::from_be_bytes(head);
        if flags & CONTROL_AND_RESERVED != 0 || flags & 0x000f != 2 {
            return Found::Nothing;
        }
        match behind_l2tp(flags, rest) {
            Some(frame) if is_ppp_with_ip(frame.data) => {
                if !self.encaps.enter(Tunnel::L2tp(ip.outer())) {
                    return self.lost(Defect::TunnelTooDeep);
                }
                self.ppp(frame)
            }
            _ => Found::Nothing,
        }
    }

    /// Enters a tunnel that carries Ethernet.
    fn bridged(&mut self, tunnel: Tunnel, frame: Bytes<'_>) -> Found {
        if !self.encaps.enter(tunnel) {
            return self.lost(Defect::TunnelTooDeep);
        }
        self.ethernet(frame)
    }

    /// Enters a tunnel that carries IP, if it does: version, and a length that fits.
    fn plain(&mut self, tunnel: Tunnel, b: Bytes<'_>) -> Found {
        let fits = match b.data.first().map(|byte| byte >> 4) {
            Some(4) => be16(b.data, 2).is_none_or(|total| b.partial || usize::from(total) <= b.wire),
            Some(6) => be16(b.data, 4).is_none_or(|length| b.partial || usize::from(length) + 40 <= b.wire),
            _ => false,
        };
        if !fits {
            return Found::Nothing;
        }
        if !self.encaps.enter(tunnel) {
            return self.lost(Defect::TunnelTooDeep);
        }
        self.raw_ip(b)
    }
}

/// Sequence number (2), N-PDU number (1), type of the first extension; each extension is its length in words, its
/// content and the type of the next.
fn behind_gtp_extensions(b: Bytes<'_>) -> Option<Bytes<'_>> {
    let (&[_, _, _, mut next], mut b) = b.split()?;
    for _ in 0..MAX_GTP_EXTENSIONS {
        if next == 0 {
            return Some(b);
        }
        let size = usize::from(*b.data.first()?) * 4;
        next = *b.data.get(size.checked_sub(1)?)?;
        b = b.skip(size)?;
    }
    None
}

/// Length (2) if 4000, tunnel and session (4), sequence numbers (4) if 0800, offset (2) and padding if 0200.
fn behind_l2tp(flags: u16, mut b: Bytes<'_>) -> Option<Bytes<'_>> {
    if flags & 0x4000 != 0 {
        b = b.skip(2)?;
    }
    b = b.skip(4)?;
    if flags & 0x0800 != 0 {
        b = b.skip(4)?;
    }
    if flags & 0x0200 != 0 {
        let (&offset, rest) = b.split()?;
        b = rest.skip(usize::from(u16::from_be_bytes(offset)))?;
    }
    Some(b)
}

/// PPP whose protocol is IP: address and control, and the leading zero of the protocol, may be left out.
fn is_ppp_with_ip(data: &[u8]) -> bool {
    let protocol = data.strip_prefix(&[0xff, 0x03]).unwrap_or(data);
    matches!(
        protocol,
        [0x00, 0x21, 0x45..=0x4f, ..]
            | [0x21, 0x45..=0x4f, ..]
            | [0x00, 0x57, 0x60..=0x6f, ..]
            | [0x57, 0x60..=0x6f, ..]
    )
}
