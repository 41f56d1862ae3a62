//! What is remembered of one connection while it is tracked.
//!
//! Two structures, because a SYN flood must be cheap: [`Flow`] is all that a lone SYN needs; [`Detail`] is added when
//! anything else happens.

use std::num::NonZeroU64;

use halfopen_wire::{Address, EncapId, FastOpenOption, Segment, SynOptions};

use crate::believed::Believed;
use crate::key::Key;
use crate::record::{Anomalies, Anomaly, Side, SideOptions};
use crate::state::State;

/// A frame number and the file it is in, in 8 bytes: 47 bits of number, one that says that it has no time of its own, 16 of
/// file. Frames are counted from 1, so that an `Option` of it is no larger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameRef(NonZeroU64);

impl FrameRef {
    const UNTIMED: u64 = 1 << 47;

    /// Of a frame with a time. Files beyond the 65 535th share the last number: their frames are still right within their file.
    pub const fn new(file: u32, frame: u64) -> Self {
        let file = if file > 0xFFFF { 0xFFFF } else { file as u64 };
        match NonZeroU64::new(file << 48 | frame & (Self::UNTIMED - 1)) {
            Some(all) => Self(all),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// Where a segment is.
    pub const fn of(segment: &Segment) -> Self {
        let new = Self::new(segment.file, segment.frame);
        if segment.timed {
            new
        } else {
            Self(new.0.saturating_add(Self::UNTIMED))
        }
    }

    /// Whether its time is known.
    pub const fn is_timed(self) -> bool {
        self.0.get() & Self::UNTIMED == 0
    }

    /// Index of the file.
    pub const fn file(self) -> u32 {
        (self.0.get() >> 48) as u32
    }

    /// 1-based number within it.
    pub const fn frame(self) -> u64 {
        self.0.get() & (Self::UNTIMED - 1)
    }
}

/// [`SideOptions`] in 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PackedOptions {
    pub(crate) tsval: u32,
    pub(crate) tsecr: u32,
    pub(crate) mss: u16,
    pub(crate) window: u16,
    pub(crate) bits: u16,
    pub(crate) window_scale: u8,
    /// Low 3 bits ACE, high 5 bits the cookie's length (RFC 7413: 4 to 16 bytes).
    pub(crate) ace_cookie: u8,
    pub(crate) unknown: u8,
}

impl PackedOptions {
    const MSS: u16 = 1;
    const WSCALE: u16 = 2;
    const SACK: u16 = 4;
    pub(crate) const TS: u16 = 8;
    const TFO_REQUEST: u16 = 16;
    const TFO_COOKIE: u16 = 32;
    const MPTCP: u16 = 64;
    const MD5: u16 = 128;
    const AO: u16 = 256;
    const INCOMPLETE: u16 = 512;
    const ECN: u16 = 1024;
    const WINDOW_CUT: u16 = 2048;
    const FRAGMENTED: u16 = 4096;
    const CUT: u16 = 8192;

    /// Packs what a SYN or SYN-ACK offered.
    pub fn pack(options: &SideOptions) -> Self {
        let t = &options.tcp;
        let mut bits = 0;
        let mut set = |on: bool, bit: u16| bits |= if on { bit } else { 0 };
        set(t.mss.is_some(), Self::MSS);
        set(t.window_scale.is_some(), Self::WSCALE);
        set(t.sack_permitted, Self::SACK);
        set(t.timestamps.is_some(), Self::TS);
        set(t.mptcp, Self::MPTCP);
        set(t.md5, Self::MD5);
        set(t.ao, Self::AO);
        set(t.incomplete, Self::INCOMPLETE);
        set(t.window_cut, Self::WINDOW_CUT);
        set(t.fragmented, Self::FRAGMENTED);
        set(t.cut, Self::CUT);
        set(options.ecn, Self::ECN);
        let cookie = match t.fast_open {
            FastOpenOption::Absent => 0,
            FastOpenOption::Request => {
                set(true, Self::TFO_REQUEST);
                0
            }
            FastOpenOption::Cookie(len) => {
                set(true, Self::TFO_COOKIE);
                len.min(31)
            }
        };
        let (tsval, tsecr) = t.timestamps.unwrap_or((0, 0));
        Self {
            tsval,
            tsecr,
            mss: t.mss.unwrap_or(0),
            window: options.window,
            bits,
            window_scale: t.window_scale.unwrap_or(0),
            ace_cookie: options.ace & 7 | cookie << 3,
            unknown: t.unknown,
        }
    }

