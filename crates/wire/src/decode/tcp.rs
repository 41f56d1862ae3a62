//! TCP, RFC 9293 section 3.1.

use super::ip::Ip;
use super::{Found, Walk, bytes::Bytes, checksum, options};
use crate::{Defect, Flags, Packet, Segment, SynOptions};

/// The length of the header without options.
const HEADER: usize = 20;

/// Ports, sequence and acknowledgment number, data offset and flags: all that decides about a handshake. Captures with a
/// snaplen of 48 end exactly here.
const ESSENTIAL: usize = 14;

/// The window is the last two bytes of these.
const WINDOW_END: usize = 16;

#[expect(
    clippy::inline_always,
    reason = "handing a header on through memory costs as much as decoding it: measured 15 to 9 ns"
)]
impl Walk<'_> {
    /// A segment. One that was cut behind its flags is still used: its window and options are unknown, but its place in
    /// the handshake is not.
    #[inline(always)]
    pub(super) fn tcp(&mut self, ip: &Ip<'_>, b: Bytes<'_>) -> Found {
        match b.data.first_chunk::<HEADER>() {
            Some(head) => self.segment(ip, head, b),
            None => self.cut_header(ip, b),
        }
    }

    #[cold]
    fn cut_header(&mut self, ip: &Ip<'_>, b: Bytes<'_>) -> Found {
        if b.wire < HEADER && !b.partial {
            return self.lost(Defect::TcpMalformed);
        }
        self.defects.add(Defect::TcpTruncated);
        if b.data.len() < ESSENTIAL {
            return Found::Nothing;
        }
        let mut head = [0; HEADER];
        head.iter_mut().zip(b.data).for_each(|(to, from)| *to = *from);
        self.segment(ip, &head, b)
    }

    #[inline(always)]
    fn segment(&mut self, ip: &Ip<'_>, head: &[u8; HEADER], b: Bytes<'_>) -> Found {
        let header = usize::from(head[12] >> 4) * 4;
        if header < HEADER {
            return self.lost(Defect::TcpMalformed);
        }
        if header > b.wire && !b.partial {
            // A receiver drops it, but it was sent: as a SYN it is one that nobody answers.
            self.defects.add(Defect::TcpMalformed);
        }
        if u16::from(head[13]) & Flags::SYN == 0 {
            return self.packet(ip, head, b, None);
        }
        self.syn(ip, head, b, header)
    }

    /// A segment with the SYN flag. Its own function, and a call of [`Walk::packet`] for each way to read options, so that
    /// no other segment pays for them, and that the options are not put together in memory first only to be copied.
    #[inline(never)]
    fn syn(&mut self, ip: &Ip<'_>, head: &[u8; HEADER], b: Bytes<'_>, header: usize) -> Found {
        let captured = b.limit(header).data;
        let area = captured.get(HEADER..).unwrap_or_default();
        if captured.len() == header
            && let Some(mut options) = options::parse_linux(area)
        {
            options.fragmented = b.partial;
            return self.packet(ip, head, b, Some(options));
        }
        let (mut options, defect) = options::parse(area, header - HEADER);
        // A cut that reaches into the fixed header, and a header beyond the segment, were counted there.
        if let Some(defect) = defect
            && captured.len() >= HEADER
            && (header <= b.wire || b.partial)
        {
            self.defects.add(defect);
        }
        options.window_cut = captured.len() < WINDOW_END;
        options.fragmented = b.partial;
        options.incomplete |= captured.len() < HEADER;
        self.packet(ip, head, b, Some(options))
    }

    #[inline(always)]
    fn packet(&mut self, ip: &Ip<'_>, head: &[u8; HEADER], b: Bytes<'_>, syn: Option<SynOptions>) -> Found {
        let &[
            s0,
            s1,
            d0,
            d1,
            n0,
            n1,
            n2,
            n3,
            a0,
            a1,
            a2,
            a3,
            offset,
            flags,
            w0,
            w1,
            ..,
        ] = head;
        *self.packet = Packet::Tcp(Segment {
            time_ns: self.frame.time_ns,
            timed: self.frame.timed,
            frame: self.frame.number,
            file: self.frame.file,
            interface: self.interface,
            encap: self.encaps.id(),
            src: ip.src(),
            dst: ip.dst(),
            src_port: u16::from_be_bytes([s0, s1]),
            dst_port: u16::from_be_bytes([d0, d1]),
            seq: u32::from_be_bytes([n0, n1, n2, n3]),
            ack: u32::from_be_bytes([a0, a1, a2, a3]),
            flags: Flags(u16::from(offset & 1) << 8 | u16::from(flags)),
            window: u16::from_be_bytes([w0, w1]),
            payload_len: b.wire.saturating_sub(usize::from(offset >> 4) * 4) as u32,
            ttl: ip.ttl,
            ip_id: ip.id,
            bad_checksum: self.verify && self.checksum_is_bad(ip, b),
            syn,
        });
        Found::Packet
    }

    /// Only what was captured whole can be verified.
    #[inline(never)]
    fn checksum_is_bad(&mut self, ip: &Ip<'_>, b: Bytes<'_>) -> bool {
        if b.partial || ip.routed || b.data.len() < b.wire {
            return false;
        }
        let bad = !checksum::holds(checksum::pseudo_header(ip.src(), ip.dst(), b.wire) + checksum::sum(b.data));
        if bad {
            self.defects.add(Defect::BadTcpChecksum);
        }
        bad
    }
}
