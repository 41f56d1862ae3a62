//! What the summary costs for each handshake: `cargo run --release -p halfopen-track --example summary_cost`.
//!
//! Two streams, of the shape of the large captures: a flood of unanswered SYNs from random addresses at two ports, and
//! completed handshakes of 72 clients with 800 endpoints in random order. Making the records is measured alone and taken off.

use std::time::{Duration, Instant};

use halfopen_track::summary::Summary;
use halfopen_track::summary::json::JsonLimits;
use halfopen_track::{Anomalies, Handshake, Outcome, Sink};
use halfopen_wire::{Address, EncapId};

/// xorshift64* (Vigna 2016): good enough to spread addresses.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: u64) -> u64 {
        ((self.next() >> 32) * n) >> 32
    }
}

fn blank() -> Handshake {
    Handshake {
        file: 0,
        number: 0,
        start_ns: 0,
        timed: true,
        client: Address::from_v4([0; 4]),
        client_port: 1024,
        server: Address::from_v4([198, 51, 100, 1]),
        server_port: 80,
        encap: EncapId::NONE,
        outcome: Outcome::Unanswered,
        syn_sent: 1,
        syn_ack_sent: 0,
        syn_to_syn_ack_ns: None,
        syn_ack_to_ack_ns: None,
        handshake_ns: None,
        retransmit_wait_ns: None,
        client_options: None,
        server_options: None,
        isn_client: Some(0),
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

fn spoofed(h: &mut Handshake, i: u64, random: &mut Random) {
    h.start_ns = 1_700_000_000_000_000_000 + i as i64 * 1600;
    h.client.bits = u128::from(random.next() >> 32);
    h.server_port = if random.below(10) < 9 { 80 } else { 443 };
}

fn completed(h: &mut Handshake, i: u64, random: &mut Random) {
    let (before, after) = (
        150_000 + random.below(100_000_000) as i64,
        20_000 + random.below(400_000) as i64,
    );
    h.start_ns = 1_700_000_000_000_000_000 + i as i64 * 60_000;
    h.client.bits = u128::from(i / 28_000);
    h.server.bits = u128::from(random.below(200));
    h.server_port = [80, 443, 22, 5432][random.below(4) as usize];
    h.outcome = Outcome::Established;
    h.syn_ack_sent = 1;
    h.syn_to_syn_ack_ns = Some(before);
    h.syn_ack_to_ack_ns = Some(after);
    h.handshake_ns = Some(before + after);
    h.retransmit_wait_ns = Some(0);
    h.ttl_server = Some(57);
}

struct Nothing(u64);

impl Sink for Nothing {
    fn handshake(&mut self, h: &Handshake) {
        self.0 = self.0.wrapping_add(std::hint::black_box(h).client.bits as u64);
    }
}

fn run(n: u64, make: fn(&mut Handshake, u64, &mut Random), sink: &mut impl Sink) -> Duration {
    let (mut random, mut handshake, start) = (Random(88_172_645_463_325_252), blank(), Instant::now());
    for i in 0..n {
        make(&mut handshake, i, &mut random);
        sink.handshake(&handshake);
    }
    start.elapsed()
}

fn main() {
    for (name, n, make) in [
        ("flood", 10_000_000, spoofed as fn(&mut _, _, &mut _)),
        ("completed", 2_000_000, completed),
    ] {
        let idle = run(n, make, &mut Nothing(0));
        let mut summary = Summary::default();
        let busy = run(n, make, &mut summary).saturating_sub(idle);
        let start = Instant::now();
        let json = summary.to_json(JsonLimits::default());
        let (each, written) = (busy.as_nanos() as f64 / n as f64, start.elapsed());
        println!(
            "{name}: {each:.1} ns a handshake; {} bytes of JSON in {written:?}",
            json.len()
        );
    }
}
