//! PPP (RFC 1661, RFC 1662), PPP over Ethernet (RFC 2516), Cisco HDLC.

use super::{Found, Walk, bytes::Bytes};
use crate::{Defect, Tunnel};

/// PPP protocol numbers, IANA registry.
mod protocol {
    pub const IPV4: u16 = 0x0021;
    pub const IPV6: u16 = 0x0057;
    pub const MPLS_UNICAST: u16 = 0x0281;
    pub const MPLS_MULTICAST: u16 = 0x0283;
}

impl Walk<'_> {
    /// HDLC address and control (FF 03) may be there or be left out, RFC 1661 section 6.6.
    pub(super) fn ppp(&mut self, b: Bytes<'_>) -> Found {
        match b.split() {
            Some(([0xff, 0x03], rest)) => self.ppp_protocol(rest),
            Some(_) => self.ppp_protocol(b),
            None => self.lost(Defect::LinkTruncated),
        }
    }

    /// One byte where protocol-field compression leaves the leading zero out (RFC 1661 section 6.5: the last byte of a
    /// protocol number is odd, all others are even), else two.
    fn ppp_protocol(&mut self, b: Bytes<'_>) -> Found {
        if let Some((&[short], rest)) = b.split()
            && short & 1 == 1
        {
            return self.ppp_payload(u16::from(short), rest);
        }
        match b.split() {
            Some((&number, rest)) => self.ppp_payload(u16::from_be_bytes(number), rest),
            None => self.lost(Defect::LinkTruncated),
        }
    }

    fn ppp_payload(&mut self, number: u16, b: Bytes<'_>) -> Found {
        match number {
            protocol::IPV4 => self.ipv4(b),
            protocol::IPV6 => self.ipv6(b),
            protocol::MPLS_UNICAST | protocol::MPLS_MULTICAST => self.mpls(b),
            _ => Found::Nothing,
        }
    }

    /// `LINKTYPE_PPP_HDLC`: PPP with its address byte, or Cisco HDLC.
    pub(super) fn ppp_serial(&mut self, b: Bytes<'_>) -> Found {
        match b.data.first() {
            Some(0x0f | 0x8f) => self.cisco_hdlc(b),
            _ => self.ppp(b),
        }
    }

    /// Address (0F unicast, 8F broadcast), control, Ethernet type.
    pub(super) fn cisco_hdlc(&mut self, b: Bytes<'_>) -> Found {
        match b.split() {
            Some((&[_, _, t0, t1], rest)) if t0 >= 6 => self.ethertype(u16::from_be_bytes([t0, t1]), rest),
            Some(_) => Found::Nothing,
            None => self.lost(Defect::LinkTruncated),
        }
    }

    /// `LINKTYPE_PPP_PPPD` has a direction byte in the place of the address, `LINKTYPE_PPP_WITH_DIR` one before the frame.
    pub(super) fn ppp_with_direction(&mut self, b: Bytes<'_>) -> Found {
        match b.split() {
            Some(([_, 0x03], rest)) => self.ppp_protocol(rest),
            Some(_) => b.skip(1).map_or(Found::Nothing, |rest| self.ppp(rest)),
            None => self.lost(Defect::LinkTruncated),
        }
    }

    /// RFC 2516 section 4: version and type 1, code 0 (session data), session, length, PPP.
    pub(super) fn pppoe(&mut self, b: Bytes<'_>) -> Found {
        match b.split() {
            Some((&[0x11, 0, s0, s1, l0, l1], rest)) => {
                if !self.encaps.enter(Tunnel::Pppoe(u16::from_be_bytes([s0, s1]))) {
                    return self.lost(Defect::TunnelTooDeep);
                }
                self.ppp_protocol(rest.limit(usize::from(u16::from_be_bytes([l0, l1]))))
            }
            Some(_) => Found::Nothing,
            None => self.lost(Defect::LinkTruncated),
        }
    }
}
