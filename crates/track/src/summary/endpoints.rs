//! Server endpoints, as many as fit: the ones with the fewest attempts are folded into one row when there are too many.

use std::collections::HashMap;

use halfopen_wire::Address;

use super::distinct::Distinct;
use super::hash::Seed;
use super::metric::{Latency, has_durations};
use super::tally::Tally;
use super::timeline::Rate;
use crate::quantiles::Precision;
use crate::{Fetch, Handshake, Outcome, Unanswered};

/// Bins of an endpoint's rate: exact seconds while it is active for up to 256 s.
const RATE_BINS: usize = 256;
/// Metrics of an endpoint.
const METRICS: usize = 4;
/// So many rows are asked for step by step.
const EXPECTED: usize = 16;
/// By then a row has come; and what it points to, as many later.
const ARRIVED: usize = 8;

/// An address and a port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Server {
    /// Address.
    pub address: Address,
    /// Port.
    pub port: u16,
}

impl Server {
    /// The endpoint that a SYN was for.
    pub const fn asked_by(syn: &Unanswered) -> Self {
        Self {
            address: syn.server,
            port: syn.server_port,
        }
    }

    /// The endpoint that a handshake was for.
    pub fn of(h: &Handshake) -> Self {
        Self {
            address: h.server,
            port: h.server_port,
        }
    }
}

/// What is known of the attempts at one endpoint, or at several.
#[derive(Clone, Debug)]
pub struct Activity {
    /// Counts.
    pub tally: Tally,
    /// Clients of established and partial attempts.
    pub connected: Distinct,
    /// Clients of all others.
    pub failed: Distinct,
    /// Attempts begun per second.
    pub rate: Rate,
    /// Distributions, once there is a duration: most rows of a scan never have one.
    latency: Option<Box<Latency<METRICS>>>,
}

impl Default for Activity {
    fn default() -> Self {
        Self {
            tally: Tally::default(),
            connected: Distinct::default(),
            failed: Distinct::default(),
            rate: Rate::new(RATE_BINS),
            latency: None,
        }
    }
}

impl Activity {
    /// Adds a handshake.
    pub fn add(&mut self, h: &Handshake) {
        self.tally.add(h);
        if h.timed {
            self.rate.add(h.start_ns, 1);
        }
        match h.outcome {
            Outcome::Established | Outcome::Partial => self.connected.add(h.client),
            _ => self.failed.add(h.client),
        }
        if has_durations(h) {
            self.latency_mut().add(h);
        }
    }

    /// As [`Activity::add`] for one SYN and nothing else.
    pub fn unanswered(&mut self, syn: &Unanswered) {
        self.tally.unanswered(syn.start_ns);
        self.rate.add(syn.start_ns, 1);
        self.failed.add(syn.client);
    }

    fn latency_mut(&mut self) -> &mut Latency<METRICS> {
        self.latency
            .get_or_insert_with(|| Box::new(Latency::new(Precision::ENDPOINT)))
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        self.tally.merge(&other.tally);
        self.rate.merge(&other.rate);
        self.connected.merge(&other.connected);
        self.failed.merge(&other.failed);
        if let Some(theirs) = &other.latency {
            self.latency_mut().merge(theirs);
        }
    }

    /// The distributions; `None` without any duration.
    pub fn latency(&self) -> Option<&Latency<METRICS>> {
        self.latency.as_deref()
    }

    /// All clients.
    pub fn clients(&self) -> Distinct {
        let mut all = self.connected.clone();
        all.merge(&self.failed);
        all
    }

    /// Asks for itself. Parts that share a line are asked for once, as good as for nothing.
    fn fetch<F: Fetch>(&self) {
        let tally = &self.tally;
        F::fetch(&tally.handshakes);
        F::fetch(&tally.syn_ack_sent);
        F::fetch(&tally.retransmission);
        F::fetch(&tally.split);
        F::fetch(&tally.no_answer);
        F::fetch(&tally.no_ack);
        F::fetch(&tally.round_trip_min_ns);
        F::fetch(&tally.last_ns);
        F::fetch(&self.connected);
        F::fetch(&self.failed);
        F::fetch(&self.rate);
        F::fetch(&self.latency);
    }

    /// Asks for what it points to.
    fn fetch_parts<F: Fetch>(&self) {
        self.rate.fetch::<F>();
        self.connected.fetch::<F>();
        if let Some(latency) = &self.latency {
            latency.fetch::<F>();
        }
    }

