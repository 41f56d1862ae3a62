//! A lone SYN in 64 bytes, one line of the processor's cache: a flood is made of nothing else.
//!
//! What an ordinary SYN over IPv4 says is kept as numbers; whatever does not fit (IPv6, a SYN with data, one that was sent
//! again) is kept as a whole [`Flow`] beside it. Packing and unpacking lose nothing.

use halfopen_wire::{Address, EncapId, Flags, Segment};

use crate::flow::{Fingerprint, Flow, FrameRef, PackedOptions};
use crate::key::Key;
use crate::record::{Anomalies, Anomaly, SideOptions};
use crate::state::State;

/// A connection of which nothing but one SYN was seen; with `rare`, SYNs.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Lone {
    client: u32,
    server: u32,
    client_port: u16,
    server_port: u16,
    isn: u32,
    start_ns: i64,
    frame: FrameRef,
    number_low: u32,
    number_high: u16,
    /// Both halves of an [`EncapId`] that is its own network.
    encap: u16,
    tsval: u32,
    mss: u16,
    window: u16,
    options: u16,
    ip_id: u16,
    window_scale: u8,
    ace_cookie: u8,
    ttl: u8,
    marks: u8,
    /// All of it, where the numbers are not enough; then only the frame, the number and the marks beside it count.
    rare: Option<Box<Flow>>,
}

/// An attempt that was one SYN without data and nothing else, as far as a summary asks: what a flood is made of.
#[derive(Clone, Copy, Debug)]
pub struct Unanswered {
    /// Who sent it.
    pub client: Address,
    /// To whom.
    pub server: Address,
    /// To which port.
    pub server_port: u16,
    /// When.
    pub start_ns: i64,
    /// What was odd.
    pub anomalies: Anomalies,
    /// It carried a Fast Open option.
    pub asks_fast_open: bool,
}

/// The client is the low end of the key.
const CLIENT_LOW: u8 = 1;
/// The four-tuple had been used before.
const PORT_REUSED: u8 = 2;
/// The identification was there (and not 0, which identifies nothing).
const IP_ID: u8 = 4;
/// It is not here any more.
const GONE: u8 = 8;

const fn mark(on: bool, mark: u8) -> u8 {
    if on { mark } else { 0 }
}

/// The end of a connection that an IPv4 address and a port name.
const fn end(address: u32, port: u16) -> (Address, u16) {
    (Address::from_v4(address.to_be_bytes()), port)
}

impl Lone {
    /// What stands where one was taken away.
    pub const fn gone() -> Self {
        Self {
            client: 0,
            server: 0,
            client_port: 0,
            server_port: 0,
            isn: 0,
            start_ns: 0,
            frame: FrameRef::new(0, 1),
            number_low: 0,
            number_high: 0,
            encap: 0,
            tsval: 0,
            mss: 0,
            window: 0,
            options: 0,
            ip_id: 0,
            window_scale: 0,
            ace_cookie: 0,
            ttl: 0,
            marks: GONE,
            rare: None,
        }
    }

    #[cfg(test)]
    pub fn standing(self) -> Self {
        Self { marks: 0, ..self }
    }

    /// Packs a flow without a detail.
    pub fn pack(flow: &Flow) -> Self {
        let packed = Self::numbers(flow);
        if is_ordinary(flow) {
            return packed;
        }
        Self {
            rare: Some(Box::new(flow.clone())),
            ..packed
        }
    }

