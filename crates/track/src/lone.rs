//! A lone SYN in 64 bytes, one line of the processor's cache (80 over IPv6): a flood is made of nothing else.
//!
//! What an ordinary SYN says is kept as numbers; whatever does not fit (a SYN with data, one that was sent again) is kept as a
//! whole [`Flow`] elsewhere. Packing and unpacking lose nothing.

use halfopen_wire::{Address, EncapId, Flags, Segment};

use crate::fingerprint::Fingerprint;
use crate::flow::Flow;
use crate::frame_ref::FrameRef;
use crate::key::Key;
use crate::packed::PackedOptions;
use crate::record::{Anomalies, Anomaly};
use crate::state::State;

/// A connection of which nothing but one ordinary SYN was seen. The server's address, where it is one of IPv6, stands beside it:
/// it is what the functions below call `wide`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Lone {
    /// Upper and lower half of the client's address; over IPv4, server and client.
    addresses: [u64; 2],
    start_ns: i64,
    frame: FrameRef,
    isn: u32,
    number_low: u32,
    tsval: u32,
    client_port: u16,
    server_port: u16,
    number_high: u16,
    /// Both halves of an [`EncapId`] that is its own network.
    encap: u16,
    mss: u16,
    window: u16,
    options: u16,
    ip_id: u16,
    window_scale: u8,
    ace_cookie: u8,
    ttl: u8,
    marks: u8,
}

/// What one SYN said.
#[derive(Clone, Debug)]
pub enum Syn {
    /// An ordinary one, with its wide part.
    Ordinary(Lone, u128),
    /// All that is known, where the numbers are not enough.
    Rare(Box<Flow>),
}

impl Syn {
    /// Packs a flow without a detail.
    pub fn of(flow: &Flow) -> Self {
        match Lone::pack(flow) {
            Some((lone, wide)) => Self::Ordinary(lone, wide),
            None => Self::Rare(Box::new(flow.clone())),
        }
    }

    /// The flow.
    #[cfg(test)]
    pub fn unpack(self) -> Flow {
        match self {
            Self::Ordinary(lone, wide) => lone.unpack(wide),
            Self::Rare(flow) => *flow,
        }
    }
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
/// Its entry in the index stands apart ([`crate::index`]).
const APART: u8 = 16;
/// Over IPv6.
const V6: u8 = 32;
/// What is known of it is kept elsewhere.
const RARE: u8 = 64;

const fn mark(on: bool, mark: u8) -> u8 {
    if on { mark } else { 0 }
}

/// Both addresses, as [`Lone`] keeps them, and the wide part.
const fn pack_addresses(client: Address, server: Address) -> ([u64; 2], u128) {
    if client.v6 {
        ([(client.bits >> 64) as u64, client.bits as u64], server.bits)
    } else {
        ([server.bits as u64, client.bits as u64], 0)
    }
}

impl Lone {
    /// What stands where one is kept elsewhere.
    pub const RARE: Self = Self::placeholder(RARE);

    const fn placeholder(marks: u8) -> Self {
        Self {
            addresses: [0; 2],
            start_ns: 0,
            frame: FrameRef::new(0, 1),
            isn: 0,
            number_low: 0,
            tsval: 0,
            client_port: 0,
            server_port: 0,
            number_high: 0,
            encap: 0,
            mss: 0,
            window: 0,
            options: 0,
            ip_id: 0,
            window_scale: 0,
            ace_cookie: 0,
            ttl: 0,
            marks,
        }
    }

    #[cfg(test)]
    pub const fn numbered(n: u32) -> Self {
        Self {
            isn: n,
            ..Self::placeholder(0)
        }
    }