    const fn has(&self, bit: u16) -> bool {
        self.bits & bit != 0
    }

    /// The inverse of [`PackedOptions::pack`].
    pub fn unpack(&self) -> SideOptions {
        let fast_open = if self.has(Self::TFO_REQUEST) {
            FastOpenOption::Request
        } else if self.has(Self::TFO_COOKIE) {
            FastOpenOption::Cookie(self.ace_cookie >> 3)
        } else {
            FastOpenOption::Absent
        };
        SideOptions {
            tcp: SynOptions {
                mss: self.has(Self::MSS).then_some(self.mss),
                window_scale: self.has(Self::WSCALE).then_some(self.window_scale),
                sack_permitted: self.has(Self::SACK),
                timestamps: self.has(Self::TS).then_some((self.tsval, self.tsecr)),
                fast_open,
                mptcp: self.has(Self::MPTCP),
                md5: self.has(Self::MD5),
                ao: self.has(Self::AO),
                unknown: self.unknown,
                incomplete: self.has(Self::INCOMPLETE),
                window_cut: self.has(Self::WINDOW_CUT),
                fragmented: self.has(Self::FRAGMENTED),
                cut: self.has(Self::CUT),
            },
            ecn: self.has(Self::ECN),
            ace: self.ace_cookie & 7,
            window: self.window,
        }
    }

    /// Whether the list was damaged or cut.
    pub const fn is_incomplete(&self) -> bool {
        self.has(Self::INCOMPLETE)
    }

    /// Whether the packet went on in other fragments.
    pub const fn is_fragmented(&self) -> bool {
        self.has(Self::FRAGMENTED)
    }

    /// Whether a Fast Open option was there.
    pub const fn asks_fast_open(&self) -> bool {
        self.bits & (Self::TFO_REQUEST | Self::TFO_COOKIE) != 0
    }
}

/// The marks that tell a second capture of one packet from its retransmission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint {
    /// Time of the last transmission.
    pub time_ns: i64,
    pub(crate) tsval: u32,
    pub(crate) interface: u32,
    pub(crate) ip_id: u16,
    pub(crate) ttl: u8,
    pub(crate) has: u8,
}

impl Fingerprint {
    pub(crate) const IP_ID: u8 = 1;
    pub(crate) const TSVAL: u8 = 2;
    /// It has no time of its own.
    pub(crate) const UNTIMED: u8 = 4;

    /// No retransmission timer of any stack is this short, and no mirror port this slow: RFC 6298 section 2 starts at
    /// 1 s, the shortest initial timeouts in the field (tuned by BPF `TIMEOUT_INIT`) are about 200 ms.
    const LONGEST_NS: i64 = 200_000_000;
    /// Where neither identification nor time stamp nor hop tells: a copy of a bridge, bond or mirror comes within this.
    const UNMARKED_NS: i64 = 10_000_000;
    /// A SYN-ACK is also repeated at once, with the same time stamp and no identification, when a repeated SYN meets the
    /// server's own timer: Linux sends two within 50 us. Where the SYN was not captured, to tell by how that came, only what
    /// comes closer than this is a copy.
    const UNMARKED_SYN_ACK_NS: i64 = 1_000_000;