    /// Packs a SYN, if it is an ordinary one, without making a flow of it first.
    pub fn of(segment: &Segment, client_low: bool, number: u64, reused: bool) -> Option<Self> {
        let options = PackedOptions::pack(&SideOptions::of(segment)?);
        let place = segment.encap.0 as u16;
        let ordinary = !segment.src.v6
            && !segment.flags.has(Flags::FIN)
            && !segment.bad_checksum
            && segment.timed
            && (segment.payload_len, segment.interface) == (0, 0)
            && (options.tsecr, options.unknown) == (0, 0)
            && segment.encap.0 >> 16 == u32::from(place)
            && number >> 48 == 0;
        let ip_id = segment.ip_id.filter(|&id| id != 0);
        ordinary.then(|| Self {
            client: segment.src.bits as u32,
            server: segment.dst.bits as u32,
            client_port: segment.src_port,
            server_port: segment.dst_port,
            isn: segment.seq,
            start_ns: segment.time_ns,
            frame: FrameRef::new(segment.file, segment.frame),
            number_low: number as u32,
            number_high: (number >> 32) as u16,
            encap: place,
            tsval: options.tsval,
            mss: options.mss,
            window: options.window,
            options: options.bits,
            ip_id: ip_id.unwrap_or(0),
            window_scale: options.window_scale,
            ace_cookie: options.ace_cookie,
            ttl: segment.ttl,
            marks: mark(client_low, CLIENT_LOW) | mark(reused, PORT_REUSED) | mark(ip_id.is_some(), IP_ID),
            rare: None,
        })
    }

    fn numbers(flow: &Flow) -> Self {
        let client_low = flow.is(Flow::CLIENT_LOW);
        let (client, client_port) = flow.key.end(client_low);
        let (server, server_port) = flow.key.end(!client_low);
        let o = &flow.client_options;
        Self {
            client: client.bits as u32,
            server: server.bits as u32,
            client_port,
            server_port,
            isn: flow.isn_client,
            start_ns: flow.start_ns,
            frame: flow.frame_syn,
            number_low: flow.number as u32,
            number_high: (flow.number >> 32) as u16,
            encap: flow.encap.0 as u16,
            tsval: o.tsval,
            mss: o.mss,
            window: o.window,
            options: o.bits,
            ip_id: flow.last_syn.ip_id,
            window_scale: o.window_scale,
            ace_cookie: o.ace_cookie,
            ttl: flow.ttl_client,
            marks: mark(client_low, CLIENT_LOW)
                | mark(flow.anomalies.contains(Anomaly::PortReused), PORT_REUSED)
                | mark(flow.last_syn.has & Fingerprint::IP_ID != 0, IP_ID),
            rare: None,
        }
    }

    /// The flow.
    pub fn unpack(&self) -> Flow {
        if let Some(flow) = &self.rare {
            return Flow::clone(flow);
        }
        let mut anomalies = Anomalies::default();
        if self.has(PORT_REUSED) {
            anomalies.insert(Anomaly::PortReused);
        }
        Flow {
            key: self.key(),
            last_ns: self.start_ns,
            isn_client: self.isn,
            marks: Flow::SYN_SEEN | if self.has(CLIENT_LOW) { Flow::CLIENT_LOW } else { 0 },
            state: State::SynSent,
            ttl_client: self.ttl,
            encap: self.encap(),
            start_ns: self.start_ns,
            number: self.number(),
            frame_syn: self.frame,
            client_options: self.options(),
            last_syn: self.fingerprint(),
            syn_data: 0,
            syn_sent: 1,
            anomalies,
        }
    }

    const fn has(&self, mark: u8) -> bool {
        self.marks & mark != 0
    }

    const fn encap(&self) -> EncapId {
        EncapId((self.encap as u32) << 16 | self.encap as u32)
    }

    const fn options(&self) -> PackedOptions {
        PackedOptions {
            tsval: self.tsval,
            tsecr: 0,
            mss: self.mss,
            window: self.window,
            bits: self.options,
            window_scale: self.window_scale,
            ace_cookie: self.ace_cookie,
            unknown: 0,
        }
    }

    fn fingerprint(&self) -> Fingerprint {
        let has_tsval = self.options & PackedOptions::TS != 0;
        Fingerprint {
            time_ns: self.start_ns,
            tsval: self.tsval,
            interface: 0,
            ip_id: self.ip_id,
            ttl: self.ttl,
            has: if self.has(IP_ID) { Fingerprint::IP_ID } else { 0 } | if has_tsval { Fingerprint::TSVAL } else { 0 },
        }
    }