    /// Packs a flow without a detail, where the numbers say it all.
    pub fn pack(flow: &Flow) -> Option<(Self, u128)> {
        if !is_ordinary(flow) {
            return None;
        }
        let client_low = flow.is(Flow::CLIENT_LOW);
        let (client, client_port) = flow.key.end(client_low);
        let (server, server_port) = flow.key.end(!client_low);
        let (addresses, wide) = pack_addresses(client, server);
        let o = &flow.client_options;
        let lone = Self {
            addresses,
            start_ns: flow.start_ns,
            frame: flow.frame_syn,
            isn: flow.isn_client,
            number_low: flow.number as u32,
            tsval: o.tsval,
            client_port,
            server_port,
            number_high: (flow.number >> 32) as u16,
            encap: flow.encap.0 as u16,
            mss: o.mss,
            window: o.window,
            options: o.bits,
            ip_id: flow.last_syn.ip_id,
            window_scale: o.window_scale,
            ace_cookie: o.ace_cookie,
            ttl: flow.ttl_client,
            marks: mark(client_low, CLIENT_LOW)
                | mark(flow.anomalies.contains(Anomaly::PortReused), PORT_REUSED)
                | mark(flow.last_syn.has & Fingerprint::IP_ID != 0, IP_ID)
                | mark(client.v6, V6),
        };
        Some((lone, wide))
    }

    /// Packs a SYN, if it is an ordinary one, without making a flow of it first.
    pub fn of(segment: &Segment, client_low: bool, number: u64, reused: bool) -> Option<(Self, u128)> {
        let options = PackedOptions::of(segment)?;
        let place = segment.encap.0 as u16;
        let ordinary = !segment.flags.has(Flags::FIN)
            && !segment.bad_checksum
            && segment.timed
            && (segment.payload_len, segment.interface) == (0, 0)
            && (options.tsecr, options.unknown) == (0, 0)
            && segment.encap.0 >> 16 == u32::from(place)
            && number >> 48 == 0;
        if !ordinary {
            return None;
        }
        let ip_id = segment.ip_id.filter(|&id| id != 0);
        let (addresses, wide) = pack_addresses(segment.src, segment.dst);
        let lone = Self {
            addresses,
            start_ns: segment.time_ns,
            frame: FrameRef::new(segment.file, segment.frame),
            isn: segment.seq,
            number_low: number as u32,
            tsval: options.tsval,
            client_port: segment.src_port,
            server_port: segment.dst_port,
            number_high: (number >> 32) as u16,
            encap: place,
            mss: options.mss,
            window: options.window,
            options: options.bits,
            ip_id: ip_id.unwrap_or(0),
            window_scale: options.window_scale,
            ace_cookie: options.ace_cookie,
            ttl: segment.ttl,
            marks: mark(client_low, CLIENT_LOW)
                | mark(reused, PORT_REUSED)
                | mark(ip_id.is_some(), IP_ID)
                | mark(segment.src.v6, V6),
        };
        Some((lone, wide))
    }

    /// The flow.
    pub fn unpack(&self, wide: u128) -> Flow {
        let mut anomalies = Anomalies::default();
        if self.has(PORT_REUSED) {
            anomalies.insert(Anomaly::PortReused);
        }
        Flow {
            key: self.key(wide),
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
            copied_us: 0,
            ip_id: self.ip_id,
            ttl: self.ttl,
            has: if self.has(IP_ID) { Fingerprint::IP_ID } else { 0 } | if has_tsval { Fingerprint::TSVAL } else { 0 },
        }
    }

    /// Client and server.
    const fn ends(&self, wide: u128) -> (Address, Address) {
        let [upper, lower] = self.addresses;
        let v6 = self.is_v6();
        let (client, server) = if v6 {
            ((upper as u128) << 64 | lower as u128, wide)
        } else {
            (lower as u128, upper as u128)
        };
        (Address { v6, bits: client }, Address { v6, bits: server })
    }

    /// Who.
    pub fn key(&self, wide: u128) -> Key {
        let (client, server) = self.ends(wide);
        Key::new(client, self.client_port, server, self.server_port, self.encap()).0
    }

    /// Order among all handshakes of the run.
    pub const fn number(&self) -> u64 {
        (self.number_high as u64) << 32 | self.number_low as u64
    }

    /// When it was sent.
    pub const fn start_ns(&self) -> i64 {
        self.start_ns
    }

    /// What a summary needs of it. `evicted` says that it was pushed out of the table.
    pub fn unanswered(&self, wide: u128, evicted: bool) -> Unanswered {
        let mut anomalies = Anomalies::default();
        let mut note = |is: bool, anomaly| {
            if is {
                anomalies.insert(anomaly);
            }
        };
        note(self.has(PORT_REUSED), Anomaly::PortReused);
        note(evicted, Anomaly::Evicted);
        note(self.options().is_incomplete(), Anomaly::OptionsDamaged);
        let (client, server) = self.ends(wide);
        Unanswered {
            client,
            server,
            server_port: self.server_port,
            start_ns: self.start_ns,
            anomalies,
            asks_fast_open: self.options().asks_fast_open(),
        }
    }

