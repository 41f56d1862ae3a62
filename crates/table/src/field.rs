//! The one table of the record's fields: names, order, types, meanings, and how each value is taken from a
//! [`Handshake`].
//!
//! JSON Lines, CSV, the Arrow schema (so Parquet), the filter language and sorting all walk [`FIELDS`]; none of them
//! knows a field by name. A field that is added here is in all of them.

use halfopen_track::{Anomaly, Close, FastOpen, Handshake, Outcome, Side, SideOptions, TimeWait};
use halfopen_wire::Address;

/// The identifier of the record's shape. A change of meaning is a new number; a new field at the end is not.
pub const SCHEMA: &str = "halfopen.handshake/1";

/// A value that stands in one cell, taken from `T`.
#[derive(Debug)]
pub enum Scalar<T: 'static> {
    /// A whole number.
    Int(fn(&T) -> Option<i64>),
    /// A duration: taken in nanoseconds, written in microseconds with a fraction.
    Micros(fn(&T) -> Option<i64>),
    /// True or false.
    Bool(fn(&T) -> Option<bool>),
    /// One of a closed list of names.
    Name {
        /// The closed list.
        all: fn() -> Vec<&'static str>,
        /// The value.
        get: fn(&T) -> Option<&'static str>,
    },
    /// An IP address, written as text (RFC 5952 for IPv6).
    Address(fn(&T) -> Option<Address>),
}

// Derived, these would ask for `T: Copy`, though it is only function pointers that are copied.
impl<T> Clone for Scalar<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Scalar<T> {}

/// The type of a field that only live commands fill: its cells are null for a capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LiveOnly {
    /// Text.
    Text,
    /// A whole number.
    Int,
    /// Microseconds.
    Micros,
}

/// Where the value of a field comes from.
#[derive(Clone, Copy, Debug)]
pub enum Get {
    /// A value of the record itself.
    Scalar(Scalar<Handshake>),
    /// The name of the input, by its index.
    Source,
    /// The tunnels, outermost first, joined with `+` (`gre+mpls`); null without one.
    Tunnel,
    /// The VLAN identifiers, outermost first.
    Vlan,
    /// The names of the anomalies, in the order of [`Anomaly::ALL`].
    Anomalies,
    /// What one side offered: a structure of [`OPTION_FIELDS`], null when its SYN was not captured.
    Options(fn(&Handshake) -> Option<&SideOptions>),
    /// Null for captures.
    LiveOnly(LiveOnly),
}

/// One column of the record.
pub struct Field {
    /// Its name in every format and in the filter language.
    pub name: &'static str,
    /// One sentence: meaning and unit.
    pub about: &'static str,
    /// Where its value comes from.
    pub get: Get,
}

/// One member of `client_options` and `server_options`.
pub struct OptionField {
    /// Its name inside the structure.
    pub name: &'static str,
    /// One sentence: meaning and unit.
    pub about: &'static str,
    /// Where its value comes from.
    pub get: Scalar<SideOptions>,
}

impl<T> Scalar<T> {
    /// The type as documentation and the filter's messages spell it.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Int(_) => "int",
            Self::Micros(_) => "float",
            Self::Bool(_) => "bool",
            Self::Name { .. } | Self::Address(_) => "str",
        }
    }
}

impl Get {
    /// The type as documentation and the filter's messages spell it.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Scalar(scalar) => scalar.type_name(),
            Self::Source | Self::Tunnel | Self::LiveOnly(LiveOnly::Text) => "str",
            Self::Vlan => "list[int]",
            Self::Anomalies => "list[str]",
            Self::Options(_) => "record",
            Self::LiveOnly(LiveOnly::Int) => "int",
            Self::LiveOnly(LiveOnly::Micros) => "float",
        }
    }
}

const fn field(name: &'static str, get: Get, about: &'static str) -> Field {
    Field { name, about, get }
}

const fn int(name: &'static str, get: fn(&Handshake) -> Option<i64>, about: &'static str) -> Field {
    field(name, Get::Scalar(Scalar::Int(get)), about)
}

const fn micros(name: &'static str, get: fn(&Handshake) -> Option<i64>, about: &'static str) -> Field {
    field(name, Get::Scalar(Scalar::Micros(get)), about)
}

const fn address(name: &'static str, get: fn(&Handshake) -> Option<Address>, about: &'static str) -> Field {
    field(name, Get::Scalar(Scalar::Address(get)), about)
}

const fn name(
    name: &'static str,
    all: fn() -> Vec<&'static str>,
    get: fn(&Handshake) -> Option<&'static str>,
    about: &'static str,
) -> Field {
    field(name, Get::Scalar(Scalar::Name { all, get }), about)
}

