//! The summary as one compact JSON object.
//!
//! The keys, their units and their meanings are in `docs/summary.md`, key by key; a test compares that page with what is
//! written here. In short: `_us` are numbers with three decimals, `_ns` integers since the epoch, unknown is `null`, and in
//! an object of counts an absent key is 0. Written by hand because it is a few hundred lines of numbers, and no string in
//! it needs escaping: names are ours, addresses are printed from numbers.

mod rows;
mod writer;

use std::cmp::Reverse;

pub use writer::Writer;

use super::hosts::{Host, hosts};
use super::metric::Metric;
use super::tally::{Split, Tally};
use super::timeline::Peak;
use super::ttl::Ttls;
use super::{Interval, Summary, histogram};
use crate::{Anomaly, Close, FastOpen, Outcome, Side, TimeWait};

/// Rows of the lists of hosts and silent pairs.
const SHORT_LIST: usize = 100;

/// How much is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JsonLimits {
    /// Rows of `endpoints`; the rest is summed in `other_endpoints`.
    pub endpoints: usize,
    /// Time of the capture's last packet: who was waiting then has no verdict (`undecided`).
    pub end_ns: Option<i64>,
}

impl Default for JsonLimits {
    fn default() -> Self {
        Self {
            endpoints: 1000,
            end_ns: None,
        }
    }
}

impl Summary {
    /// All numbers as one JSON object; see `docs/summary.md`.
    pub fn to_json(&self, limits: JsonLimits) -> String {
        let (mut w, tally) = (Writer::default(), self.tally());
        w.object(|w| {
            self.write_counts(w, &tally);
            rows::undecided(w, &tally, limits.end_ns);
            self.write_distributions(w, &tally.split);
            self.write_endpoints(w, limits);
            self.write_hosts(w);
            w.key("silent_pairs");
            w.list(self.silent.list().into_iter().take(SHORT_LIST), rows::silent_pair);
        });
        w.finish()
    }

