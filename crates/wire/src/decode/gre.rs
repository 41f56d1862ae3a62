//! GRE (RFC 2784, RFC 2890, RFC 1701's routing), PPTP's variant (RFC 2637), and what is carried in it.

use super::ethernet::ethertype;
use super::ip::Ip;
use super::{Found, Walk, bytes::Bytes};
use crate::{Defect, Tunnel};

/// The first 16 bits.
mod flag {
    pub const CHECKSUM: u16 = 0x8000;
    pub const ROUTING: u16 = 0x4000;
    pub const KEY: u16 = 0x2000;
    pub const SEQUENCE: u16 = 0x1000;
    /// Version 1 only.
    pub const ACKNOWLEDGMENT: u16 = 0x0080;
    pub const VERSION: u16 = 0x0007;
}

/// Payload types that are not Ethernet types of their own right.
mod payload {
    /// ERSPAN type I (no header, no sequence number) and type II (8 bytes).
    pub const ERSPAN: u16 = 0x88be;
    /// ERSPAN type III: 12 bytes, and 8 more when the last bit is set.
    pub const ERSPAN3: u16 = 0x22eb;
}

/// The most entries of a source route that are followed.
const MAX_ROUTES: usize = 8;

/// The smallest key that can be NVGRE's (RFC 7637 section 3.2: virtual subnets below 0x1000 are reserved).
const NVGRE_KEY_MIN: u32 = 0x1000 << 8;

/// A header that was read to its end.
struct Header<'a> {
    kind: u16,
    key: Option<u32>,
    sequence: bool,
    inner: Bytes<'a>,
}

impl Walk<'_> {
    /// A GRE packet.
    pub(super) fn gre(&mut self, ip: &Ip<'_>, b: Bytes<'_>) -> Found {
        let Some((&[f0, f1, k0, k1], rest)) = b.split() else {
            return self.lost(Defect::LinkTruncated);
        };
        let (flags, kind) = (u16::from_be_bytes([f0, f1]), u16::from_be_bytes([k0, k1]));
        let header = match flags & flag::VERSION {
            0 => version_0(flags, kind, rest),
            1 if kind == ethertype::PPP => pptp(flags, kind, rest),
            _ => return Found::Nothing,
        };
        let Some(header) = header else {
            return self.lost(Defect::LinkTruncated);
        };
        if !self.encaps.enter(Tunnel::Gre(ip.outer(), header.key)) {
            return self.lost(Defect::TunnelTooDeep);
        }
        self.gre_payload(&header)
    }

    fn gre_payload(&mut self, header: &Header<'_>) -> Found {
        let b = header.inner;
        match header.kind {
            ethertype::BRIDGED => self.ethernet(b),
            ethertype::PPP => self.ppp(b),
            payload::ERSPAN if !header.sequence => self.ethernet(b),
            payload::ERSPAN => self.mirrored(b.skip(8)),
            payload::ERSPAN3 => {
                let more = b.data.get(11).is_some_and(|last| last & 1 == 1);
                self.mirrored(b.skip(if more { 20 } else { 12 }))
            }
            // Lengths of 802.3 have no place here.
            0x0600.. => self.ethertype(header.kind, b),
            _ => Found::Nothing,
        }
    }

    /// The frame behind an ERSPAN header.
    fn mirrored(&mut self, frame: Option<Bytes<'_>>) -> Found {
        match frame {
            Some(frame) => self.ethernet(frame),
            None => self.lost(Defect::LinkTruncated),
        }
    }
}

/// Checksum and offset, key, sequence number, route: each there if its flag is. `None` when cut.
fn version_0(flags: u16, kind: u16, mut b: Bytes<'_>) -> Option<Header<'_>> {
    if flags & (flag::CHECKSUM | flag::ROUTING) != 0 {
        b = b.skip(4)?;
    }
    let mut key = None;
    if flags & flag::KEY != 0 {
        let (&number, rest) = b.split()?;
        (key, b) = (Some(u32::from_be_bytes(number)), rest);
    }
    let sequence = flags & flag::SEQUENCE != 0;
    if sequence {
        b = b.skip(4)?;
    }
    if flags & flag::ROUTING != 0 {
        b = behind_route(b)?;
    }
    // NVGRE: the low eight bits number the flow, by direction.
    if kind == ethertype::BRIDGED && flags & flag::CHECKSUM == 0 && !sequence {
        key = key.map(|k| if k >= NVGRE_KEY_MIN { k & !0xff } else { k });
    }
    Some(Header {
        kind,
        key,
        sequence,
        inner: b,
    })
}

/// RFC 1701: entries of family, offset, length and data; the last one is all zero.
fn behind_route(mut b: Bytes<'_>) -> Option<Bytes<'_>> {
    for _ in 0..MAX_ROUTES {
        let (&[f0, f1, _, length], rest) = b.split()?;
        b = rest.skip(usize::from(length))?;
        if [f0, f1, length] == [0, 0, 0] {
            return Some(b);
        }
    }
    None
}

/// RFC 2637 section 4.1: the key is payload length and call, and calls are numbered by direction, so it is no identity.
fn pptp(flags: u16, kind: u16, b: Bytes<'_>) -> Option<Header<'_>> {
    let (&[l0, l1, _, _], mut b) = b.split()?;
    let sequence = flags & flag::SEQUENCE != 0;
    for present in [sequence, flags & flag::ACKNOWLEDGMENT != 0] {
        if present {
            b = b.skip(4)?;
        }
    }
    Some(Header {
        kind,
        key: None,
        sequence,
        inner: b.limit(usize::from(u16::from_be_bytes([l0, l1]))),
    })
}
