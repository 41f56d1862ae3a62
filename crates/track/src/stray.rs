//! Packets that came without a flow, kept for as long as the capture may have put them before their own SYN.
//!
//! Taps of several queues are not ordered (packet(7)): an ACK, an RST or an ICMP error can be captured some milliseconds
//! before the SYN that it is about. What was counted for it must be taken back when its flow begins after all.

use halfopen_wire::Packet;

use crate::reorder::close_in_time;

/// What a stray was counted as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counted {
    /// The first segment of a connection from before the capture.
    Midstream,
    /// Another segment of one.
    MidstreamSegment,
    /// A late segment of a connection that is over.
    Late,
    /// Nothing: ICMP.
    Not,
}

/// How many are kept. Swapped packets lie next to each other.
const ROOM: usize = 32;

/// The last strays, in a ring.
#[derive(Debug)]
pub struct Strays {
    /// Hashes of their keys; 0 for an empty place. Apart, so that a look-up reads four lines of the cache.
    hashes: [u64; ROOM],
    packets: [(Packet, Counted); ROOM],
    next: usize,
    newest_ns: i64,
}

impl Default for Strays {
    fn default() -> Self {
        Self {
            hashes: [0; ROOM],
            packets: [(Packet::Other, Counted::Not); ROOM],
            next: 0,
            newest_ns: i64::MIN,
        }
    }
}

const fn time_ns(packet: &Packet) -> i64 {
    match packet {
        Packet::Tcp(segment) => segment.time_ns,
        Packet::Icmp(error) => error.time_ns,
        Packet::Other => i64::MIN,
    }
}

impl Strays {
    /// Keeps one; the oldest makes room.
    pub const fn put(&mut self, hash: u64, packet: Packet, counted: Counted) {
        self.newest_ns = time_ns(&packet);
        self.hashes[self.next] = hash;
        self.packets[self.next] = (packet, counted);
        self.next = (self.next + 1) % ROOM;
    }

    /// Takes out those of one four-tuple that are as close to `now_ns` as swapped packets, in the order in which they came.
    pub fn take(&mut self, hash: u64, now_ns: i64) -> Vec<(Packet, Counted)> {
        let is_close = |ns: i64| close_in_time(now_ns, ns);
        if !is_close(self.newest_ns) || !self.hashes.contains(&hash) {
            return Vec::new();
        }
        let mut taken = Vec::new();
        for place in (0..ROOM).map(|i| (self.next + i) % ROOM) {
            if self.hashes[place] == hash && is_close(time_ns(&self.packets[place].0)) {
                self.hashes[place] = 0;
                taken.push(self.packets[place]);
            }
        }
        taken
    }
}
