//! One handshake as one capture saw it: its packets, and the few facts by which the other capture is searched.

use halfopen_track::{Handshake, Key, Outcome, Side};
use halfopen_wire::{Address, EncapId, Flags, Segment};

/// The most packets that are kept of one handshake; what comes after them is counted.
pub const MAX_PACKETS: usize = 32;
/// Of the segments that carry the handshake's ACK together with data, the first ones are enough to know that it arrived.
const MAX_DATA: usize = 2;
/// A second capture of a packet comes within this of the first, where the IP identification or a hop says that it is one:
/// no stack sends anything again so soon.
pub const COPY_NS: i64 = 200_000_000;
/// Without either, where other packets of the handshake were captured twice.
const COPY_LIKE_OTHERS_NS: i64 = 10_000_000;
/// And where none was: closer than an answer to an answer can be.
const COPY_UNMARKED_NS: i64 = 100_000;

/// What a packet is to its handshake.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// SYN without ACK.
    Syn,
    /// SYN with ACK.
    SynAck,
    /// ACK without data that acknowledges the other side's SYN and nothing more.
    Ack,
    /// The same with data.
    Data,
    /// RST.
    Rst,
}

impl Kind {
    /// The spelling in every output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syn => "syn",
            Self::SynAck => "syn_ack",
            Self::Ack => "ack",
            Self::Data => "data",
            Self::Rst => "rst",
        }
    }
}

/// One packet of a handshake, as it was captured at one point. 48 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent {
    /// Capture time, nanoseconds since the epoch of that capture's clock.
    pub time_ns: i64,
    /// 1-based frame number in its file.
    pub frame: u64,
    /// Index of the file.
    pub file: u16,
    /// What it is.
    pub kind: Kind,
    /// Whether the low end of the key sent it.
    pub from_low: bool,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number, 0 without ACK.
    pub ack: u32,
    /// TSval; decoded on segments with SYN only.
    pub tsval: Option<u32>,
    /// IPv4 identification; `None` where it identifies nothing: 0 (Linux, SYN-ACK and RST) or IPv6.
    pub ip_id: Option<u16>,
    /// TTL or hop limit at this point.
    pub ttl: u8,
    /// Neither side was known to be open when it passed.
    pub opening: bool,
    /// The tracker took it for the same packet, captured twice.
    pub copy: bool,
}

/// One handshake in one capture.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Both ends, whatever tags and tunnels were around them: those may differ between the two points.
    pub key: Key,
    /// The low end is the client.
    pub client_low: bool,
    /// Number in its capture, as `--ladder` takes it.
    pub number: u64,
    /// First packet.
    pub start_ns: i64,
    /// How it ended, as this capture shows it.
    pub outcome: Outcome,
    /// Initial sequence numbers of the low and of the high end, where known.
    pub isn: [Option<u32>; 2],
    /// The packets, in capture order.
    pub packets: Box<[Sent]>,
    /// Packets beyond [`MAX_PACKETS`].
    pub omitted: u32,
}

impl Seen {
    /// Joins the record with its packets.
    pub fn new(handshake: &Handshake, mut kept: Kept) -> Self {
        if handshake.simultaneous {
            // Which end is the client depends upon the point, and so does whose ACK of a SYN is looked for.
            kept.packets.retain(|p| !matches!(p.kind, Kind::Ack | Kind::Data));
        }
        let (key, client_low) = Key::new(
            handshake.client,
            handshake.client_port,
            handshake.server,
            handshake.server_port,
            EncapId::NONE,
        );
        // A SYN-ACK without its SYN still tells the client's number, unless it acknowledged data as well.
        let implied = || {
            let answer = kept.packets.iter().find(|p| p.kind == Kind::SynAck);
            answer.map(|p| p.ack.wrapping_sub(1))
        };
        let client = handshake.isn_client.or_else(implied);
        let isn = if client_low {
            [client, handshake.isn_server]
        } else {
            [handshake.isn_server, client]
        };
        Self {
            key,
            client_low,
            number: handshake.number,
            start_ns: handshake.start_ns,
            outcome: handshake.outcome,
            isn,
            packets: kept.packets.into_boxed_slice(),
            omitted: kept.omitted,
        }
    }

    /// Address and port of the client.
    pub fn client(&self) -> (Address, u16) {
        self.key.end(self.client_low)
    }

    /// Address and port of the server.
    pub fn server(&self) -> (Address, u16) {
        self.key.end(!self.client_low)
    }

    /// The client's initial sequence number.
    pub fn isn_client(&self) -> Option<u32> {
        self.isn[usize::from(!self.client_low)]
    }

