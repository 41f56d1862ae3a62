//! Handshakes for tests.

use halfopen_wire::{Address, EncapId};

use crate::{Anomalies, Handshake, Outcome};

/// 2023-11-14 22:13:20 UTC.
pub const T0: i64 = 1_700_000_000_000_000_000;

/// An attempt of 10.0.0.1 at 10.9.9.9:443 with one SYN, and no times.
pub fn handshake(outcome: Outcome) -> Handshake {
    Handshake {
        file: 0,
        number: 1,
        start_ns: T0,
        timed: true,
        client: Address::from_v4([10, 0, 0, 1]),
        client_port: 40_000,
        server: Address::from_v4([10, 9, 9, 9]),
        server_port: 443,
        encap: EncapId::NONE,
        outcome,
        syn_sent: 1,
        syn_ack_sent: 0,
        syn_to_syn_ack_ns: None,
        syn_ack_to_ack_ns: None,
        handshake_ns: None,
        retransmit_wait_ns: None,
        client_options: None,
        server_options: None,
        isn_client: Some(1),
        isn_server: None,
        syn_data_bytes: Some(0),
        fast_open: None,
        simultaneous: false,
        duration_ns: None,
        client_bytes: 0,
        server_bytes: 0,
        closed_by: None,
        close: None,
        time_wait: None,
        anomalies: Anomalies::default(),
        ttl_client: Some(64),
        ttl_server: None,
        frame_syn: Some(1),
        frame_syn_ack: None,
        frame_ack: None,
        icmp: None,
    }
}

/// A completed one with the two parts given in microseconds.
pub fn established(syn_to_syn_ack_us: i64, syn_ack_to_ack_us: i64) -> Handshake {
    Handshake {
        syn_ack_sent: 1,
        syn_to_syn_ack_ns: Some(syn_to_syn_ack_us * 1000),
        syn_ack_to_ack_ns: Some(syn_ack_to_ack_us * 1000),
        handshake_ns: Some((syn_to_syn_ack_us + syn_ack_to_ack_us) * 1000),
        retransmit_wait_ns: Some(0),
        ttl_server: Some(57),
        ..handshake(Outcome::Established)
    }
}
