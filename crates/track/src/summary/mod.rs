//! Everything numeric that is said of many handshakes, computed while they pass by.
//!
//! [`Summary`] is a [`Sink`]: it takes each finished [`Handshake`] once and keeps counts, distributions and a few records.
//! [`Summary::to_json`] writes them; `docs/summary.md` says what every key means. To judge the numbers («this is a flood»)
//! is the business of Python.
//!
//! **Limits.** Totals 15 MiB, endpoints 64 MiB (and 8 MiB to find them) and 65 536 rows; what does not fit is folded into one row and counted,
//! silent pairs 2 MiB, slowest and failed as many records as asked for. None of it grows with the capture.
//!
//! - [`tally`], [`metric`], [`timeline`], [`ttl`]: the parts of the totals.
//! - [`endpoints`], [`silent`]: the bounded tables.
//! - [`slowest`], [`failed`]: the records that are kept.
//! - [`distinct`], [`hash`]: how addresses are counted and found.
//! - [`histogram`], [`json`]: what is written.

pub mod distinct;
pub mod endpoints;
pub mod failed;
mod hash;
pub mod histogram;
mod hosts;
pub mod json;
pub mod metric;
pub mod silent;
pub mod slowest;
pub mod tally;
#[cfg(test)]
mod testing;
pub mod timeline;
pub mod ttl;
pub mod waiting;

use distinct::Estimate;
use endpoints::{Endpoint, EndpointLimits, Endpoints, Server};
use failed::Failed;
use metric::{Latency, Metric, has_durations};
use silent::SilentPairs;
use slowest::Slowest;
use tally::Tally;
use timeline::{Bin, Peak, Rate, Timeline};
use ttl::Ttls;

use crate::quantiles::{Precision, Quantiles};
use crate::{
    Anomalies, Anomaly, Close, FastOpen, Fetch, Handshake, Leaving, Outcome, Side, Sink, TimeWait, Unanswered,
};

/// Bins of the timeline: about as many as a page has room for.
const TIMELINE_BINS: usize = 600;
/// Bins of the overall rate: exact seconds over half an hour.
const RATE_BINS: usize = 2048;

/// How much a summary keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Slowest handshakes kept.
    pub slowest: usize,
    /// Failed attempts kept.
    pub failed: usize,
    /// Endpoints kept.
    pub endpoints: EndpointLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            slowest: 10,
            failed: 10,
            endpoints: EndpointLimits::default(),
        }
    }
}

/// What happened in an interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Interval {
    /// Attempts begun in it.
    pub attempts: u64,
    /// Of those, established.
    pub established: u64,
    /// Of those, neither established nor partial.
    pub failed: u64,
    /// Of those, with more than one SYN.
    pub retransmitted: u64,
    /// The longest handshake of those, nanoseconds.
    pub handshake_max_ns: Option<i64>,
}

impl Bin for Interval {
    fn absorb(&mut self, next: &Self) {
        self.attempts += next.attempts;
        self.established += next.established;
        self.failed += next.failed;
        self.retransmitted += next.retransmitted;
        self.handshake_max_ns = self.handshake_max_ns.max(next.handshake_max_ns);
    }
}

impl Interval {
    fn add(&mut self, h: &Handshake) {
        self.attempts += 1;
        match h.outcome {
            Outcome::Established => self.established += 1,
            Outcome::Partial => {}
            _ => self.failed += 1,
        }
        self.retransmitted += u64::from(h.syn_sent > 1);
        self.handshake_max_ns = self.handshake_max_ns.max(h.handshake_ns);
    }
}

/// Counts of what only the totals have.
#[derive(Debug, Default)]
struct Features {
    ipv6: u64,
    simultaneous: u64,
    syn_data: u64,
    anomalies: [u64; Anomaly::ALL.len()],
    close: [u64; Close::ALL.len()],
    closed_by: [u64; Side::ALL.len()],
    time_wait: [u64; TimeWait::ALL.len()],
    fast_open: [u64; FastOpen::ALL.len()],
}

impl Features {
    /// As [`Features::add`] for one SYN and nothing else.
    fn unanswered(&mut self, syn: &Unanswered) {
        self.ipv6 += u64::from(syn.client.v6);
        self.odd(syn.anomalies);
        self.fast_open[FastOpen::Requested as usize] += u64::from(syn.asks_fast_open);
    }

    fn odd(&mut self, anomalies: Anomalies) {
        if anomalies != Anomalies::default() {
            anomalies.iter().for_each(|a| self.anomalies[a as usize] += 1);
        }
    }

