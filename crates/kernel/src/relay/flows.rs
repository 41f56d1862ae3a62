//! Which segment of its connection a packet is: the part of a fault that needs memory.

use std::collections::HashMap;
use std::net::SocketAddr;

use halfopen_wire::Flags;

use crate::packet::Tcp;

/// Connections that are told apart at once. The oldest half is forgotten when there are more.
pub const FLOWS_MAX: usize = 1 << 18;

/// What a packet is to its handshake.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// SYN without ACK.
    Syn,
    /// SYN with ACK.
    SynAck,
    /// The client's ACK of the SYN-ACK, without data, each time it is sent.
    FinalAck,
    /// Carries data, and neither SYN nor RST.
    Data,
    /// Carries FIN.
    Fin,
    /// Carries RST.
    Rst,
    /// Any other ACK.
    Ack,
    /// No TCP.
    Other,
}

impl Kind {
    /// Every kind with its name.
    pub const NAMES: [(Self, &'static str); 8] = [
        (Self::Syn, "syn"),
        (Self::SynAck, "syn_ack"),
        (Self::FinalAck, "final_ack"),
        (Self::Data, "data"),
        (Self::Fin, "fin"),
        (Self::Rst, "rst"),
        (Self::Ack, "ack"),
        (Self::Other, "other"),
    ];

    /// `syn`, `syn_ack`, …
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("other", |(_, name)| name)
    }
}

/// A connection, the same for both directions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FlowKey(SocketAddr, SocketAddr);

impl FlowKey {
    /// Of a segment.
    pub fn of(tcp: &Tcp) -> Self {
        Self(tcp.source.min(tcp.destination), tcp.source.max(tcp.destination))
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Numbers {
    born: u64,
    client: u32,
    server: Option<u32>,
}

/// The handshakes that passed.
#[derive(Debug, Default)]
pub struct Flows {
    flows: HashMap<FlowKey, Numbers>,
    clock: u64,
}

impl Flows {
    /// What `tcp` is to its connection.
    pub fn kind(&mut self, tcp: &Tcp) -> Kind {
        let flags = tcp.flags;
        if flags.has(Flags::RST) {
            Kind::Rst
        } else if flags.has(Flags::SYN | Flags::ACK) {
            if let Some(numbers) = self.flows.get_mut(&FlowKey::of(tcp)) {
                numbers.server = Some(tcp.seq);
            }
            Kind::SynAck
        } else if flags.has(Flags::SYN) {
            self.remember(tcp);
            Kind::Syn
        } else if flags.has(Flags::FIN) {
            Kind::Fin
        } else if tcp.payload_len > 0 {
            Kind::Data
        } else if self.completes(tcp) {
            Kind::FinalAck
        } else {
            Kind::Ack
        }
    }

    fn remember(&mut self, tcp: &Tcp) {
        if self.flows.len() >= FLOWS_MAX {
            let half = self.clock.saturating_sub(FLOWS_MAX as u64 / 2);
            self.flows.retain(|_, numbers| numbers.born >= half);
        }
        self.clock += 1;
        let born = self.clock;
        let fresh = Numbers {
            born,
            client: tcp.seq,
            server: None,
        };
        self.flows
            .entry(FlowKey::of(tcp))
            .and_modify(|old| {
                if old.client != tcp.seq {
                    *old = fresh;
                }
            })
            .or_insert(fresh);
    }

    fn completes(&self, tcp: &Tcp) -> bool {
        self.flows.get(&FlowKey::of(tcp)).is_some_and(|numbers| {
            tcp.seq == numbers.client.wrapping_add(1)
                && numbers.server.is_some_and(|server| tcp.ack == server.wrapping_add(1))
        })
    }
}