    /// The server's.
    pub fn isn_server(&self) -> Option<u32> {
        self.isn[usize::from(self.client_low)]
    }

    /// Packets of one kind and sender.
    pub fn of(&self, kind: Kind, from_low: bool) -> impl Iterator<Item = &Sent> {
        self.packets
            .iter()
            .filter(move |p| p.kind == kind && p.from_low == from_low)
    }
}

/// The packets of a handshake that is still going on.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    packets: Vec<Sent>,
    omitted: u32,
}

impl Kept {
    /// Keeps the segment if it is part of the handshake.
    pub fn push(&mut self, segment: &Segment, from: Side, opening: bool, copy: bool) {
        let Some(kind) = self.kind(segment, from) else { return };
        if self.packets.len() >= MAX_PACKETS {
            self.omitted = self.omitted.saturating_add(1);
            return;
        }
        let from_low = is_low(segment);
        if kind == Kind::Data && self.packets.iter().filter(|p| p.kind == Kind::Data).count() >= MAX_DATA {
            return;
        }
        let sent = Sent {
            time_ns: segment.time_ns,
            frame: segment.frame,
            file: segment.file.min(0xFFFF) as u16,
            kind,
            from_low,
            seq: segment.seq,
            ack: if segment.flags.has(Flags::ACK) { segment.ack } else { 0 },
            tsval: segment.syn.and_then(|s| s.timestamps).map(|t| t.0),
            ip_id: segment.ip_id.filter(|&id| id != 0),
            ttl: segment.ttl,
            opening,
            copy,
        };
        let copy = copy || self.is_copied(&sent);
        self.packets.push(Sent { copy, ..sent });
    }

    /// Whether the same packet was captured before, on another interface or on its way out of a router. Of SYNs and SYN-ACKs
    /// without a mark the tracker alone can tell: a server answers twice within microseconds where a SYN that comes again
    /// meets its timer.
    fn is_copied(&self, sent: &Sent) -> bool {
        let copies = self.packets.iter().any(|p| p.copy);
        self.packets.iter().rev().any(|p| {
            let same = (p.kind, p.from_low, p.seq, p.ack, p.tsval, p.ip_id)
                == (sent.kind, sent.from_low, sent.seq, sent.ack, sent.tsval, sent.ip_id);
            let gap = sent.time_ns.saturating_sub(p.time_ns).saturating_abs();
            let marked = p.ip_id.is_some() || p.ttl != sent.ttl;
            let told = matches!(sent.kind, Kind::Syn | Kind::SynAck);
            let longest = match (marked, copies) {
                (true, _) => COPY_NS,
                (false, _) if told => return false,
                (false, true) => COPY_LIKE_OTHERS_NS,
                (false, false) => COPY_UNMARKED_NS,
            };
            same && gap <= longest
        })
    }

    fn kind(&self, segment: &Segment, from: Side) -> Option<Kind> {
        let flags = segment.flags;
        if flags.has(Flags::RST) {
            return Some(Kind::Rst);
        }
        match (flags.has(Flags::SYN), flags.has(Flags::ACK)) {
            (true, false) => Some(Kind::Syn),
            (true, true) => Some(Kind::SynAck),
            (false, true) if from == Side::Client && !flags.has(Flags::FIN) && self.is_final_ack(segment) => {
                Some(if segment.payload_len == 0 {
                    Kind::Ack
                } else {
                    Kind::Data
                })
            }
            _ => None,
        }
    }

    /// Whether it acknowledges the SYN of the server and no byte more, and stands where the client's stream begins.
    fn is_final_ack(&self, segment: &Segment) -> bool {
        let low = is_low(segment);
        let mut answers = self
            .packets
            .iter()
            .filter(|p| p.kind == Kind::SynAck && p.from_low != low);
        // Behind the data of a Fast Open SYN the stream begins where the SYN-ACK says.
        let fits = |p: &Sent| segment.seq == p.ack && segment.ack == p.seq.wrapping_add(1);
        if let Some(first) = answers.next() {
            fits(first) || answers.any(fits)
        } else {
            let mut syns = self.packets.iter().filter(|p| p.kind == Kind::Syn && p.from_low == low);
            syns.any(|p| segment.seq == p.seq.wrapping_add(1))
        }
    }
}

/// Whether the sender is the low end of the key.
fn is_low(segment: &Segment) -> bool {
    Key::new(
        segment.src,
        segment.src_port,
        segment.dst,
        segment.dst_port,
        EncapId::NONE,
    )
    .1
}
