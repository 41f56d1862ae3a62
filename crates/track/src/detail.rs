//! What is remembered of a connection beyond its SYN.

use halfopen_wire::{Address, Segment};

use crate::believed::Believed;
use crate::fingerprint::Fingerprint;
use crate::flow::Flow;
use crate::frame_ref::FrameRef;
use crate::packed::PackedOptions;
use crate::record::Side;
use crate::state::State;
use crate::stream::{Stream, distance};

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
    /// An ACK of the other side's SYN in a simultaneous open, before the SYN-ACK that it may be for.
    pub ack: Option<(i64, FrameRef)>,
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
    /// Its transmissions and their copies (true), [`Rare::LARGEST_SYNS`] at most: they may turn out to be an attempt of their own.
    pub server_syns: Vec<(Segment, bool)>,
    /// The client's ACKs before completion for data of the server that was not captured, if that is what they are for: when
    /// the first of them came, and the last.
    pub ahead: Option<Box<((i64, FrameRef), Segment)>>,
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
    /// An RST behind both FINs: when, and what was there.
    pub reset_close: Option<(i64, State)>,
    /// The RST that ended it, where both ends may still show that it did not.
    pub believed: Option<Box<Believed>>,
}

impl Rare {
    /// A server that answers with more numbers than this is none; more of them are only counted.
    pub const LARGEST_OTHERS: usize = 8;
    /// What is sent more often than this is no attempt that anybody waits for.
    pub const LARGEST_SYNS: usize = 8;
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
                ack: None,
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
            server_syns: Vec::new(),
            ahead: None,
            proven_ns: 0,
            icmp: None,
            held: Vec::new(),
            disproved: false,
            acks_ahead: [None; 2],
            reset_close: None,
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

    /// Notes what a segment carries.
    pub fn carry(&mut self, segment: &Segment, from: Side) {
        if from == Side::Client && self.client.start.is_none() {
            // The SYN was not captured. Its SYN-ACK says where the stream begins, whichever part of it was captured first.
            let begins = |&first: &u32| distance(first, segment.seq) >= 0;
            if let Some(first) = self.server.acked.filter(begins) {
                self.client.begin(first.wrapping_sub(1));
            }
        }
        self.stream_mut(from).carry(segment.seq, segment.payload_len);
    }

    /// What few connections have, to be written.
    pub fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}