    fn write_counts(&self, w: &mut Writer, tally: &Tally) {
        let features = &self.features;
        w.entry("handshakes", tally.handshakes);
        w.entry("ipv6", features.ipv6);
        rows::span(w, tally);
        rows::outcomes(w, tally);
        w.entry("answered", tally.answered());
        rows::estimate(w, "clients", "clients_exact", self.clients(), tally.handshakes);
        w.entry("syn_sent", tally.syn_sent);
        w.entry("syn_ack_sent", tally.syn_ack_sent);
        rows::retransmission(w, &tally.retransmission);
        let named = |names: &mut dyn Iterator<Item = &'static str>, counts: &[u64]| -> Vec<_> {
            names.zip(counts.to_vec()).collect()
        };
        w.counts(
            "anomalies",
            named(&mut Anomaly::ALL.iter().map(|a| a.name()), &features.anomalies),
        );
        w.counts(
            "close",
            named(&mut Close::ALL.iter().map(|c| c.name()), &features.close),
        );
        w.counts(
            "closed_by",
            named(&mut Side::ALL.iter().map(|s| s.name()), &features.closed_by),
        );
        w.counts(
            "time_wait",
            named(&mut TimeWait::ALL.iter().map(|t| t.name()), &features.time_wait),
        );
        w.counts(
            "fast_open",
            named(&mut FastOpen::ALL.iter().map(|f| f.name()), &features.fast_open),
        );
        w.entry("simultaneous", features.simultaneous);
        w.entry("syn_data", features.syn_data);
    }

    fn write_distributions(&self, w: &mut Writer, split: &Split) {
        w.key("latency_us");
        rows::latency(w, self.latency.iter());
        w.key("peak");
        peak(w, self.peak());
        w.key("timeline");
        self.write_timeline(w);
        w.key("histogram");
        self.write_histogram(w);
        w.key("vantage");
        self.write_vantage(w, split);
    }

    fn write_timeline(&self, w: &mut Writer) {
        let Some(start) = self.timeline.start_ns() else {
            return w.null();
        };
        let column = |w: &mut Writer, name, value: fn(&Interval) -> u64| {
            w.key(name);
            w.list(self.timeline.bins(), |w, bin| w.integer(value(bin)));
        };
        w.object(|w| {
            w.entry("start_ns", start);
            w.key("width_s");
            w.float(Some(self.timeline.width_ns() as f64 / 1e9));
            column(w, "attempts", |bin| bin.attempts);
            column(w, "established", |bin| bin.established);
            column(w, "failed", |bin| bin.failed);
            column(w, "retransmitted", |bin| bin.retransmitted);
            w.key("handshake_max_us");
            w.list(self.timeline.bins(), |w, bin| w.micros(bin.handshake_max_ns));
        });
    }

    fn write_histogram(&self, w: &mut Writer) {
        let edges = histogram::edges();
        let counts: Vec<(Metric, _)> = self
            .latency
            .iter()
            .map(|(metric, q)| (metric, histogram::counts(q, &edges)))
            .collect();
        let used = histogram::used(counts.iter().map(|(_, c)| c));
        w.object(|w| {
            w.key("edges_us");
            let shown = if used.is_empty() {
                &[]
            } else {
                &edges[used.start..=used.end]
            };
            w.list(shown, |w, &edge| w.micros(Some(edge)));
            for (metric, counts) in &counts {
                w.key(metric.name());
                w.list(counts.bins.get(used.clone()).unwrap_or_default(), |w, &n| w.integer(n));
            }
            w.counts("below", counts.iter().map(|(metric, c)| (metric.name(), c.below)));
            w.counts("above", counts.iter().map(|(metric, c)| (metric.name(), c.above)));
        });
    }

    fn write_vantage(&self, w: &mut Writer, split: &Split) {
        w.object(|w| {
            w.entry("judged", split.judged);
            w.key("split");
            w.list(split.tenths, Writer::integer);
            w.entry("near_client", split.near_client);
            w.entry("near_server", split.near_server);
            w.key("ttl_client");
            ttls(w, &self.ttl_client);
            w.key("ttl_server");
            ttls(w, &self.ttl_server);
        });
    }

    fn write_endpoints(&self, w: &mut Writer, limits: JsonLimits) {
        let all = self.endpoints();
        let (shown, hidden) = all.split_at(limits.endpoints.min(all.len()));
        let folded = self.endpoints.folded();
        w.entry("endpoints_total", all.len());
        w.key("endpoints");
        w.list(shown, |w, row| rows::endpoint(w, row, limits.end_ns));
        w.key("other_endpoints");
        if hidden.is_empty() && folded == 0 {
            return w.null();
        }
        let mut other = self.endpoints.other().clone();
        for row in hidden {
            other.merge(&row.activity);
        }
        w.object(|w| {
            w.entry("endpoints", hidden.len() as u64 + folded);
            w.entry("folded", folded);
            rows::activity(w, &other, limits.end_ns);
        });
    }

    fn write_hosts(&self, w: &mut Writer) {
        let mut all = hosts(self.endpoints.rows());
        w.entry("hosts_total", all.len());
        all.sort_by_key(|host| (Reverse(host.tally.handshakes), host.address));
        w.key("hosts");
        w.list(all.iter().take(SHORT_LIST), rows::host);
        let silent =
            |host: &Host| host.tally.answered() == 0 && host.tally.handshakes > host.tally.outcome(Outcome::Partial);
        all.retain(silent);
        all.sort_by_key(|host| (Reverse(host.tally.syn_sent), host.address));
        w.entry("silent_hosts_total", all.len());
        w.key("silent_hosts");
        w.list(all.iter().take(SHORT_LIST), rows::host);
    }
}

fn peak(w: &mut Writer, peak: Option<Peak>) {
    let Some(peak) = peak else { return w.null() };
    w.object(|w| {
        w.entry("attempts", peak.attempts);
        w.entry("seconds", peak.width_ns / super::timeline::SECOND);
        w.entry("at_ns", peak.at_ns);
    });
}

fn ttls(w: &mut Writer, ttls: &Ttls) {
    w.object(|w| {
        w.entry("known", ttls.known());
        w.entry("pristine", ttls.pristine());
        w.key("hops_p50");
        w.optional(ttls.hops_median());
        w.counts("initial", ttls.by_initial());
    });
}

#[cfg(test)]
mod tests;