    /// The same, taken away.
    #[must_use]
    pub const fn gone(self) -> Self {
        Self {
            marks: self.marks | GONE,
            ..self
        }
    }

    /// The same, there again, its entry not standing apart.
    #[must_use]
    pub const fn standing(self) -> Self {
        Self {
            marks: self.marks & !(GONE | APART),
            ..self
        }
    }

    /// Whether it was taken away.
    pub const fn is_gone(&self) -> bool {
        self.has(GONE)
    }

    /// Whether it is kept elsewhere.
    pub const fn is_rare(&self) -> bool {
        self.has(RARE)
    }

    /// Whether it has a wide part.
    pub const fn is_v6(&self) -> bool {
        self.has(V6)
    }

    /// Whether its entry in the index stands apart.
    pub const fn is_apart(&self) -> bool {
        self.has(APART)
    }

    /// The same, its entry standing apart or not.
    #[must_use]
    pub const fn with_apart(self, apart: bool) -> Self {
        Self {
            marks: self.marks & !APART | mark(apart, APART),
            ..self
        }
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
        && flow.encap.0 >> 16 == flow.encap.0 & 0xFFFF
        && (flow.anomalies == Anomalies::default() || flow.anomalies == reused)
        && (flow.syn_sent, flow.syn_data, flow.last_ns) == (1, 0, flow.start_ns)
        && (o.tsecr, o.unknown) == (0, 0)
        && flow.number >> 48 == 0
        && flow.frame_syn.is_timed()
        && (syn.time_ns, syn.tsval, syn.interface, syn.ttl) == (flow.start_ns, o.tsval, 0, flow.ttl_client)
        && syn.copied_us == 0
        && (syn.has & Fingerprint::TSVAL != 0) == (o.bits & PackedOptions::TS != 0)
}

#[cfg(test)]
pub(crate) mod tests {
    use halfopen_wire::SynOptions;

    use super::*;

    pub fn segment(src: [u8; 4], dst: [u8; 4]) -> Segment {
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

    pub fn flow(s: &Segment) -> Flow {
        let (key, src_low) = Key::of(s);
        Flow {
            key,
            start_ns: s.time_ns,
            last_ns: s.time_ns,
            number: 1 << 33,
            frame_syn: FrameRef::of(s),
            last_syn: Fingerprint::of(s),
            client_options: PackedOptions::of(s).unwrap_or_default(),
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
        assert_eq!(lone.is_some(), ordinary, "{flow:?}");
        assert_eq!(Syn::of(flow).unpack(), *flow);
        if let Some((lone, wide)) = lone {
            assert_eq!((lone.key(wide), lone.start_ns()), (flow.key, flow.last_ns));
            assert_eq!(lone.with_apart(true).unpack(wide), *flow);
        }
    }

    /// The short way and the long one agree.
    fn assert_same(s: &Segment, ordinary: bool) {
        let (_, src_low) = Key::of(s);
        let lone = Lone::of(s, src_low, 1 << 33, false);
        assert_eq!(lone.map(|(l, wide)| l.unpack(wide)), ordinary.then(|| flow(s)), "{s:?}");
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
        let (low, high) = (
            Address { v6: true, bits: 7 },
            Address {
                v6: true,
                bits: 1 << 100 | 9,
            },
        );
        for (src, dst) in [(low, high), (high, low)] {
            assert_same(
                &Segment {
                    src,
                    dst,
                    ip_id: None,
                    ..bare
                },
                true,
            );
        }
        let mut reused = flow(&bare);
        reused.anomalies.insert(Anomaly::PortReused);
        assert_kept(&reused, true);
    }

    #[test]
    fn all_others_are_kept_whole() {
        let s = segment([10, 0, 0, 1], [198, 51, 100, 7]);
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
        for s in [mpls, data, elsewhere, echo, unknown, untimed] {
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