    /// Asks for what that points to.
    fn fetch_values<F: Fetch>(&self) {
        if let Some(latency) = &self.latency {
            latency.fetch_values::<F>();
        }
    }

    fn heap_bytes(&self) -> usize {
        let latency = self.latency.as_ref().map_or(0, |l| size_of_val(&**l) + l.heap_bytes());
        self.tally.heap_bytes()
            + self.connected.heap_bytes()
            + self.failed.heap_bytes()
            + self.rate.heap_bytes()
            + latency
    }
}

/// One endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Which.
    pub server: Server,
    /// What happened there.
    pub activity: Activity,
    /// Bytes on the heap when last looked.
    heap_bytes: usize,
}

/// How much may be held of endpoints.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EndpointLimits {
    /// Rows.
    pub rows: usize,
    /// Bytes of all rows.
    pub bytes: usize,
}

impl Default for EndpointLimits {
    fn default() -> Self {
        Self {
            rows: 1 << 16,
            bytes: 64 << 20,
        }
    }
}

/// The endpoints of a capture.
#[derive(Debug)]
pub struct Endpoints {
    limits: EndpointLimits,
    rows: Vec<Endpoint>,
    index: HashMap<Server, u32, Seed>,
    /// Where the last handshake went: floods and load tests hit one endpoint again and again.
    last: usize,
    /// Rows that were asked for, the latest first: what they point to is asked for when they have come.
    expected: [u32; EXPECTED],
    heap_bytes: usize,
    folded: u64,
    other: Activity,
}

impl Endpoints {
    /// None yet.
    pub fn new(limits: EndpointLimits) -> Self {
        Self {
            limits: EndpointLimits {
                rows: limits.rows.max(2),
                ..limits
            },
            rows: Vec::new(),
            index: HashMap::with_hasher(Seed::random()),
            last: 0,
            expected: [u32::MAX; EXPECTED],
            heap_bytes: 0,
            folded: 0,
            other: Activity::default(),
        }
    }

    /// Adds a handshake to its endpoint.
    #[inline]
    pub fn add(&mut self, h: &Handshake) {
        self.row(Server::of(h)).activity.add(h);
        self.settle();
    }

    /// As [`Endpoints::add`] for one SYN and nothing else.
    #[inline]
    pub fn unanswered(&mut self, syn: &Unanswered) {
        self.row(Server::asked_by(syn)).activity.unanswered(syn);
        self.settle();
    }

    /// Asks for the row that a handshake with this endpoint will be added to, and one step further for those before it.
    pub fn expect<F: Fetch>(&mut self, server: Server) {
        let at = self.index.get(&server).copied().unwrap_or(u32::MAX);
        let row = |at: u32| self.rows.get(at as usize).map(|row| &row.activity);
        if let Some(row) = self.rows.get(at as usize) {
            F::fetch(&row.server);
            row.activity.fetch::<F>();
        }
        if let Some(activity) = row(self.expected[ARRIVED - 1]) {
            activity.fetch_parts::<F>();
        }
        if let Some(activity) = row(self.expected[EXPECTED - 1]) {
            activity.fetch_values::<F>();
        }
        self.expected.copy_within(..EXPECTED - 1, 1);
        self.expected[0] = at;
    }

    #[inline]
    fn row(&mut self, server: Server) -> &mut Endpoint {
        if self.rows.get(self.last).is_none_or(|row| row.server != server) {
            self.last = self.find(server);
        }
        &mut self.rows[self.last]
    }

    /// Counts the bytes of the row that was added to, and folds when they are too many.
    #[inline]
    fn settle(&mut self) {
        let row = &mut self.rows[self.last];
        let bytes = row.activity.heap_bytes();
        self.heap_bytes = self.heap_bytes + bytes - row.heap_bytes;
        row.heap_bytes = bytes;
        if self.bytes() > self.limits.bytes && self.rows.len() > 1 {
            self.fold();
        }
    }

    fn find(&mut self, server: Server) -> usize {
        if let Some(&at) = self.index.get(&server) {
            return at as usize;
        }
        if self.rows.len() >= self.limits.rows {
            self.fold();
        }
        self.index.insert(server, self.rows.len() as u32);
        self.rows.push(Endpoint {
            server,
            activity: Activity::default(),
            heap_bytes: 0,
        });
        self.rows.len() - 1
    }

    fn bytes(&self) -> usize {
        self.heap_bytes + self.rows.len() * size_of::<Endpoint>()
    }

