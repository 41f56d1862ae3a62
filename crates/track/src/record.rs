//! The record `halfopen.handshake/1` as the tracker makes it: integers and enums, one value a handshake.
//!
//! Names and meanings are the contract of the JSON, CSV, Parquet and Arrow outputs. Unknown is `None`, never 0.

use halfopen_wire::{Address, EncapId, FastOpenOption, Segment, SynOptions};

use crate::named::named;

named! {
    /// How an attempt ended.
    Outcome {
        /// The client's ACK acknowledged the server's SYN.
        Established "established",
        /// RST in answer to the SYN.
        Refused "refused",
        /// ICMP error in answer to the SYN.
        Unreachable "unreachable",
        /// No answer to the SYN was seen.
        Unanswered "unanswered",
        /// SYN-ACK sent, its ACK never seen.
        HalfOpen "half_open",
        /// The client's RST before completion.
        ResetByClient "reset_by_client",
        /// The server's RST after its SYN-ACK, before completion.
        ResetByServer "reset_by_server",
        /// The caller of `connect()` gave up (live and probe only).
        Timeout "timeout",
        /// The capture starts inside the handshake.
        Partial "partial",
    }
}

named! {
    /// One of the two ends.
    Side {
        /// The side that sent the first SYN.
        Client "client",
        /// The other.
        Server "server",
    }
}

impl Side {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

named! {
    /// How the connection ended.
    Close {
        /// By FIN.
        Fin "fin",
        /// By RST.
        Rst "rst",
    }
}

named! {
    /// Which end is left with TIME_WAIT, RFC 9293 section 3.6.
    TimeWait {
        /// The client closed first.
        Client "client",
        /// The server closed first.
        Server "server",
        /// Simultaneous close.
        Both "both",
    }
}

named! {
    /// What became of Fast Open, RFC 7413.
    FastOpen {
        /// The SYN asked for a cookie or carried one, and the capture does not show what came of it.
        Requested "requested",
        /// The SYN-ACK carried a cookie.
        Granted "granted",
        /// The SYN-ACK acknowledged the data in the SYN.
        Accepted "accepted",
        /// The server answered as if the option were not there.
        Ignored "ignored",
    }
}

named! {
    /// What was odd about a handshake. A closed list; `docs/anomalies.md` explains each.
    Anomaly {
        /// A SYN-ACK acknowledged something other than the client's ISN + 1 (or its SYN data).
        SynAckWrongAck "syn_ack_wrong_ack",
        /// An ACK before completion acknowledged something other than the server's ISN + 1.
        AckWrongAck "ack_wrong_ack",
        /// The server answered with two different initial sequence numbers.
        IsnChanged "isn_changed",
        /// An option of the SYN (window scale, SACK, timestamps) is missing in the SYN-ACK although the peer commonly has it.
        OptionStripped "option_stripped",
        /// The SYN was sent again.
        SynRetransmitted "syn_retransmitted",
        /// The SYN-ACK was sent again.
        SynAckRetransmitted "syn_ack_retransmitted",
        /// The four-tuple had been used before in this capture.
        PortReused "port_reused",
        /// The TTL of one side changed within the handshake.
        TtlJump "ttl_jump",
        /// A segment of the handshake has a wrong TCP checksum (only when verified).
        BadChecksum "bad_checksum",
        /// Packets were captured in another order than they were sent.
        Reordered "reordered",
        /// Packets were captured twice.
        CapturedTwice "captured_twice",
        /// Only one direction of the connection is in the capture.
        OneDirectionCaptured "one_direction_captured",
        /// The SYN-ACK is missing in the capture, though later packets prove it.
        SynAckNotCaptured "syn_ack_not_captured",
        /// The final ACK is missing in the capture, though later packets prove it.
        AckNotCaptured "ack_not_captured",
        /// Data in a SYN that carries no Fast Open option.
        SynDataWithoutFastOpen "syn_data_without_fast_open",
        /// SYN data was not acknowledged and had to be sent again.
        FastOpenFallback "fast_open_fallback",
        /// The server answered the SYN with a SYN of its own, which the client acknowledged (four-way handshake).
        SplitHandshake "split_handshake",
        /// The retransmitted SYN had its ECN bits cleared (fallback, RFC 3168 section 6.1.1.1).
        EcnFallback "ecn_fallback",
        /// A SYN with FIN set. (With RST set it begins nothing.)
        SynWithFinOrRst "syn_with_fin_or_rst",
        /// An RST whose sequence or acknowledgment number does not fit was not believed.
        BlindReset "blind_reset",
        /// A SYN inside the open connection was not believed: its sender went on with the connection (RFC 5961 section 4).
        BlindSyn "blind_syn",
        /// A SYN or SYN-ACK whose options could not be read to their end.
        OptionsDamaged "options_damaged",
        /// The flow table was full; the attempt was judged by what had been seen until then.
        Evicted "evicted",
    }
}

/// A set of [`Anomaly`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Anomalies(pub u32);

impl Anomalies {
    /// This one, if it is there.
    #[must_use]
    pub const fn only(self, anomaly: Anomaly) -> Self {
        Self(self.0 & 1 << anomaly as u32)
    }

    /// Adds one.
    pub fn insert(&mut self, anomaly: Anomaly) {
        self.0 |= 1 << anomaly as u32;
    }

    /// Takes one out.
    pub const fn remove(&mut self, anomaly: Anomaly) {
        self.0 &= !(1 << anomaly as u32);
    }

