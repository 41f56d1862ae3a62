//! The numbers as a reader of the JSON sees them.

use serde_json::{Value, json};

use super::super::testing::{T0, established, handshake};
use super::super::{EndpointLimits, Limits};
use super::*;
use crate::{Anomalies, Handshake, Sink};
use halfopen_wire::Address;

const PAGE: &str = include_str!("../../../../../docs/summary.md");

fn summary(handshakes: &[Handshake]) -> Summary {
    let mut summary = Summary::default();
    for h in handshakes {
        summary.handshake(h);
    }
    summary
}

fn parse(summary: &Summary, endpoints: usize) -> Value {
    serde_json::from_str(&summary.to_json(JsonLimits {
        endpoints,
        end_ns: None,
    }))
    .unwrap()
}

/// A bit of everything.
fn mixed() -> Vec<Handshake> {
    let mut waited = established(1_003_000, 120);
    (waited.syn_sent, waited.retransmit_wait_ns) = (2, Some(1_001_000_000));
    waited.anomalies.insert(Anomaly::SynRetransmitted);
    let mut closed = established(2000, 80);
    (closed.close, closed.closed_by, closed.time_wait) = (Some(Close::Fin), Some(Side::Client), Some(TimeWait::Client));
    closed.fast_open = Some(FastOpen::Accepted);
    let silent = Handshake {
        syn_sent: 7,
        server: Address::from_v4([10, 0, 0, 7]),
        start_ns: T0 + 10_000_000_000,
        timed: true,
        ..handshake(Outcome::Unanswered)
    };
    let refused = Handshake {
        server: Address { v6: true, bits: 1 },
        client: Address { v6: true, bits: 2 },
        server_port: 22,
        ..handshake(Outcome::Refused)
    };
    vec![waited, closed, silent, refused]
}

#[test]
fn totals_say_what_happened() {
    let got = parse(&summary(&mixed()), 1000);
    for (path, want) in [
        ("/handshakes", json!(4)),
        ("/ipv6", json!(1)),
        ("/first_ns", json!(T0)),
        ("/last_ns", json!(T0 + 10_000_000_000)),
        ("/outcomes", json!({"established": 2, "refused": 1, "unanswered": 1})),
        ("/answered", json!(3)),
        ("/clients", json!(2)),
        ("/clients_exact", json!(true)),
        ("/syn_sent", json!(11)),
        ("/syn_ack_sent", json!(2)),
        ("/anomalies", json!({"syn_retransmitted": 1})),
        ("/close", json!({"fin": 1})),
        ("/closed_by", json!({"client": 1})),
        ("/time_wait", json!({"client": 1})),
        ("/fast_open", json!({"accepted": 1})),
        ("/retransmission/waits", json!([{"seconds": 1, "count": 1}])),
        ("/retransmission/answered", json!(2)),
        ("/retransmission/waited", json!(1)),
        ("/retransmission/syn_handshakes", json!(2)),
        ("/retransmission/syn", json!(7)),
        ("/peak", json!({"attempts": 3, "seconds": 1, "at_ns": T0})),
        ("/vantage/judged", json!(2)),
        ("/vantage/near_client", json!(2)),
        (
            "/vantage/ttl_client",
            json!({"known": 2, "pristine": 2, "hops_p50": 0, "initial": {"64": 2}}),
        ),
        (
            "/vantage/ttl_server",
            json!({"known": 2, "pristine": 0, "hops_p50": 7, "initial": {"64": 2}}),
        ),
        ("/endpoints_total", json!(3)),
        ("/other_endpoints", json!(null)),
        ("/hosts_total", json!(3)),
        ("/silent_hosts_total", json!(1)),
        ("/silent_hosts/0/server", json!("10.0.0.7")),
        ("/silent_hosts/0/server_port", json!(443)),
        ("/silent_pairs/0/unanswered", json!(1)),
        ("/silent_pairs/0/syn_sent", json!(7)),
    ] {
        assert_eq!(got.pointer(path), Some(&want), "{path}");
    }
}

#[test]
fn latencies_are_microseconds_and_exact() {
    let got = parse(&summary(&mixed()), 1000);
    let all = &got["latency_us"];
    let want = json!({"count": 2, "sum_us": 1_005_000.0, "mean_us": 502_500.0, "min": 2000.0, "p50": 2000.0, "p90": 1_003_000.0,
                      "p99": 1_003_000.0, "max": 1_003_000.0, "exact": true, "negative": 0});
    assert_eq!(all["syn_to_syn_ack"], want);
    assert_eq!(all["answered_syn_to_syn_ack"]["max"], json!(2000.0));
    assert_eq!(
        (&all["retransmit_wait"]["min"], &all["retransmit_wait"]["max"]),
        (&json!(0.0), &json!(1_001_000.0))
    );
    assert_eq!(all["handshake"]["sum_us"], json!(1_005_200.0));
    let row = &got["endpoints"][0];
    assert_eq!((&row["server"], &row["handshakes"]), (&json!("10.9.9.9"), &json!(2)));
    assert_eq!(row["latency_us"]["syn_to_syn_ack"], want);
    assert_eq!(row["round_trip_min_us"], json!(2000.0));
    assert_eq!(row["completed_share"], json!(1.0));
}

