//! The objects that occur in more than one place.

use super::super::distinct::Estimate;
use super::super::endpoints::{Activity, Endpoint};
use super::super::hosts::Host;
use super::super::metric::{Latency, Metric};
use super::super::silent::SilentPair;
use super::super::tally::{Retransmission, Tally};
use super::writer::Writer;
use crate::Outcome;
use crate::quantiles::{Precision, Quantiles};

/// `outcomes`.
pub fn outcomes(w: &mut Writer, tally: &Tally) {
    w.counts("outcomes", Outcome::ALL.iter().map(|&o| (o.name(), tally.outcome(o))));
}

/// `undecided`.
pub fn undecided(w: &mut Writer, tally: &Tally, end_ns: Option<i64>) {
    let waiting = [
        (Outcome::Unanswered, &tally.no_answer),
        (Outcome::HalfOpen, &tally.no_ack),
    ];
    let at_end = waiting.map(|(outcome, waiting)| (outcome.name(), end_ns.map_or(0, |end_ns| waiting.at(end_ns))));
    w.counts("undecided", at_end);
}

/// `first_ns` and `last_ns`.
pub fn span(w: &mut Writer, tally: &Tally) {
    between(w, tally.first_ns, tally.last_ns);
}

/// `first_ns` and `last_ns`; null where nothing with a time was counted, which leaves the first behind the last.
fn between(w: &mut Writer, first_ns: i64, last_ns: i64) {
    let known = first_ns <= last_ns;
    w.key("first_ns");
    w.optional(known.then_some(first_ns));
    w.key("last_ns");
    w.optional(known.then_some(last_ns));
}

/// A number of distinct addresses, and whether it is exact.
/// `most` bounds what an estimate may say: there are no more sources than attempts.
pub fn estimate(w: &mut Writer, count: &str, exact: &str, estimate: Estimate, most: u64) {
    w.entry(count, estimate.count.min(most));
    w.entry(exact, estimate.exact);
}

/// `retransmission`.
pub fn retransmission(w: &mut Writer, r: &Retransmission) {
    w.key("retransmission");
    w.object(|w| {
        w.entry("syn", r.syn);
        w.entry("syn_ack", r.syn_ack);
        w.entry("syn_handshakes", r.syn_handshakes);
        w.entry("syn_ack_handshakes", r.syn_ack_handshakes);
        w.entry("answered", r.answered);
        w.entry("waited", r.waited);
        w.key("waits");
        w.list(r.waits(), |w, (seconds, count)| {
            w.object(|w| {
                w.entry("seconds", seconds);
                w.entry("count", count);
            });
        });
    });
}

/// The value of `latency_us`.
pub fn latency<'a>(w: &mut Writer, all: impl Iterator<Item = (Metric, &'a Quantiles)>) {
    w.object(|w| {
        for (metric, quantiles) in all {
            w.key(metric.name());
            w.quantiles(quantiles);
        }
    });
}

/// The fields of an endpoint after its name.
pub fn activity(w: &mut Writer, activity: &Activity, end_ns: Option<i64>) {
    let tally = &activity.tally;
    w.entry("handshakes", tally.handshakes);
    outcomes(w, tally);
    undecided(w, tally, end_ns);
    w.entry("answered", tally.answered());
    w.key("completed_share");
    w.float(tally.completed_share());
    w.entry("failed", tally.failed());
    w.key("latency_us");
    let none = Latency::new(Precision::ENDPOINT);
    latency(w, activity.latency().unwrap_or(&none).iter());
    w.key("round_trip_min_us");
    w.micros(tally.round_trip_min_ns);
    w.entry("syn_sent", tally.syn_sent);
    w.entry("syn_ack_sent", tally.syn_ack_sent);
    retransmission(w, &tally.retransmission);
    span(w, tally);
    estimate(
        w,
        "clients",
        "clients_exact",
        activity.clients().estimate(),
        tally.handshakes,
    );
    estimate(
        w,
        "failed_clients",
        "failed_clients_exact",
        activity.failed.estimate(),
        tally.handshakes,
    );
    w.key("peak");
    super::peak(w, activity.rate.peak());
    w.key("split");
    w.object(|w| {
        w.entry("judged", tally.split.judged);
        w.entry("near_client", tally.split.near_client);
        w.entry("near_server", tally.split.near_server);
    });
}

/// A row of `endpoints`.
pub fn endpoint(w: &mut Writer, row: &Endpoint, end_ns: Option<i64>) {
    w.object(|w| {
        w.key("server");
        w.text(row.server.address);
        w.entry("server_port", row.server.port);
        activity(w, &row.activity, end_ns);
    });
}

/// A row of `hosts`.
pub fn host(w: &mut Writer, host: &Host) {
    w.object(|w| {
        w.key("server");
        w.text(host.address);
        w.entry("ports", host.ports);
        w.key("server_port");
        w.optional((host.ports == 1).then_some(host.port));
        w.entry("handshakes", host.tally.handshakes);
        outcomes(w, &host.tally);
        w.entry("answered", host.tally.answered());
        w.entry("syn_sent", host.tally.syn_sent);
        estimate(
            w,
            "clients",
            "clients_exact",
            host.clients.estimate(),
            host.tally.handshakes,
        );
        span(w, &host.tally);
    });
}

/// A row of `silent_pairs`.
pub fn silent_pair(w: &mut Writer, pair: &SilentPair) {
    w.object(|w| {
        w.key("client");
        w.text(pair.client);
        w.key("server");
        w.text(pair.server.address);
        w.entry("server_port", pair.server.port);
        w.entry("unanswered", pair.unanswered);
        w.entry("syn_sent", pair.syn_sent);
        w.entry("answered_before", pair.answered_before);
        w.entry("answered_later", pair.answered_later);
        between(w, pair.first_ns, pair.last_ns);
    });
}