    /// Who.
    pub fn key(&self) -> Key {
        if let Some(flow) = &self.rare {
            return flow.key;
        }
        let (client, client_port) = end(self.client, self.client_port);
        let (server, server_port) = end(self.server, self.server_port);
        Key::new(client, client_port, server, server_port, self.encap()).0
    }

    /// Order among all handshakes of the run; a number that does not fit is a rare one's.
    pub fn number(&self) -> u64 {
        let number = u64::from(self.number_high) << 32 | u64::from(self.number_low);
        self.rare.as_ref().map_or(number, |flow| flow.number)
    }

    /// When its SYN was sent last.
    pub fn last_ns(&self) -> i64 {
        self.rare.as_ref().map_or(self.start_ns, |flow| flow.last_ns)
    }

    /// What a summary needs of it; `None` where there is more to say. `evicted` says that it was pushed out of the table.
    pub fn unanswered(&self, evicted: bool) -> Option<Unanswered> {
        if self.rare.is_some() {
            return None;
        }
        let mut anomalies = Anomalies::default();
        let mut note = |is: bool, anomaly| {
            if is {
                anomalies.insert(anomaly);
            }
        };
        note(self.has(PORT_REUSED), Anomaly::PortReused);
        note(evicted, Anomaly::Evicted);
        note(self.options().is_incomplete(), Anomaly::OptionsDamaged);
        Some(Unanswered {
            client: Address::from_v4(self.client.to_be_bytes()),
            server: Address::from_v4(self.server.to_be_bytes()),
            server_port: self.server_port,
            start_ns: self.start_ns,
            anomalies,
            asks_fast_open: self.options().asks_fast_open(),
        })
    }

    /// Whether it was taken away.
    pub const fn is_gone(&self) -> bool {
        self.has(GONE)
    }
}

/// Whether the numbers say it all.
fn is_ordinary(flow: &Flow) -> bool {
    const MARKS: u32 = Flow::SYN_SEEN | Flow::CLIENT_LOW;
    let mut reused = Anomalies::default();
    reused.insert(Anomaly::PortReused);
    let (o, syn) = (&flow.client_options, &flow.last_syn);
    flow.marks & !Flow::CLIENT_LOW == MARKS & !Flow::CLIENT_LOW
        && flow.state == State::SynSent
        && !flow.key.end(true).0.v6
        && flow.encap.0 >> 16 == flow.encap.0 & 0xFFFF
        && (flow.anomalies == Anomalies::default() || flow.anomalies == reused)
        && (flow.syn_sent, flow.syn_data, flow.last_ns) == (1, 0, flow.start_ns)
        && (o.tsecr, o.unknown) == (0, 0)
        && flow.number >> 48 == 0
        && flow.frame_syn.is_timed()
        && (syn.time_ns, syn.tsval, syn.interface, syn.ttl) == (flow.start_ns, o.tsval, 0, flow.ttl_client)
        && (syn.has & Fingerprint::TSVAL != 0) == (o.bits & PackedOptions::TS != 0)
}

#[cfg(test)]
mod tests {
    use halfopen_wire::SynOptions;

    use super::*;

    fn segment(src: [u8; 4], dst: [u8; 4]) -> Segment {
        Segment {
            time_ns: 1_700_000_000_123_456_789,
            timed: true,
            frame: 77,
            file: 3,
            interface: 0,
            encap: EncapId(7 << 16 | 7),
            src: Address::from_v4(src),
            dst: Address::from_v4(dst),
            src_port: 40_000,
            dst_port: 443,
            seq: 0xDEAD_BEEF,
            ack: 0,
            flags: Flags(Flags::SYN),
            window: 64_240,
            payload_len: 0,
            ttl: 57,
            ip_id: Some(4711),
            bad_checksum: false,
            syn: Some(SynOptions {
                mss: Some(1460),
                window_scale: Some(7),
                sack_permitted: true,
                timestamps: Some((123_456, 0)),
                ..SynOptions::default()
            }),
        }
    }