const fn live(name: &'static str, kind: LiveOnly, about: &'static str) -> Field {
    field(name, Get::LiveOnly(kind), about)
}

/// A count that no capture can bring near the limit of 63 bits; should it, the limit is written.
fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

macro_rules! names_of {
    ($type:ident) => {
        || $type::ALL.iter().map(|value| value.name()).collect()
    };
}

/// The fields of `halfopen.handshake/1`, in order.
#[rustfmt::skip] // one field a line, as in a table
pub const FIELDS: &[Field] = &[
    field("source", Get::Source, "The file's name, `live:<interface>`, `kernel` or `probe`."),
    int("start_ns", |h| h.timed.then_some(h.start_ns), "Time of the first SYN, nanoseconds since the epoch; null where the capture holds none (pcapng simple packet blocks)."),
    address("client", |h| Some(h.client), "The side that sent the first SYN; null for a probe without a way to send one."),
    int("client_port", |h| Some(h.client_port.into()), "Its port; null for a probe that sent none."),
    address("server", |h| Some(h.server), "The other side."),
    int("server_port", |h| Some(h.server_port.into()), "Its port."),
    field("vlan", Get::Vlan, "Outer 802.1Q and 802.1ad tags, outermost first."),
    field("tunnel", Get::Tunnel, "Tunnels that were taken off, outermost first, joined with `+`; null without one."),
    name("outcome", names_of!(Outcome), |h| Some(h.outcome.name()), "How the attempt ended."),
    int("syn_sent", |h| Some(h.syn_sent.into()), "Transmissions of the SYN, the first included; 0 for a probe that sent none."),
    int("syn_ack_sent", |h| Some(h.syn_ack_sent.into()), "Transmissions of the SYN-ACK, the first included."),
    micros("syn_to_syn_ack_us", |h| h.syn_to_syn_ack_ns, "First SYN to first valid SYN-ACK, microseconds."),
    micros("syn_ack_to_ack_us", |h| h.syn_ack_to_ack_ns, "First valid SYN-ACK to its ACK, microseconds."),
    micros("handshake_us", |h| h.handshake_ns, "First SYN to that ACK, microseconds."),
    micros("retransmit_wait_us", |h| h.retransmit_wait_ns, "First SYN to the SYN that was answered, microseconds."),
    field("client_options", Get::Options(|h| h.client_options.as_ref()), "What the client's SYN offered."),
    field("server_options", Get::Options(|h| h.server_options.as_ref()), "What the server's SYN-ACK offered."),
    int("isn_client", |h| h.isn_client.map(Into::into), "Initial sequence number of the client."),
    int("isn_server", |h| h.isn_server.map(Into::into), "Initial sequence number of the server."),
    int("syn_data_bytes", |h| h.syn_data_bytes.map(Into::into), "Data in the first SYN, bytes."),
    name("fast_open", names_of!(FastOpen), |h| h.fast_open.map(FastOpen::name), "What became of Fast Open (RFC 7413)."),
    field("simultaneous", Get::Scalar(Scalar::Bool(|h| Some(h.simultaneous))), "Both sides sent a SYN (RFC 9293, 3.5)."),
    micros("duration_us", |h| h.duration_ns, "First to last packet of the connection, microseconds."),
    int("client_bytes", |h| Some(count(h.client_bytes)), "Stream bytes of the client, as far as seen."),
    int("server_bytes", |h| Some(count(h.server_bytes)), "Stream bytes of the server, as far as seen."),
    name("closed_by", names_of!(Side), |h| h.closed_by.map(Side::name), "Who closed first."),
    name("close", names_of!(Close), |h| h.close.map(Close::name), "How the connection was closed."),
    name("time_wait", names_of!(TimeWait), |h| h.time_wait.map(TimeWait::name), "Which side is left with TIME_WAIT."),
    field("anomalies", Get::Anomalies, "What was odd: names of a closed list."),
    int("frame_syn", |h| h.frame_syn.map(count), "1-based frame number of the first SYN in its file."),
    int("frame_syn_ack", |h| h.frame_syn_ack.map(count), "Frame number of the first valid SYN-ACK; null where it lies in another file than `source`."),
    int("frame_ack", |h| h.frame_ack.map(count), "Frame number of the ACK that completed the handshake; null where it lies in another file than `source`."),
    live("process", LiveOnly::Text, "Live only: name of the process that opened or owns the connection."),
    live("pid", LiveOnly::Int, "Live only: its process identifier."),
    live("cgroup", LiveOnly::Text, "Live only: its control group."),
    live("netns", LiveOnly::Text, "Live only: its network namespace."),
    live("accept_wait_us", LiveOnly::Micros, "Live only: time in the accept queue, microseconds."),
    live("connect_us", LiveOnly::Micros, "Live and probe: wall time of connect(), microseconds."),
    live("errno", LiveOnly::Text, "Live and probe: the name of the error that connect() returned."),
    live("resolve_us", LiveOnly::Micros, "Probe only: name resolution, microseconds."),
    live("first_byte_us", LiveOnly::Micros, "Probe only: handshake to the server's first byte, microseconds."),
    int("icmp_type", |h| h.icmp.map(|(kind, _, _)| kind.into()), "Type of the ICMP(v6) error that ended the attempt."),
    int("icmp_code", |h| h.icmp.map(|(_, code, _)| code.into()), "Its code."),
    address("icmp_from", |h| h.icmp.map(|(_, _, from)| from), "Who sent it."),
    int("ttl_client", |h| h.ttl_client.map(Into::into), "TTL or hop limit of the client's first SYN, as captured."),
    int("ttl_server", |h| h.ttl_server.map(Into::into), "TTL or hop limit of the server's first SYN-ACK, as captured."),
    int("number", |h| Some(count(h.number)), "Number of the handshake in its run, from 1, for `--ladder`; a SYN that proved to be forged leaves a gap."),
];