    /// Takes the marks of a SYN or SYN-ACK.
    pub fn of(segment: &Segment) -> Self {
        let tsval = segment.syn.and_then(|s| s.timestamps).map(|t| t.0);
        // Linux sends SYN-ACKs and RSTs with identification 0 and DF: that identifies nothing.
        let ip_id = segment.ip_id.filter(|&id| id != 0);
        Self {
            time_ns: segment.time_ns,
            tsval: tsval.unwrap_or(0),
            interface: segment.interface,
            ip_id: ip_id.unwrap_or(0),
            ttl: segment.ttl,
            has: if ip_id.is_some() { Self::IP_ID } else { 0 }
                | if tsval.is_some() { Self::TSVAL } else { 0 }
                | if segment.timed { 0 } else { Self::UNTIMED },
        }
    }

    #[cfg(test)]
    pub(crate) const NONE: Self = Self {
        time_ns: 0,
        tsval: 0,
        interface: 0,
        ip_id: 0,
        ttl: 0,
        has: 0,
    };

    /// The time of this transmission, or what [`Detail::answered_ns`] holds where it is not known.
    pub const fn moment(&self) -> i64 {
        if self.has & Self::UNTIMED == 0 {
            self.time_ns
        } else {
            i64::MIN
        }
    }

    /// Whether `next`, the same SYN by its TCP numbers, is the same *packet*, seen at another point of its way.
    pub fn is_copied_syn(&self, next: &Self) -> bool {
        let same_tick = self.has & Self::TSVAL != 0;
        let unmarked_ns = if same_tick { Self::LONGEST_NS } else { Self::UNMARKED_NS };
        self.is_copy(next, Some(unmarked_ns))
    }

    /// The same for a SYN-ACK, by how the SYN was captured. The answer to the only SYN so far (`nth` is 1) is repeated by
    /// a timer alone, not at once.
    pub fn is_copied_syn_ack(&self, next: &Self, syn: SynCaptured, nth: u32) -> bool {
        let unmarked_ns = match syn {
            SynCaptured::Never => Some(Self::UNMARKED_SYN_ACK_NS),
            // Where two capture points lie far apart: a stamp of the same tick is none of a retransmission.
            SynCaptured::Twice if self.has & Self::TSVAL != 0 => Some(Self::LONGEST_NS),
            SynCaptured::Twice => Some(Self::UNMARKED_NS),
            SynCaptured::Once => (nth == 1).then_some(Self::UNMARKED_SYN_ACK_NS),
            SynCaptured::Elsewhere => None,
        };
        self.is_copy(next, unmarked_ns)
    }

    /// Whether `next` was seen at another hop or interface.
    pub const fn is_elsewhere(&self, next: &Self) -> bool {
        self.ttl != next.ttl || self.interface != next.interface
    }

    fn is_copy(&self, next: &Self, unmarked_ns: Option<i64>) -> bool {
        // Without times, being close says nothing: a retransmission is the more likely.
        let timed = (self.has | next.has) & Self::UNTIMED == 0;
        let gap = next.time_ns.saturating_sub(self.time_ns).saturating_abs();
        if gap > Self::LONGEST_NS || (self.has ^ next.has) & !Self::UNTIMED != 0 || self.tsval != next.tsval {
            return false;
        }
        if self.has & Self::IP_ID != 0 {
            return self.ip_id == next.ip_id;
        }
        self.is_elsewhere(next) || timed && unmarked_ns.is_some_and(|most| gap <= most)
    }
}

/// How the SYN of a connection was captured: its answers are captured the same way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SynCaptured {
    /// It was not.
    Never,
    /// At one point.
    Once,
    /// Twice, and nothing differs.
    Twice,
    /// At two hops or interfaces.
    Elsewhere,
}

/// What one direction of the stream has carried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stream {
    /// First sequence number of data (ISN + 1), when known.
    pub start: Option<u32>,
    /// One past the highest data byte seen.
    pub end: u32,
    /// Bytes from `start` to `end`, counted beyond 2^32.
    pub bytes: u64,
    /// Sequence number of the FIN, once sent.
    pub fin: Option<u32>,
    /// Highest acknowledgment number that this side sent, once it sent one.
    pub acked: Option<u32>,
}

