//! Handshakes for tests, written down packet by packet.

use halfopen_track::{Key, Outcome};
use halfopen_wire::{Address, EncapId};

use super::collect::Point;
use super::seen::{Kind, Seen, Sent};

/// xorshift64: the same numbers in every run.
pub struct Random(pub u64);

impl Random {
    /// A number from 0 to `limit` - 1.
    pub fn below(&mut self, limit: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 1) as i64 % limit
    }
}

pub const MILLI: i64 = 1_000_000;

/// A client (10.0.0.1, the low end) and its server (10.0.0.2).
pub fn handshake(port: u16, isn: u32, packets: &[Sent]) -> Seen {
    let (client, server) = (Address::from_v4([10, 0, 0, 1]), Address::from_v4([10, 0, 0, 2]));
    let (key, client_low) = Key::new(client, port, server, 443, EncapId::NONE);
    let answered = packets.iter().any(|p| p.kind == Kind::SynAck);
    let done = packets.iter().any(|p| p.kind == Kind::Ack);
    Seen {
        key,
        client_low,
        number: u64::from(port),
        start_ns: packets.first().map_or(0, |p| p.time_ns),
        outcome: match (answered, done) {
            (_, true) => Outcome::Established,
            (true, false) => Outcome::HalfOpen,
            (false, false) => Outcome::Unanswered,
        },
        isn: [Some(isn), answered.then_some(9_000)],
        packets: packets.into(),
        omitted: 0,
    }
}

/// A packet at a time in milliseconds, without marks.
pub fn sent(kind: Kind, at_ms: i64) -> Sent {
    let (seq, ack) = match kind {
        Kind::Syn => (1_000, 0),
        Kind::SynAck => (9_000, 1_001),
        Kind::Ack | Kind::Data | Kind::Rst => (1_001, 9_001),
    };
    Sent {
        time_ns: at_ms * MILLI,
        frame: at_ms.unsigned_abs(),
        file: 0,
        kind,
        from_low: kind != Kind::SynAck,
        seq,
        ack,
        tsval: None,
        ip_id: None,
        ttl: 64,
        opening: true,
        copy: false,
    }
}

/// The same with an IP identification.
pub fn marked(kind: Kind, at_ms: i64, ip_id: u16) -> Sent {
    Sent {
        ip_id: Some(ip_id),
        ..sent(kind, at_ms)
    }
}

/// A capture that runs from 0 to 100 s.
pub fn point(seen: Vec<Seen>) -> Point {
    Point {
        inputs: Vec::new(),
        packets: 0,
        tcp_segments: 0,
        first_ns: Some(0),
        last_ns: Some(100_000 * MILLI),
        handshakes: seen.len() as u64,
        evicted: 0,
        seen,
        level: 0,
    }
}