const fn option(name: &'static str, get: Scalar<SideOptions>, about: &'static str) -> OptionField {
    OptionField { name, about, get }
}

const FAST_OPEN: Scalar<SideOptions> = Scalar::Name {
    all: || vec!["request", "cookie"],
    get: SideOptions::fast_open_name,
};

/// The members of `client_options` and `server_options`, in order.
#[rustfmt::skip] // one field a line, as in a table
pub const OPTION_FIELDS: &[OptionField] = &[
    option("mss", Scalar::Int(|o| o.tcp.mss.map(Into::into)), "Maximum segment size, bytes; null when not offered."),
    option("window_scale", Scalar::Int(|o| o.tcp.window_scale.map(Into::into)), "Window scale as sent; null when not offered."),
    option("sack_permitted", Scalar::Bool(|o| offered(o, o.tcp.sack_permitted)), "Selective acknowledgment (RFC 2018)."),
    option("timestamps", Scalar::Bool(|o| offered(o, o.tcp.timestamps.is_some())), "Timestamps (RFC 7323)."),
    option("fast_open", FAST_OPEN, "Fast Open (RFC 7413): asked for a cookie, or carried one."),
    option("mptcp", Scalar::Bool(|o| offered(o, o.tcp.mptcp)), "Multipath TCP (RFC 8684)."),
    option("ecn", Scalar::Bool(|o| Some(o.ecn)), "ECN set-up (RFC 3168 or RFC 9768)."),
    option("window", Scalar::Int(|o| (!o.tcp.window_cut).then_some(o.window.into())), "Window field, unscaled; null when cut off."),
    option("ace", Scalar::Int(|o| Some(o.ace.into())), "The bits AE, CWR, ECE as a number 0 to 7 (RFC 9768)."),
    option("md5", Scalar::Bool(|o| offered(o, o.tcp.md5)), "MD5 signature (RFC 2385)."),
    option("ao", Scalar::Bool(|o| offered(o, o.tcp.ao)), "Authentication option (RFC 5925)."),
    option("unknown_options", Scalar::Int(|o| Some(o.tcp.unknown.into())), "Options of any other kind, counted."),
    option("incomplete", Scalar::Bool(|o| Some(o.tcp.incomplete)), "The option list was damaged or cut off."),
];

/// Whether an option was offered: not known where the list was cut before it.
fn offered(options: &SideOptions, seen: bool) -> Option<bool> {
    (seen || !options.tcp.cut).then_some(seen)
}

/// Every name that the filter language knows: `server_port`, `client_options`, `client_options.mss`, ….
pub fn paths() -> Vec<String> {
    let mut all = Vec::new();
    for field in FIELDS {
        all.push(field.name.to_owned());
        if matches!(field.get, Get::Options(_)) {
            all.extend(
                OPTION_FIELDS
                    .iter()
                    .map(|member| format!("{}.{}", field.name, member.name)),
            );
        }
    }
    all
}

/// The names of the anomalies that the closed list holds.
pub fn anomaly_names() -> impl Iterator<Item = &'static str> {
    Anomaly::ALL.iter().map(|anomaly| anomaly.name())
}
