//! What a frame means to a handshake: a TCP segment, or an ICMP error about one.

use crate::{Address, EncapId};

/// TCP flags, RFC 9293 section 3.1, with AE (RFC 9768, the former NS) as bit 8.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u16);

impl Flags {
    /// No more data from sender.
    pub const FIN: u16 = 0x001;
    /// Synchronize sequence numbers.
    pub const SYN: u16 = 0x002;
    /// Reset the connection.
    pub const RST: u16 = 0x004;
    /// Push function.
    pub const PSH: u16 = 0x008;
    /// Acknowledgment field is significant.
    pub const ACK: u16 = 0x010;
    /// Urgent pointer field is significant.
    pub const URG: u16 = 0x020;
    /// ECN-Echo, RFC 3168.
    pub const ECE: u16 = 0x040;
    /// Congestion window reduced, RFC 3168.
    pub const CWR: u16 = 0x080;
    /// Accurate ECN, RFC 9768.
    pub const AE: u16 = 0x100;

    /// Whether all bits of `mask` are set.
    pub const fn has(self, mask: u16) -> bool {
        self.0 & mask == mask
    }
}

impl std::fmt::Debug for Flags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const LETTERS: [(u16, char); 9] = [
            (Flags::AE, 'A'),
            (Flags::CWR, 'W'),
            (Flags::ECE, 'E'),
            (Flags::URG, 'U'),
            (Flags::ACK, '.'),
            (Flags::PSH, 'P'),
            (Flags::RST, 'R'),
            (Flags::SYN, 'S'),
            (Flags::FIN, 'F'),
        ];
        LETTERS
            .iter()
            .filter(|(bit, _)| self.has(*bit))
            .try_for_each(|(_, c)| write!(f, "{c}"))
    }
}

/// The Fast Open option of a SYN or SYN-ACK, RFC 7413 section 4.1.1 (kind 34) or the experimental kind 254/253 with
/// magic 0xF989.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FastOpenOption {
    /// No such option.
    #[default]
    Absent,
    /// An empty option in a SYN: asks for a cookie.
    Request,
    /// A cookie of this many bytes.
    Cookie(u8),
}

/// The options of a SYN or SYN-ACK. They are decoded on no other segment: nothing later is part of a handshake.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SynOptions {
    /// Maximum segment size, kind 2.
    pub mss: Option<u16>,
    /// Window scale shift count as sent, kind 3 (RFC 7323: above 14 is treated as 14, but reported as sent).
    pub window_scale: Option<u8>,
    /// SACK permitted, kind 4.
    pub sack_permitted: bool,
    /// Timestamps, kind 8: `TSval`, `TSecr`.
    pub timestamps: Option<(u32, u32)>,
    /// TCP Fast Open.
    pub fast_open: FastOpenOption,
    /// Multipath TCP, kind 30 (`MP_CAPABLE` or `MP_JOIN`).
    pub mptcp: bool,
    /// MD5 signature, kind 19.
    pub md5: bool,
    /// Authentication option, kind 29.
    pub ao: bool,
    /// Options of a kind that is not named above (and neither NOP nor end of list).
    pub unknown: u8,
    /// The list was damaged or cut: what stands here is what could be read.
    pub incomplete: bool,
    /// The capture ends before the window field: [`Segment::window`] is 0 and means nothing.
    pub window_cut: bool,
    /// The list ends before its end, in the capture or in a first fragment: what is absent may have been offered.
    pub cut: bool,
    /// The packet goes on in other fragments: [`Segment::payload_len`] counts this one's part only.
    pub fragmented: bool,
}

/// One TCP segment as far as a handshake needs it. Owned and `Copy`, so that a batch of them crosses threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Capture time, nanoseconds since the epoch.
    pub time_ns: i64,
    /// Whether `time_ns` is the segment's own. If not, it is that of the frame before, and only says in which order they came.
    pub timed: bool,
    /// 1-based frame number in its file.
    pub frame: u64,
    /// Index of the file.
    pub file: u32,
    /// Interface that saw it (pcapng interface id, or the SLL2 interface index with bit 31 set).
    pub interface: u32,
    /// Tags and tunnels around it.
    pub encap: EncapId,
    /// Sender.
    pub src: Address,
    /// Receiver.
    pub dst: Address,
    /// Sender's port.
    pub src_port: u16,
    /// Receiver's port.
    pub dst_port: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number; meaningful only with [`Flags::ACK`].
    pub ack: u32,
    /// Flags.
    pub flags: Flags,
    /// Window field, unscaled.
    pub window: u16,
    /// Payload bytes on the wire (by the IP length, not by what was captured).
    pub payload_len: u32,
    /// IPv4 TTL or IPv6 hop limit.
    pub ttl: u8,
    /// IPv4 identification; `None` for IPv6 without a fragment header.
    pub ip_id: Option<u16>,
    /// Set only where checksums were asked for and this one is wrong.
    pub bad_checksum: bool,
    /// Options; `Some` exactly when the SYN flag is set.
    pub syn: Option<SynOptions>,
}

/// An ICMP or `ICMPv6` error that quotes a TCP segment (RFC 792, RFC 4443 section 3).
#[derive(Clone, Copy, Debug)]
pub struct IcmpError {
    /// Capture time, nanoseconds since the epoch.
    pub time_ns: i64,
    /// Whether `time_ns` is the segment's own. If not, it is that of the frame before, and only says in which order they came.
    pub timed: bool,
    /// 1-based frame number in its file.
    pub frame: u64,
    /// Index of the file.
    pub file: u32,
    /// Tags and tunnels around it.
    pub encap: EncapId,
    /// True for `ICMPv6`.
    pub v6: bool,
    /// ICMP type.
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// Who sent the error: the router or host that refused.
    pub reporter: Address,
    /// Source of the quoted segment.
    pub src: Address,
    /// Destination of the quoted segment.
    pub dst: Address,
    /// Source port of the quoted segment.
    pub src_port: u16,
    /// Destination port of the quoted segment.
    pub dst_port: u16,
    /// Sequence number of the quoted segment (RFC 792 quotes at least the first 8 bytes, which hold it); `None` where the
    /// capture cut it off.
    pub seq: Option<u32>,
}

/// What the decoder made of a frame.
#[derive(Clone, Copy, Debug)]
pub enum Packet {
    /// A TCP segment.
    Tcp(Segment),
    /// An ICMP error about a TCP segment.
    Icmp(IcmpError),
    /// Anything else (other protocols, later fragments, damage): counted where it matters, of no further use.
    Other,
}