/// Distances are signed modulo 2^32 (RFC 9293 section 3.4).
pub const fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from) as i32
}

impl Stream {
    /// No receiver offers more than 1 GiB (RFC 7323 section 2.3): a jump beyond this is not of this stream.
    const LARGEST_JUMP: i32 = 1 << 30;
    /// No window in use is larger.
    const LARGEST_BLIND: i32 = 1 << 26;
    /// What a capture puts out of order is a few packets: an acknowledgment further ahead is of what it missed.
    pub const LARGEST_DISORDER: i32 = 1 << 16;

    /// Starts at the byte after the SYN.
    pub fn begin(&mut self, isn: u32) {
        let first = isn.wrapping_add(1);
        *self = Self {
            start: Some(first),
            end: first,
            bytes: 0,
            fin: None,
            acked: self.acked,
        };
    }

    /// Notes data from `seq`, `len` bytes long.
    pub fn carry(&mut self, seq: u32, len: u32) {
        if self.start.is_none() {
            // Midway, as where the SYN was not captured: count from here.
            self.start = Some(seq);
            self.end = seq;
        }
        let mut end = seq.wrapping_add(len);
        if let Some(fin) = self.fin
            && distance(fin, end) > 0
        {
            end = fin; // the FIN took a sequence number that is no byte (RFC 9293 section 3.4)
        }
        let ahead = distance(self.end, end);
        if ahead > 0 && ahead < Self::LARGEST_JUMP {
            self.end = self.end.wrapping_add(ahead as u32);
            self.bytes += ahead as u64;
        }
    }

    /// Notes the first FIN, at the end of the stream.
    pub fn finish(&mut self, fin: u32) {
        if self.fin.is_none() {
            self.fin = Some(fin);
            if distance(fin, self.end) == 1 {
                // Captured behind the sender's own next segment, whose number counts the FIN.
                self.end = fin;
                self.bytes = self.bytes.saturating_sub(1);
            }
        }
    }

    /// Whether `ack` is for bytes, or a FIN, that were not captured but can have been on their way.
    pub const fn is_acked_ahead(&self, ack: u32) -> bool {
        let ahead = distance(self.end, ack);
        self.start.is_some() && ahead > 0 && ahead <= Self::LARGEST_DISORDER
    }

    /// Whether `ack` covers this stream's FIN. Nothing comes behind a FIN: a number far beyond it acknowledges nothing.
    pub const fn fin_covered_by(&self, ack: u32) -> bool {
        match self.fin {
            Some(fin) => {
                let beyond = distance(fin, ack);
                beyond > 0 && beyond <= Self::LARGEST_DISORDER
            }
            None => false,
        }
    }

    /// Whether a segment that ends before `end` and acknowledges `ack` of `peer` is of this connection: what jumps ahead
    /// (the capture missed what lies between) has one number, at the least, beside what was seen. Nobody guesses that.
    pub const fn believes(&self, end: u32, ack: u32, peer: &Self) -> bool {
        distance(self.end, end) <= Self::LARGEST_DISORDER
            || self.start.is_none()
            || peer.start.is_none()
            || distance(peer.end, ack).saturating_abs() <= Self::LARGEST_BLIND
    }

    /// The sequence number of its next segment.
    pub const fn next(&self) -> u32 {
        match self.fin {
            Some(fin) if fin == self.end => fin.wrapping_add(1),
            _ => self.end,
        }
    }
}