    /// Folds the less interesting half into `other`. Half, so that the cost of choosing is spread over as many new rows.
    #[cold]
    fn fold(&mut self) {
        let middle = self.rows.len() / 2;
        self.rows
            .select_nth_unstable_by_key(middle, |row| std::cmp::Reverse(interest(row)));
        for row in self.rows.drain(middle..) {
            self.heap_bytes -= row.heap_bytes;
            self.other.merge(&row.activity);
            self.folded += 1;
        }
        self.index = HashMap::with_capacity_and_hasher(self.limits.rows.min(4 * middle), *self.index.hasher());
        self.index
            .extend(self.rows.iter().zip(0..).map(|(row, at)| (row.server, at)));
        self.last = 0;
    }

    /// The rows, in no order.
    pub fn rows(&self) -> &[Endpoint] {
        &self.rows
    }

    /// Counts over everything that was added: no handshake is counted twice while it passes, they are summed when asked for.
    pub fn tally(&self) -> Tally {
        let mut all = self.other.tally.clone();
        for row in &self.rows {
            all.merge(&row.activity.tally);
        }
        all
    }

    /// The clients of everything that was added.
    pub fn clients(&self) -> Distinct {
        let mut all = self.other.clients();
        for row in &self.rows {
            all.merge(&row.activity.connected);
            all.merge(&row.activity.failed);
        }
        all
    }

    /// How many rows were folded away.
    pub fn folded(&self) -> u64 {
        self.folded
    }

    /// What was folded away.
    pub fn other(&self) -> &Activity {
        &self.other
    }
}

/// Attempts, and a head start for an endpoint that answers: a scan leaves many that never did. Earlier ones win a tie.
fn interest(row: &Endpoint) -> (u64, i64) {
    let tally = &row.activity.tally;
    let head_start = if tally.outcome(Outcome::Established) > 0 { 16 } else { 0 };
    (tally.handshakes + head_start, -(tally.first_ns.max(-i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{T0, established, handshake};
    use super::*;

    fn at_port(mut h: Handshake, server_port: u16) -> Handshake {
        h.server_port = server_port;
        h
    }

    #[test]
    fn a_scan_is_folded_and_nothing_is_lost() {
        let mut endpoints = Endpoints::new(EndpointLimits {
            rows: 64,
            bytes: 1 << 20,
        });
        for port in 1..=5000u16 {
            endpoints.add(&at_port(handshake(Outcome::Refused), port));
            if port % 100 == 0 {
                endpoints.add(&at_port(established(1000, 10), 443));
            }
        }
        assert!(endpoints.rows().len() <= 64);
        assert_eq!(endpoints.tally().handshakes, 5050);
        assert_eq!(endpoints.folded() as usize + endpoints.rows().len(), 5000);
        let kept = endpoints.rows().iter().find(|row| row.server.port == 443).unwrap();
        assert_eq!(kept.activity.tally.outcome(Outcome::Established), 50);
        assert_eq!(kept.activity.latency().unwrap().iter().next().unwrap().1.count(), 50);
    }

    #[test]
    fn rows_fit_into_their_bytes() {
        let limits = EndpointLimits {
            rows: 1 << 16,
            bytes: 256 << 10,
        };
        let mut endpoints = Endpoints::new(limits);
        for i in 0..60_000i64 {
            let mut h = at_port(established(1 + i, i % 700), (i % 1000) as u16);
            h.start_ns = T0 + i * 1_000_000_000;
            h.client = Address::from_v4((i as u32).to_be_bytes());
            endpoints.add(&h);
            assert!(endpoints.bytes() <= limits.bytes);
        }
        let real: usize = endpoints.rows().iter().map(|row| row.activity.heap_bytes()).sum();
        assert_eq!(real, endpoints.heap_bytes);
        assert_eq!(endpoints.tally().handshakes, 60_000);
    }

    #[test]
    fn clients_are_counted_by_what_became_of_them() {
        let mut activity = Activity::default();
        for i in 0..300u32 {
            let client = Address::from_v4((i % 200).to_be_bytes());
            activity.add(&Handshake {
                client,
                ..handshake(Outcome::Unanswered)
            });
            activity.add(&Handshake {
                client: Address::from_v4([10, 0, 0, (i % 4) as u8]),
                ..established(5, 5)
            });
        }
        let sizes = [&activity.connected, &activity.failed, &activity.clients()].map(|set| set.estimate().count);
        assert_eq!(sizes, [4, 200, 204]);
    }
}