    fn add(&mut self, h: &Handshake) {
        self.ipv6 += u64::from(h.client.v6);
        self.simultaneous += u64::from(h.simultaneous);
        self.syn_data += u64::from(h.syn_data_bytes.is_some_and(|n| n > 0));
        self.odd(h.anomalies);
        count(&mut self.close, h.close.map(|c| c as usize));
        count(&mut self.closed_by, h.closed_by.map(|s| s as usize));
        count(&mut self.time_wait, h.time_wait.map(|t| t as usize));
        count(&mut self.fast_open, h.fast_open.map(|f| f as usize));
    }
}

fn count(counts: &mut [u64], index: Option<usize>) {
    if let Some(count) = index.and_then(|i| counts.get_mut(i)) {
        *count += 1;
    }
}

/// The numbers of many handshakes.
#[derive(Debug)]
pub struct Summary {
    features: Features,
    latency: Latency<{ Metric::ALL.len() }>,
    timeline: Timeline<Interval>,
    rate: Rate,
    ttl_client: Ttls,
    ttl_server: Ttls,
    endpoints: Endpoints,
    silent: SilentPairs,
    slowest: Slowest,
    failed: Failed,
}

impl Default for Summary {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Sink for Summary {
    fn handshake(&mut self, h: &Handshake) {
        self.features.add(h);
        if h.timed {
            self.timeline.at(h.start_ns).add(h);
            self.rate.add(h.start_ns, 1);
        }
        self.endpoints.add(h);
        self.silent.add(h);
        if h.outcome == Outcome::Established {
            // Only these: the TTLs of a flood are as made up as its addresses.
            self.ttl_client.add(h.ttl_client);
            self.ttl_server.add(h.ttl_server);
        } else {
            self.failed.add(h);
        }
        if has_durations(h) {
            self.latency.add(h);
            self.slowest.add(h);
        }
    }
}

impl Summary {
    /// Takes what has ended. One SYN and nothing else is summed up without its record, which `record` makes where it is
    /// wanted all the same.
    pub fn ended(&mut self, ended: Leaving<'_>) {
        let Some(syn) = ended.unanswered() else {
            self.handshake(&ended.record());
            return;
        };
        self.features.unanswered(&syn);
        let interval = self.timeline.at(syn.start_ns);
        interval.attempts += 1;
        interval.failed += 1;
        self.rate.add(syn.start_ns, 1);
        self.endpoints.unanswered(&syn);
        self.failed.unanswered(&syn, || ended.record());
    }

    /// Asks for what [`Summary::ended`] will touch when it is given this one, some handshakes later.
    pub fn expect<F: Fetch>(&mut self, ended: &Leaving<'_>) {
        if let Some((address, port)) = ended.server() {
            self.endpoints.expect::<F>(Server { address, port });
        }
    }

    /// Of no handshake yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            features: Features::default(),
            latency: Latency::new(Precision::TOTAL),
            timeline: Timeline::new(TIMELINE_BINS),
            rate: Rate::new(RATE_BINS),
            ttl_client: Ttls::default(),
            ttl_server: Ttls::default(),
            endpoints: Endpoints::new(limits.endpoints),
            silent: SilentPairs::default(),
            slowest: Slowest::new(limits.slowest),
            failed: Failed::new(limits.failed),
        }
    }

    /// Counts of all handshakes.
    pub fn tally(&self) -> Tally {
        self.endpoints.tally()
    }

    /// Distribution of one duration over all handshakes.
    pub fn latency(&self, metric: Metric) -> &Quantiles {
        self.latency.get(metric)
    }

    /// Handshakes with an anomaly.
    pub fn anomaly(&self, anomaly: Anomaly) -> u64 {
        self.features.anomalies[anomaly as usize]
    }

    /// Connections after which this side (or both) holds `TIME_WAIT`.
    pub fn time_wait(&self, holder: TimeWait) -> u64 {
        self.features.time_wait[holder as usize]
    }

    /// Distinct client addresses.
    pub fn clients(&self) -> Estimate {
        self.endpoints.clients().estimate()
    }

    /// The busiest interval.
    pub fn peak(&self) -> Option<Peak> {
        self.rate.peak()
    }

    /// What happened when.
    pub fn timeline(&self) -> &Timeline<Interval> {
        &self.timeline
    }

    /// Server endpoints, the one with the most attempts first.
    pub fn endpoints(&self) -> Vec<&Endpoint> {
        let mut rows: Vec<&Endpoint> = self.endpoints.rows().iter().collect();
        rows.sort_unstable_by_key(|row| (std::cmp::Reverse(row.activity.tally.handshakes), row.server));
        rows
    }

    /// The slowest handshakes, slowest first.
    pub fn slowest(&self) -> Vec<&Handshake> {
        self.slowest.list()
    }

    /// Failed attempts, spread over endpoints and outcomes (see [`failed`]), by start.
    pub fn failed(&self) -> Vec<&Handshake> {
        self.failed.list()
    }
}