/// Everything beyond a lone SYN. What every segment of an open connection touches stands first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct Detail {
    /// Client to server.
    pub client: Stream,
    /// Server to client.
    pub server: Stream,
    /// Time and frame of the client's ACK of the SYN-ACK.
    pub ack: Option<(i64, FrameRef)>,
    /// Time and frame of the first SYN-ACK that fits.
    pub syn_ack: Option<(i64, FrameRef)>,
    /// Time of the SYN that was answered; the least number where it is not known.
    pub answered_ns: i64,
    /// Server's initial sequence number.
    pub isn_server: Option<u32>,
    /// Sequence and acknowledgment number of the last SYN-ACK.
    pub last_syn_ack_numbers: Option<(u32, u32)>,
    /// SYN-ACKs seen from the server.
    pub syn_ack_sent: u32,
    /// The last SYN-ACK.
    pub last_syn_ack: Option<Fingerprint>,
    /// What the server offered.
    pub server_options: Option<PackedOptions>,
    /// How far the SYN-ACK acknowledged into the SYN's data.
    pub syn_data_acked: u32,
    /// `ack` field of the first FIN of each side: client, server.
    pub fin_acks: [Option<u32>; 2],
    /// TTL of the server's first segment.
    pub ttl_server: Option<u8>,
    /// What few connections have.
    pub rare: Option<Box<Rare>>,
}

/// A SYN-ACK that fits: the first transmission of its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The server's initial sequence number in it.
    pub isn: u32,
    /// Its time and frame.
    pub seen: (i64, FrameRef),
    /// Time of the SYN that it answered.
    pub answered_ns: i64,
    /// What it acknowledged.
    pub acked: u32,
    /// What it offered.
    pub options: Option<PackedOptions>,
    /// Its TTL.
    pub ttl: u8,
}

/// Segments of the client before the server's that they answer, each with its time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Early {
    /// An ACK of 0: a blind one, or that of a SYN-ACK with the last number there is.
    pub ack_of_0: Option<(i64, FrameRef)>,
    /// A SYN-ACK: what it acknowledges, to be a SYN of the other side.
    pub syn_ack: Option<(u32, (i64, FrameRef))>,
    /// An RST: its number, to be what a wrong SYN-ACK acknowledges.
    pub rst: Option<(u32, i64)>,
}

/// What few connections have.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rare {
    /// Value of the client's ACK, kept while its SYN-ACK was not captured yet.
    pub early_ack: Option<u32>,
    /// What fits nothing yet, and may be of the client, out of order.
    pub early: Early,
    /// Other SYN-ACKs that fit, each with an initial sequence number of its own: [`Rare::LARGEST_OTHERS`] at most.
    pub others: Vec<Answer>,
    /// The client's first SYN-ACK of a simultaneous open, or its bare ACK of the server's SYN.
    pub client_syn_ack: Option<(i64, FrameRef)>,
    /// Acknowledgment number of the last SYN-ACK that did not fit.
    pub wrong_ack: Option<u32>,
    /// The client reset a SYN-ACK that did not fit.
    pub wrong_reset: bool,
    /// Acknowledgment number of the last ACK of the server before its SYN-ACK (challenge ACK).
    pub challenge: Option<u32>,
    /// The server acknowledged the client's SYN with a bare ACK, before any SYN of its own.
    pub syn_acked: bool,
    /// The server's own SYN of a simultaneous open.
    pub server_syn: Option<Fingerprint>,
    /// Time of the server's ACK of data that proved completion before any ACK of the client was captured.
    pub proven_ns: i64,
    /// What ICMP said: type, code, reporter.
    pub icmp: Option<(u8, u8, Address)>,
    /// SYNs inside the open connection, each as the flow that it would begin ([`crate::held`]).
    pub held: Vec<Flow>,
    /// Their sender went on with the connection.
    pub disproved: bool,
    /// Highest acknowledgment number of each side (client, server) for something that was not captured yet: it may be a FIN
    /// that comes out of order.
    pub acks_ahead: [Option<u32>; 2],
    /// The RST that ended it, where both ends may still show that it did not.
    pub believed: Option<Box<Believed>>,
}