#[test]
fn nothing_is_null_and_not_zero() {
    let got = parse(&summary(&[]), 10);
    let mean = &got["latency_us"]["handshake"];
    assert_eq!(
        (&mean["count"], &mean["mean_us"], &mean["p50"], &mean["max"]),
        (&json!(0), &json!(null), &json!(null), &json!(null))
    );
    for key in ["first_ns", "last_ns", "peak", "timeline", "other_endpoints"] {
        assert_eq!(got[key], json!(null), "{key}");
    }
    assert_eq!(
        (&got["handshakes"], &got["outcomes"], &got["endpoints"]),
        (&json!(0), &json!({}), &json!([]))
    );
    assert_eq!(got["histogram"]["edges_us"], json!([]));
}

#[test]
fn what_is_not_shown_is_in_the_last_row() {
    let mut summary = Summary::new(Limits {
        endpoints: EndpointLimits {
            rows: 8,
            bytes: 1 << 20,
        },
        ..Limits::default()
    });
    for port in 1..=100 {
        summary.handshake(&Handshake {
            server_port: port,
            ..handshake(Outcome::Refused)
        });
        summary.handshake(&established(700, 3));
    }
    let got = parse(&summary, 2);
    let other = &got["other_endpoints"];
    let shown: u64 = got["endpoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["handshakes"].as_u64().unwrap())
        .sum();
    assert_eq!(got["endpoints"][0]["server_port"], json!(443));
    assert_eq!(shown + other["handshakes"].as_u64().unwrap(), 200);
    assert_eq!(other["endpoints"], json!(99));
    assert!(other["folded"].as_u64().unwrap() > 80);
    assert_eq!(other["latency_us"]["handshake"]["p50"], json!(null));
}

#[test]
fn the_histogram_holds_every_value() {
    let all: Vec<Handshake> = (0..500).map(|i| established(i * i, i % 3)).collect();
    let got = parse(&summary(&all), 10);
    let (histogram, latency) = (&got["histogram"], &got["latency_us"]);
    let bins = histogram["edges_us"].as_array().unwrap().len() - 1;
    for metric in Metric::ALL.map(Metric::name) {
        let counts = histogram[metric].as_array().unwrap();
        assert_eq!(counts.len(), bins);
        let inside: u64 = counts.iter().map(|n| n.as_u64().unwrap()).sum();
        let outside: u64 = ["below", "above"]
            .iter()
            .filter_map(|side| histogram[side][metric].as_u64())
            .sum();
        assert_eq!(Some(inside + outside), latency[metric]["count"].as_u64(), "{metric}");
    }
}

#[test]
fn the_timeline_has_columns_of_one_length() {
    let mut all = mixed();
    all.push(Handshake {
        start_ns: T0 + 3_600_000_000_000,
        timed: true,
        ..handshake(Outcome::Partial)
    });
    let got = parse(&summary(&all), 10);
    let line = &got["timeline"];
    let sum = |name: &str| {
        line[name]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_u64)
            .sum::<u64>()
    };
    let lengths = ["attempts", "established", "failed", "retransmitted", "handshake_max_us"]
        .map(|name| line[name].as_array().unwrap().len());
    assert_eq!(lengths, [lengths[0]; 5]);
    assert_eq!(
        (sum("attempts"), sum("established"), sum("failed"), sum("retransmitted")),
        (5, 2, 2, 2)
    );
    assert_eq!(line["width_s"], json!(10.0));
    assert_eq!(line["handshake_max_us"][0], json!(1_003_120.0));
}

#[test]
fn a_flood_has_the_numbers_of_its_sentence() {
    let mut summary = Summary::default();
    for i in 0..50_000u32 {
        let client = Address::from_v4(i.wrapping_mul(2_654_435_761).to_be_bytes());
        let start_ns = T0 + i64::from(i) * 100_000;
        summary.handshake(&Handshake {
            client,
            start_ns,
            timed: true,
            server_port: 80,
            ..handshake(Outcome::Unanswered)
        });
    }
    (0..200).for_each(|_| {
        summary.handshake(&Handshake {
            server_port: 80,
            ..established(900, 20)
        });
    });
    let row = &parse(&summary, 10)["endpoints"][0];
    assert_eq!((&row["syn_sent"], &row["failed"]), (&json!(50_200), &json!(50_000)));
    assert!((row["failed_clients"].as_f64().unwrap() / 50_000.0 - 1.0).abs() < 0.025);
    assert!((row["completed_share"].as_f64().unwrap() - 200.0 / 50_200.0).abs() < 1e-12);
    assert_eq!(row["peak"]["attempts"], json!(10_200));
    assert_eq!(summary.failed().len(), 10);
}

/// Every key that is written.
fn keys(value: &Value, found: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            found.insert(key.clone());
            keys(value, found);
        }),
        Value::Array(list) => list.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn the_page_explains_every_key() {
    let mut found = std::collections::BTreeSet::new();
    let mut all = mixed();
    for h in &mut all {
        h.anomalies = Anomalies::default();
    }
    keys(&parse(&summary(&all), 2), &mut found);
    let outcomes: Vec<&str> = Outcome::ALL.iter().map(|o| o.name()).collect();
    let unexplained: Vec<_> = found
        .iter()
        .filter(|key| !outcomes.contains(&key.as_str()) && !PAGE.contains(&format!("`{key}`")))
        .collect();
    assert!(unexplained.is_empty(), "{unexplained:?}");
}
