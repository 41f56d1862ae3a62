//! A record as named values, and whether they are what a scenario expects.

use halfopen_track::{Handshake, SideOptions, TrackStats};
use halfopen_wire::EncapTable;
use toml::{Table, Value};

/// A field of the record under its name in `halfopen.handshake/1`; `None` is null.
type Field = (&'static str, Option<Value>);

fn int(n: impl Into<i64>) -> Value {
    Value::Integer(n.into())
}

fn long(n: u64) -> Value {
    Value::Integer(i64::try_from(n).expect("scenarios are short"))
}

fn word(text: &(impl ToString + ?Sized)) -> Value {
    Value::String(text.to_string())
}

fn us(ns: i64) -> Value {
    Value::Float(ns as f64 / 1000.0)
}

fn options(side: &SideOptions) -> Value {
    let t = &side.tcp;
    let fields: [Field; 13] = [
        ("mss", t.mss.map(int)),
        ("window_scale", t.window_scale.map(int)),
        ("sack_permitted", Some(Value::Boolean(t.sack_permitted))),
        ("timestamps", Some(Value::Boolean(t.timestamps.is_some()))),
        ("fast_open", side.fast_open_name().map(word)),
        ("mptcp", Some(Value::Boolean(t.mptcp))),
        ("md5", Some(Value::Boolean(t.md5))),
        ("ao", Some(Value::Boolean(t.ao))),
        ("unknown", Some(int(t.unknown))),
        ("incomplete", Some(Value::Boolean(t.incomplete))),
        ("ecn", Some(Value::Boolean(side.ecn))),
        ("ace", Some(int(side.ace))),
        ("window", Some(int(side.window))),
    ];
    let known = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Table(known.collect())
}

/// Every field that a scenario may expect.
fn fields(h: &Handshake, encaps: &EncapTable) -> Vec<Field> {
    let encap = encaps.get(h.encap);
    let tunnel: Vec<&str> = encap.tunnels.iter().map(halfopen_wire::Tunnel::name).collect();
    vec![
        ("file", Some(int(h.file))),
        ("start_us", h.timed.then(|| us(h.start_ns - crate::notation::T0))),
        ("client", Some(word(&h.client))),
        ("client_port", Some(int(h.client_port))),
        ("server", Some(word(&h.server))),
        ("server_port", Some(int(h.server_port))),
        ("vlan", Some(Value::Array(encap.vlan.iter().map(|&v| int(v)).collect()))),
        ("tunnel", Some(Value::Array(tunnel.into_iter().map(word).collect()))),
        ("number", Some(Value::Integer(h.number as i64))),
        ("outcome", Some(word(h.outcome.name()))),
        ("syn_sent", Some(int(h.syn_sent))),
        ("syn_ack_sent", Some(int(h.syn_ack_sent))),
        ("syn_to_syn_ack_us", h.syn_to_syn_ack_ns.map(us)),
        ("syn_ack_to_ack_us", h.syn_ack_to_ack_ns.map(us)),
        ("handshake_us", h.handshake_ns.map(us)),
        ("retransmit_wait_us", h.retransmit_wait_ns.map(us)),
        ("client_options", h.client_options.as_ref().map(options)),
        ("server_options", h.server_options.as_ref().map(options)),
        ("isn_client", h.isn_client.map(int)),
        ("isn_server", h.isn_server.map(int)),
        ("syn_data_bytes", h.syn_data_bytes.map(int)),
        ("fast_open", h.fast_open.map(|f| word(f.name()))),
        ("simultaneous", Some(Value::Boolean(h.simultaneous))),
        ("duration_us", h.duration_ns.map(us)),
        ("client_bytes", Some(long(h.client_bytes))),
        ("server_bytes", Some(long(h.server_bytes))),
        ("closed_by", h.closed_by.map(|s| word(s.name()))),
        ("close", h.close.map(|c| word(c.name()))),
        ("time_wait", h.time_wait.map(|t| word(t.name()))),
        (
            "anomalies",
            Some(Value::Array(h.anomalies.iter().map(|a| word(a.name())).collect())),
        ),
        ("ttl_client", h.ttl_client.map(int)),
        ("ttl_server", h.ttl_server.map(int)),
        ("frame_syn", h.frame_syn.map(long)),
        ("frame_syn_ack", h.frame_syn_ack.map(long)),
        ("frame_ack", h.frame_ack.map(long)),
        (
            "icmp",
            h.icmp.map(|(kind, code, by)| word(&format!("{kind}/{code} by {by}"))),
        ),
    ]
}

/// What differs, one line a field. `unknown` lists fields that must be null; `anomalies` is empty unless it is given.
pub fn differences(expected: &Table, h: &Handshake, encaps: &EncapTable) -> Vec<String> {
    let fields = fields(h, encaps);
    let got = |name: &str| fields.iter().find(|(n, _)| *n == name).map(|(_, value)| value);
    let mut wrong = Vec::new();
    let none = Value::Array(Vec::new());
    if !expected.contains_key("anomalies") {
        compare("anomalies", &none, got("anomalies"), &mut wrong);
    }
    for (name, value) in expected {
        if name != "unknown" {
            compare(name, value, got(name), &mut wrong);
        }
    }
    for name in expected.get("unknown").and_then(Value::as_array).into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        match got(name) {
            None => wrong.push(format!("{name}: there is no such field")),
            Some(None) => {}
            Some(Some(value)) => wrong.push(format!("{name}: expected null, got {value:?}")),
        }
    }
    wrong
}

fn compare(name: &str, expected: &Value, got: Option<&Option<Value>>, wrong: &mut Vec<String>) {
    match got {
        None => wrong.push(format!("{name}: there is no such field")),
        Some(None) => wrong.push(format!("{name}: expected {expected:?}, got null")),
        Some(Some(value)) if !same(expected, value) => {
            wrong.push(format!("{name}: expected {expected:?}, got {value:?}"));
        }
        Some(Some(_)) => {}
    }
}

/// Numbers by value, lists in any order, tables by the keys that are expected.
fn same(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Table(expected), Value::Table(got)) => {
            expected.iter().all(|(key, e)| got.get(key).is_some_and(|g| same(e, g)))
        }
        (Value::Array(expected), Value::Array(got)) => {
            expected.len() == got.len() && expected.iter().all(|e| got.iter().any(|g| same(e, g)))
        }
        (Value::Integer(_) | Value::Float(_), Value::Float(got)) => {
            let expected = expected.as_float().or(expected.as_integer().map(|n| n as f64));
            expected.is_some_and(|e| (e - got).abs() < 1e-6)
        }
        _ => expected == got,
    }
}

/// The counts beside the records, under their names.
pub fn counts(stats: &TrackStats) -> Table {
    let counts = [
        ("tcp_segments", stats.tcp_segments),
        ("midstream", stats.midstream),
        ("midstream_segments", stats.midstream_segments),
        ("late_segments", stats.late_segments),
        ("evicted", stats.evicted),
        ("handshakes", stats.handshakes),
        ("captured_twice", stats.captured_twice),
        ("icmp_errors", stats.icmp_errors),
    ];
    counts.into_iter().map(|(name, n)| (name.to_owned(), long(n))).collect()
}