impl Rare {
    /// A server that answers with more numbers than this is none; more of them are only counted.
    pub const LARGEST_OTHERS: usize = 8;
    /// Of more SYNs than this inside one connection the oldest are not remembered.
    pub const LARGEST_HELD: usize = 8;
}

impl Detail {
    /// What few connections have; nothing where this one has none of it.
    pub fn rare(&self) -> &Rare {
        const NOTHING: &Rare = &Rare {
            early_ack: None,
            early: Early {
                ack_of_0: None,
                syn_ack: None,
                rst: None,
            },
            others: Vec::new(),
            client_syn_ack: None,
            wrong_ack: None,
            wrong_reset: false,
            challenge: None,
            syn_acked: false,
            server_syn: None,
            proven_ns: 0,
            icmp: None,
            held: Vec::new(),
            disproved: false,
            acks_ahead: [None; 2],
            believed: None,
        };
        self.rare.as_deref().unwrap_or(NOTHING)
    }

    /// Whether `side` acknowledged the FIN of the other one, be it before that was captured.
    pub fn knew_fin(&self, side: Side) -> bool {
        let peer = self.stream(side.other());
        let covers = |ack: Option<u32>| ack.is_some_and(|ack| peer.fin_covered_by(ack));
        covers(self.fin_acks[side as usize]) || covers(self.rare().acks_ahead[side as usize])
    }