    /// Whether it is in the set.
    pub const fn contains(self, anomaly: Anomaly) -> bool {
        self.0 & (1 << anomaly as u32) != 0
    }

    /// The members, in declaration order.
    pub fn iter(self) -> impl Iterator<Item = Anomaly> {
        Anomaly::ALL.iter().copied().filter(move |&a| self.contains(a))
    }
}

/// What one side offered in its SYN or SYN-ACK.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SideOptions {
    /// The TCP options.
    pub tcp: SynOptions,
    /// An ECN set-up SYN (ECE and CWR, RFC 3168) or SYN-ACK (ECE alone), or any `AccECN` set-up (RFC 9768).
    pub ecn: bool,
    /// The three bits AE, CWR, ECE as a number 0 to 7, RFC 9768 section 3.1.1.
    pub ace: u8,
    /// Window field of the segment, unscaled.
    pub window: u16,
}

/// One attempt to open a connection, its retransmissions included. Times in nanoseconds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handshake {
    /// Index of the input file that holds the first packet.
    pub file: u32,
    /// Order of the first packet among all handshakes of the run, from 1: the number that `--ladder` takes.
    pub number: u64,
    /// Time of the first SYN; of the first packet where no SYN was captured.
    pub start_ns: i64,
    /// Whether that packet has a time of its own. If not, `start_ns` is that of the packet before it, and only orders.
    pub timed: bool,
    /// The side that sent the first SYN.
    pub client: Address,
    /// Its port.
    pub client_port: u16,
    /// The other side.
    pub server: Address,
    /// Its port.
    pub server_port: u16,
    /// Tags and tunnels.
    pub encap: EncapId,
    /// How it ended.
    pub outcome: Outcome,
    /// Transmissions of the SYN, the first included.
    pub syn_sent: u32,
    /// Transmissions of the SYN-ACK, the first included.
    pub syn_ack_sent: u32,
    /// First SYN to first valid SYN-ACK.
    pub syn_to_syn_ack_ns: Option<i64>,
    /// First valid SYN-ACK to the client's ACK of it.
    pub syn_ack_to_ack_ns: Option<i64>,
    /// First SYN to that ACK.
    pub handshake_ns: Option<i64>,
    /// First SYN to the SYN that was answered; 0 when the first one was. `None` without an answer.
    pub retransmit_wait_ns: Option<i64>,
    /// Of the first SYN.
    pub client_options: Option<SideOptions>,
    /// Of the first valid SYN-ACK (or the SYN of the other side).
    pub server_options: Option<SideOptions>,
    /// Initial sequence number of the client.
    pub isn_client: Option<u32>,
    /// Initial sequence number of the server.
    pub isn_server: Option<u32>,
    /// Data in the first SYN, bytes; `None` when no SYN was captured.
    pub syn_data_bytes: Option<u32>,
    /// Fast Open, when the SYN asked for it.
    pub fast_open: Option<FastOpen>,
    /// Both sides sent a SYN, RFC 9293 section 3.5.
    pub simultaneous: bool,
    /// First to last packet seen of the connection.
    pub duration_ns: Option<i64>,
    /// Stream bytes of the client, as far as seen.
    pub client_bytes: u64,
    /// Stream bytes of the server, as far as seen.
    pub server_bytes: u64,
    /// Who closed first.
    pub closed_by: Option<Side>,
    /// By FIN or RST.
    pub close: Option<Close>,
    /// Who is left with `TIME_WAIT`.
    pub time_wait: Option<TimeWait>,
    /// What was odd.
    pub anomalies: Anomalies,
    /// TTL or hop limit of the client's first SYN; of its first packet where no SYN was captured.
    pub ttl_client: Option<u8>,
    /// TTL or hop limit of the server's first valid SYN-ACK; of its first packet where none was captured.
    pub ttl_server: Option<u8>,
    /// 1-based frame number of the first SYN in `file`; `None` when it was not captured.
    pub frame_syn: Option<u64>,
    /// Frame of the first valid SYN-ACK; `None` also when it lies in another file than `file`.
    pub frame_syn_ack: Option<u64>,
    /// Frame of the ACK that completed it; `None` also when it lies in another file than `file`.
    pub frame_ack: Option<u64>,
    /// ICMP type and code that ended it, and who sent the error.
    pub icmp: Option<(u8, u8, Address)>,
}

impl SideOptions {
    /// What a SYN or SYN-ACK offers; `None` for another segment.
    pub fn of(segment: &Segment) -> Option<Self> {
        use halfopen_wire::Flags;
        let tcp = segment.syn?;
        let f = segment.flags;
        let ace = u8::from(f.has(Flags::AE)) << 2 | u8::from(f.has(Flags::CWR)) << 1 | u8::from(f.has(Flags::ECE));
        let ecn = if f.has(Flags::ACK) {
            // RFC 3168 6.1.1: ECE alone. RFC 9768 table 2: 010, 011, 100 and 110 answer an AccECN SYN.
            matches!(ace, 0b001 | 0b010 | 0b011 | 0b100 | 0b110)
        } else {
            matches!(ace, 0b011 | 0b111)
        };
        Some(Self {
            tcp,
            ecn,
            ace,
            window: segment.window,
        })
    }

    /// `request`, `cookie` or nothing, as in the record.
    pub const fn fast_open_name(&self) -> Option<&'static str> {
        match self.tcp.fast_open {
            FastOpenOption::Absent => None,
            FastOpenOption::Request => Some("request"),
            FastOpenOption::Cookie(_) => Some("cookie"),
        }
    }
}