    fn flow(s: &Segment) -> Flow {
        let (key, src_low) = Key::new(s.src, s.src_port, s.dst, s.dst_port, s.encap);
        Flow {
            key,
            start_ns: s.time_ns,
            last_ns: s.time_ns,
            number: 1 << 33,
            frame_syn: FrameRef::of(s),
            last_syn: Fingerprint::of(s),
            client_options: SideOptions::of(s).map(|o| PackedOptions::pack(&o)).unwrap_or_default(),
            isn_client: s.seq,
            syn_data: s.payload_len,
            syn_sent: 1,
            anomalies: Anomalies::default(),
            encap: s.encap,
            state: State::SynSent,
            marks: Flow::SYN_SEEN | if src_low { Flow::CLIENT_LOW } else { 0 },
            ttl_client: s.ttl,
        }
    }

    fn assert_kept(flow: &Flow, ordinary: bool) {
        let lone = Lone::pack(flow);
        assert_eq!(lone.rare.is_none(), ordinary, "{flow:?}");
        assert_eq!(lone.unpack(), *flow);
        assert_eq!((lone.key(), lone.last_ns()), (flow.key, flow.last_ns));
    }

    /// The short way and the long one agree.
    fn assert_same(s: &Segment, ordinary: bool) {
        let (_, src_low) = Key::new(s.src, s.src_port, s.dst, s.dst_port, s.encap);
        let lone = Lone::of(s, src_low, 1 << 33, false);
        assert_eq!(lone.map(|l| l.unpack()), ordinary.then(|| flow(s)), "{s:?}");
        assert_kept(&flow(s), ordinary);
    }

    #[test]
    fn it_is_one_cache_line() {
        assert_eq!(size_of::<Lone>(), 64);
    }

    #[test]
    fn ordinary_syns_are_kept_as_numbers() {
        let (low, high) = ([10, 0, 0, 1], [198, 51, 100, 7]);
        assert_same(&segment(low, high), true);
        assert_same(&segment(high, low), true);
        let bare = Segment {
            ip_id: Some(0),
            syn: Some(SynOptions::default()),
            encap: EncapId::NONE,
            ..segment(low, high)
        };
        assert_same(&bare, true);
        let mut reused = flow(&bare);
        reused.anomalies.insert(Anomaly::PortReused);
        assert_kept(&reused, true);
    }

    #[test]
    fn all_others_are_kept_whole() {
        let s = segment([10, 0, 0, 1], [198, 51, 100, 7]);
        let v6 = Segment {
            src: Address {
                v6: true,
                bits: 1 << 100,
            },
            dst: Address { v6: true, bits: 7 },
            ..s
        };
        let mpls = Segment { encap: EncapId(9), ..s };
        let data = Segment { payload_len: 8, ..s };
        let elsewhere = Segment { interface: 2, ..s };
        let mut echo = s;
        if let Some(options) = &mut echo.syn {
            options.timestamps = Some((1, 2));
        }
        let mut unknown = s;
        if let Some(options) = &mut unknown.syn {
            options.unknown = 1;
        }
        let untimed = Segment { timed: false, ..s };
        for s in [v6, mpls, data, elsewhere, echo, unknown, untimed] {
            assert_same(&s, false);
        }
        let first = flow(&s);
        let again = Flow {
            syn_sent: 2,
            last_ns: first.start_ns + 1,
            ..first.clone()
        };
        let mut twice = first.clone();
        twice.anomalies.insert(Anomaly::CapturedTwice);
        let later = Flow {
            number: 1 << 50,
            ..first
        };
        for flow in [again, twice, later] {
            assert_kept(&flow, false);
        }
    }
}