    /// What one side carried.
    pub const fn stream(&self, side: Side) -> &Stream {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    /// The same, to be written.
    pub const fn stream_mut(&mut self, side: Side) -> &mut Stream {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// What few connections have, to be written.
    pub fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

/// The fixed part. In the order of use: what finds a flow and what every segment touches are its first 64 bytes, one line
/// of the processor's cache.
#[derive(Clone, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Flow {
    /// Who.
    pub key: Key,
    /// Last packet.
    pub last_ns: i64,
    /// Client's initial sequence number; meaningless where `marks` lacks [`Flow::SYN_SEEN`].
    pub isn_client: u32,
    /// Bits below.
    pub marks: u32,
    /// Where it is.
    pub state: State,
    /// TTL of the client's first segment.
    pub ttl_client: u8,
    /// Tags and tunnels of the first packet.
    pub encap: EncapId,
    /// First packet.
    pub start_ns: i64,
    /// Order among all handshakes of the run, from 1.
    pub number: u64,
    /// First SYN; first packet where no SYN was captured.
    pub frame_syn: FrameRef,
    /// What the client offered.
    pub client_options: PackedOptions,
    /// The last transmission of the SYN.
    pub last_syn: Fingerprint,
    /// Data in the first SYN.
    pub syn_data: u32,
    /// SYNs of the client.
    pub syn_sent: u32,
    /// What was odd.
    pub anomalies: Anomalies,
}

impl Flow {
    /// The client is the low end of the key.
    pub const CLIENT_LOW: u32 = 1;
    /// The client's SYN was captured.
    pub const SYN_SEEN: u32 = 1 << 1;
    /// Both SYNs acknowledged.
    pub const COMPLETED: u32 = 1 << 2;
    /// Both sides sent a SYN.
    pub const SIMULTANEOUS: u32 = 1 << 3;
    /// RST in answer to the SYN.
    pub const REFUSED: u32 = 1 << 4;
    /// RST without ACK in answer to the SYN, not contradicted since.
    pub const REFUSED_WEAKLY: u32 = 1 << 5;
    /// Client's RST before completion.
    pub const RESET_BY_CLIENT: u32 = 1 << 6;
    /// Server's RST before completion.
    pub const RESET_BY_SERVER: u32 = 1 << 7;
    /// ICMP error for the SYN, not contradicted since.
    pub const UNREACHABLE: u32 = 1 << 8;
    /// A packet of the server was captured.
    pub const SERVER_SEEN: u32 = 1 << 9;
    /// The client acknowledged a SYN-ACK that was not captured.
    pub const SYN_ACK_MISSED: u32 = 1 << 10;
    /// The client closed by RST after completion.
    pub const CLOSE_RST_CLIENT: u32 = 1 << 11;
    /// The server closed by RST after completion.
    pub const CLOSE_RST_SERVER: u32 = 1 << 12;
    /// The first FIN was the client's.
    pub const FIN_CLIENT_FIRST: u32 = 1 << 13;
    /// The first FIN was the server's.
    pub const FIN_SERVER_FIRST: u32 = 1 << 14;
    /// SYNs of other attempts are held ([`Rare::held`]).
    pub const HELD: u32 = 1 << 15;

    /// The last packet has no time of its own.
    pub const UNTIMED_END: u32 = 1 << 16;

    /// Copies of the SYN were captured at another hop or interface.
    pub const SYN_ELSEWHERE: u32 = 1 << 17;

    /// It is not here any more ([`crate::slab`]).
    pub const GONE: u32 = 1 << 18;

    /// It ended, and waits for its late packets.
    pub const LINGERS: u32 = 1 << 19;

    /// Any of the marks that decide an outcome.
    pub const JUDGED: u32 = Self::COMPLETED
        | Self::REFUSED
        | Self::REFUSED_WEAKLY
        | Self::RESET_BY_CLIENT
        | Self::RESET_BY_SERVER
        | Self::UNREACHABLE;

    /// How its SYN was captured.
    pub const fn syn_captured(&self) -> SynCaptured {
        if !self.is(Self::SYN_SEEN) {
            SynCaptured::Never
        } else if !self.anomalies.contains(Anomaly::CapturedTwice) {
            SynCaptured::Once
        } else if self.is(Self::SYN_ELSEWHERE) {
            SynCaptured::Elsewhere
        } else {
            SynCaptured::Twice
        }
    }

    /// Whether all bits of `mark` are set.
    pub const fn is(&self, mark: u32) -> bool {
        self.marks & mark == mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_syn_stays_small() {
        assert!(size_of::<Flow>() <= 152, "{}", size_of::<Flow>());
        assert!(size_of::<Detail>() <= 264, "{}", size_of::<Detail>());
    }

    #[test]
    fn options_survive_packing() {
        let options = SideOptions {
            tcp: SynOptions {
                mss: Some(0),
                window_scale: Some(14),
                sack_permitted: true,
                timestamps: Some((u32::MAX, 7)),
                fast_open: FastOpenOption::Cookie(16),
                mptcp: true,
                md5: false,
                ao: true,
                unknown: 3,
                incomplete: true,
                window_cut: true,
                fragmented: true,
                cut: true,
            },
            ecn: true,
            ace: 7,
            window: 65535,
        };
        assert_eq!(PackedOptions::pack(&options).unpack(), options);
        let none = SideOptions::default();
        assert_eq!(PackedOptions::pack(&none).unpack(), none);
    }

    #[test]
    fn a_stream_counts_each_byte_once_and_across_the_wrap() {
        let mut stream = Stream::default();
        stream.begin(u32::MAX - 1);
        stream.carry(u32::MAX, 10);
        stream.carry(u32::MAX, 10);
        stream.carry(5, 10);
        assert_eq!(stream.bytes, 16);
        stream.carry(5u32.wrapping_add(1 << 31), 10);
        assert_eq!(stream.bytes, 16);
    }

    #[test]
    fn a_fin_is_no_byte_in_either_order() {
        let mut stream = Stream::default();
        stream.begin(99);
        stream.carry(100, 10);
        stream.finish(110);
        stream.carry(111, 0);
        assert_eq!(stream.bytes, 10);

        let mut reordered = Stream::default();
        reordered.begin(99);
        reordered.carry(100, 10);
        reordered.carry(111, 0);
        reordered.finish(110);
        assert_eq!((reordered.bytes, reordered.end), (10, 110));
    }
}
