//! What is remembered of one connection while it is tracked.
//!
//! Two structures, because a SYN flood must be cheap: [`Flow`] is all that a lone SYN needs; [`crate::detail::Detail`] is
//! added when anything else happens.

use halfopen_wire::{EncapId, Segment};

use crate::fingerprint::{Fingerprint, SynCaptured};
use crate::frame_ref::FrameRef;
use crate::key::Key;
use crate::packed::PackedOptions;
use crate::record::{Anomalies, Anomaly};
use crate::state::State;

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
    /// SYNs of other attempts are held ([`crate::detail::Rare::held`]).
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
    pub const JUDGED: u32 =
        Self::COMPLETED | Self::REFUSED | Self::RESET_BY_CLIENT | Self::RESET_BY_SERVER | Self::UNREACHABLE;

    /// It begins with this SYN.
    pub fn take_syn(&mut self, syn: &Segment) {
        self.start_ns = syn.time_ns;
        self.frame_syn = FrameRef::of(syn);
        self.encap = syn.encap;
        self.last_syn = Fingerprint::of(syn);
        self.isn_client = syn.seq;
        self.syn_data = syn.payload_len;
        self.ttl_client = syn.ttl;
        self.client_options = PackedOptions::of(syn).unwrap_or_default();
    }

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
    use crate::detail::Detail;

    #[test]
    fn a_lone_syn_stays_small() {
        assert!(size_of::<Flow>() <= 152, "{}", size_of::<Flow>());
        assert!(size_of::<Detail>() <= 264, "{}", size_of::<Detail>());
    }
}
