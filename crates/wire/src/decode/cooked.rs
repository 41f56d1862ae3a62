//! Link layers that a system makes up for a capture: raw IP, BSD loopback, Linux cooked, Linux netfilter log.

use super::{Found, Walk, bytes::Bytes};
use crate::Defect;

/// `AF_INET` everywhere.
const AF_INET: u32 = 2;
/// `AF_INET6`: Linux, NetBSD and OpenBSD, FreeBSD, Darwin.
const AF_INET6: [u32; 4] = [10, 24, 28, 30];

/// `Segment::interface` from SLL2 carries this bit, so that it cannot be taken for an interface number of the file. The
/// file's own is mixed in: captures of several network namespaces in one pcapng all begin with index 1.
const SLL2_INTERFACE: u32 = 1 << 31;

/// `LINUX_SLL_P_802_2`: the protocol field of a cooked header when LLC follows.
const SLL_LLC: u16 = 4;

impl Walk<'_> {
    /// No link layer: the version tells.
    pub(super) fn raw_ip(&mut self, b: Bytes<'_>) -> Found {
        match b.data.first().map(|byte| byte >> 4) {
            Some(4) => self.ipv4(b),
            Some(6) => self.ipv6(b),
            Some(_) => self.lost(Defect::IpMalformed),
            None => self.lost(Defect::IpTruncated),
        }
    }

    /// `LINKTYPE_NULL`: address family in the byte order of the machine that wrote it. Families are small numbers, so
    /// the order shows.
    pub(super) fn null(&mut self, b: Bytes<'_>) -> Found {
        let Some((&head, rest)) = b.split() else {
            return self.lost(Defect::LinkTruncated);
        };
        let family = u32::from_le_bytes(head);
        self.family(if family > 0xffff { family.swap_bytes() } else { family }, rest)
    }

    /// `LINKTYPE_LOOP`: the same in network order.
    pub(super) fn loopback(&mut self, b: Bytes<'_>) -> Found {
        match b.split() {
            Some((&head, rest)) => self.family(u32::from_be_bytes(head), rest),
            None => self.lost(Defect::LinkTruncated),
        }
    }

    fn family(&mut self, family: u32, b: Bytes<'_>) -> Found {
        match family {
            AF_INET => self.ipv4(b),
            _ if AF_INET6.contains(&family) => self.ipv6(b),
            _ => Found::Nothing,
        }
    }

    /// `LINKTYPE_LINUX_SLL`: direction, hardware type, address length, address, protocol; 16 bytes.
    pub(super) fn linux_sll(&mut self, b: Bytes<'_>) -> Found {
        match b.split::<16>() {
            Some((&[.., p0, p1], rest)) => self.sll_protocol(u16::from_be_bytes([p0, p1]), rest),
            None => self.lost(Defect::LinkTruncated),
        }
    }

    /// `LINKTYPE_LINUX_SLL2`: protocol, reserved, interface index, hardware type, direction, address; 20 bytes.
    pub(super) fn linux_sll2(&mut self, b: Bytes<'_>) -> Found {
        let Some((&[p0, p1, _, _, i0, i1, i2, i3, ..], rest)) = b.split::<20>() else {
            return self.lost(Defect::LinkTruncated);
        };
        let index = u32::from_be_bytes([i0, i1, i2, i3]);
        self.interface = (self.interface << 16 ^ index) | SLL2_INTERFACE;
        self.sll_protocol(u16::from_be_bytes([p0, p1]), rest)
    }

    /// An Ethernet type, or one of Linux's own small numbers, which are no lengths.
    fn sll_protocol(&mut self, protocol: u16, b: Bytes<'_>) -> Found {
        match protocol {
            SLL_LLC => self.llc(b),
            0x0600.. => self.ethertype(protocol, b),
            _ => Found::Nothing,
        }
    }

    /// `LINKTYPE_NFLOG`: family, version, resource, then attributes of length (itself included), type and value, each
    /// padded to four bytes, in the byte order of the writer. The packet is attribute 9 (`NFULA_PAYLOAD`).
    pub(super) fn nflog(&mut self, b: Bytes<'_>) -> Found {
        const PAYLOAD: u16 = 9;
        let Some((&[family, version, ..], mut rest)) = b.split::<4>() else {
            return self.lost(Defect::LinkTruncated);
        };
        if version != 0 {
            return Found::Nothing;
        }
        loop {
            let Some((&[l0, l1, t0, t1], _)) = rest.split() else {
                return self.lost(Defect::LinkTruncated);
            };
            // Types stay below 256: the order shows.
            let (length, kind) = match [t0, t1] {
                [kind, 0] => (u16::from_le_bytes([l0, l1]), u16::from(kind)),
                [0, kind] => (u16::from_be_bytes([l0, l1]), u16::from(kind)),
                _ => return Found::Nothing,
            };
            let length = usize::from(length);
            if length < 4 {
                return Found::Nothing;
            }
            if kind == PAYLOAD {
                // The first four bytes are there: they were just read.
                return match rest.limit(length).skip(4) {
                    Some(packet) => self.family(u32::from(family), packet),
                    None => Found::Nothing,
                };
            }
            match rest.skip(length.next_multiple_of(4)) {
                Some(next) => rest = next,
                None => return self.lost(Defect::LinkTruncated),
            }
        }
    }
}
