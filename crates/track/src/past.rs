//! Attempts that made room for the next one on their four-tuple. What a second capture point, far away, still shows of them
//! is not of the next one.

use halfopen_wire::{Flags, Segment};

use crate::classify::{opens, within};
use crate::detail::Detail;
use crate::fingerprint::Fingerprint;
use crate::flow::Flow;
use crate::state::Class;

/// No second capture comes later: [`Fingerprint`] believes none either.
const LATE_NS: i64 = 900_000_000;
/// How many are remembered: the latest.
const ROOM: usize = 16;

/// The numbers of one.
#[derive(Clone, Copy, Debug)]
struct Past {
    last_ns: i64,
    client_low: bool,
    /// Initial sequence number, and what the next segment would have.
    client: (u32, u32),
    server: Option<(u32, u32)>,
    syn: Fingerprint,
}

/// The latest of them, in a ring.
#[derive(Debug)]
pub struct Pasts {
    /// Hashes of their keys.
    hashes: [u64; ROOM],
    all: [Option<Past>; ROOM],
    next: usize,
    newest_ns: i64,
}

impl Default for Pasts {
    fn default() -> Self {
        Self {
            hashes: [0; ROOM],
            all: [None; ROOM],
            next: 0,
            newest_ns: i64::MIN,
        }
    }
}

impl Pasts {
    /// Remembers a flow that ends now, where its SYN was captured.
    pub fn put(&mut self, hash: u64, flow: &Flow, detail: Option<&Detail>, now_ns: i64) {
        if !flow.is(Flow::SYN_SEEN) {
            return;
        }
        let client_next = detail.filter(|d| d.client.start.is_some()).map(|d| d.client.next());
        let client_next = client_next.unwrap_or_else(|| flow.isn_client.wrapping_add(1).wrapping_add(flow.syn_data));
        let server = detail.and_then(|d| d.isn_server.map(|isn| (isn, d.server.next())));
        self.hashes[self.next] = hash;
        self.all[self.next] = Some(Past {
            last_ns: flow.last_ns,
            client_low: flow.is(Flow::CLIENT_LOW),
            client: (flow.isn_client, client_next),
            server,
            syn: flow.last_syn,
        });
        self.next = (self.next + 1) % ROOM;
        self.newest_ns = now_ns;
    }

    /// Whether a segment on the same four-tuple is of one of them.
    #[inline]
    pub fn has(&self, hash: u64, segment: &Segment, src_low: bool) -> bool {
        is_soon(self.newest_ns, segment) && self.look(hash, segment, src_low)
    }

    #[cold]
    fn look(&self, hash: u64, segment: &Segment, src_low: bool) -> bool {
        let known = self.hashes.iter().zip(&self.all).filter(|(h, _)| **h == hash);
        known
            .filter_map(|(_, past)| past.as_ref())
            .any(|past| is_soon(past.last_ns, segment) && past.is_of(segment, src_low == past.client_low))
    }
}

fn is_soon(before_ns: i64, segment: &Segment) -> bool {
    segment.timed && segment.time_ns.saturating_sub(before_ns).saturating_abs() <= LATE_NS
}

impl Past {
    /// Whether the numbers are those of this one.
    fn is_of(&self, segment: &Segment, from_client: bool) -> bool {
        let behind = |(isn, next): (u32, u32), number: u32| {
            let first = isn.wrapping_add(1);
            within(first, number, next.wrapping_sub(first))
        };
        let acks = segment.flags.has(Flags::ACK);
        match (opens(segment.flags), from_client) {
            (Some(Class::Syn), true) => {
                segment.seq == self.client.0 && self.syn.is_copied_syn(&Fingerprint::of(segment))
            }
            (Some(Class::Syn), false) | (Some(_), true) => false,
            (Some(_), false) => {
                self.server.is_some_and(|(isn, _)| isn == segment.seq) && behind(self.client, segment.ack)
            }
            (None, true) => {
                let fits = |server| !acks || behind(server, segment.ack);
                behind(self.client, segment.seq) && self.server.is_none_or(fits)
            }
            (None, false) => {
                let fits = |server| behind(server, segment.seq);
                acks && behind(self.client, segment.ack) && self.server.is_none_or(fits)
            }
        }
    }
}
