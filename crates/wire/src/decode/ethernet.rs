//! Ethernet, 802.3 with LLC and SNAP, VLAN tags, and the Ethernet types that lead to IP.

use super::{Found, Walk, bytes::Bytes};
use crate::Defect;

/// Ethernet types, IEEE registry.
pub(super) mod ethertype {
    pub const IPV4: u16 = 0x0800;
    pub const IPV6: u16 = 0x86dd;
    /// 802.1Q customer tag.
    pub const VLAN: u16 = 0x8100;
    /// 802.1ad service tag.
    pub const SERVICE_VLAN: u16 = 0x88a8;
    /// Service tags from before 802.1ad.
    pub const OLD_SERVICE_VLAN: [u16; 3] = [0x9100, 0x9200, 0x9300];
    pub const MPLS: u16 = 0x8847;
    pub const MPLS_UPSTREAM: u16 = 0x8848;
    pub const PPPOE_SESSION: u16 = 0x8864;
    /// A whole Ethernet frame inside a tunnel.
    pub const BRIDGED: u16 = 0x6558;
    pub const PPP: u16 = 0x880b;
    /// 802.3: up to here the field is the length of the payload, and LLC follows.
    pub const MAX_LENGTH: u16 = 1500;
}

impl Walk<'_> {
    /// Destination, source, type.
    #[inline]
    pub(super) fn ethernet(&mut self, b: Bytes<'_>) -> Found {
        match b.split::<14>() {
            Some((&[.., t0, t1], rest)) => self.ethertype(u16::from_be_bytes([t0, t1]), rest),
            None => self.lost(Defect::LinkTruncated),
        }
    }

    /// The payload of a frame whose type field is `kind`.
    #[inline]
    pub(super) fn ethertype(&mut self, kind: u16, b: Bytes<'_>) -> Found {
        match kind {
            ethertype::IPV4 => self.ipv4(b),
            ethertype::IPV6 => self.ipv6(b),
            0..=ethertype::MAX_LENGTH => self.llc(b.limit(usize::from(kind))),
            _ => self.other_ethertype(kind, b),
        }
    }

    fn other_ethertype(&mut self, kind: u16, b: Bytes<'_>) -> Found {
        match kind {
            ethertype::VLAN | ethertype::SERVICE_VLAN => self.vlan(b),
            _ if ethertype::OLD_SERVICE_VLAN.contains(&kind) => self.vlan(b),
            ethertype::MPLS | ethertype::MPLS_UPSTREAM => self.mpls(b),
            ethertype::PPPOE_SESSION => self.pppoe(b),
            _ => Found::Nothing,
        }
    }

    /// 802.1Q section 9.6: control information, then the type of what follows. Recursion ends at [`super::MAX_TAGS`].
    fn vlan(&mut self, b: Bytes<'_>) -> Found {
        let Some((&[c0, c1, t0, t1], rest)) = b.split() else {
            return self.lost(Defect::LinkTruncated);
        };
        if !self.encaps.tag(u16::from_be_bytes([c0, c1])) {
            return self.lost(Defect::TunnelTooDeep);
        }
        self.ethertype(u16::from_be_bytes([t0, t1]), rest)
    }

    /// 802.2: destination and source access point, control. Only unnumbered information (3) carries packets.
    pub(super) fn llc(&mut self, b: Bytes<'_>) -> Found {
        match b.split::<3>() {
            Some(([0xaa, 0xaa, 3], rest)) => self.snap(rest),
            // Access point 6 is IP itself (RFC 948).
            Some(([6, 6, 3], rest)) => self.ipv4(rest),
            Some(_) => Found::Nothing,
            None => self.lost(Defect::LinkTruncated),
        }
    }

    /// RFC 1042: organisation 0 (or 802.1H's 0000f8) means that an Ethernet type follows.
    fn snap(&mut self, b: Bytes<'_>) -> Found {
        match b.split::<5>() {
            // A length here would lead back to LLC, without end.
            Some((&[0, 0, 0 | 0xf8, t0, t1], rest)) if t0 >= 6 => self.ethertype(u16::from_be_bytes([t0, t1]), rest),
            Some(_) => Found::Nothing,
            None => self.lost(Defect::LinkTruncated),
        }
    }
}
