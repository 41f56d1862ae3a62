//! What a load found out.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::tally::Tally;
use crate::connect::Outcome;
use crate::sys::Errno;

/// Why a connection did not do what it was asked to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Failure {
    /// `connect()` failed.
    Connect(Errno),
    /// An ICMPv6 error that means «prohibited» answered the SYN. The kernel says it by the `EACCES` (`icmpv6_err_convert`)
    /// with which `connect()` itself tells what is forbidden here, before a SYN.
    Prohibited,
    /// `connect()` had not ended at the timeout.
    ConnectTimeout,
    /// The open connection failed.
    Exchange(Errno),
    /// The answer was not complete at the timeout.
    ExchangeTimeout,
    /// The server closed before the answer was complete.
    ClosedEarly,
    /// The answer was not HTTP/1.x.
    BadResponse,
}

impl Failure {
    /// The error with which a connect that was under way has ended.
    pub const fn of_answer(errno: Errno) -> Self {
        match errno.0 {
            libc::EACCES => Self::Prohibited,
            _ => Self::Connect(errno),
        }
    }

    /// How the connect ended, when it is that which failed.
    pub const fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Connect(errno) => Some(Outcome::of_errno(errno)),
            Self::Prohibited => Some(Outcome::Unreachable),
            Self::ConnectTimeout => Some(Outcome::Timeout),
            Self::Exchange(_) | Self::ExchangeTimeout | Self::ClosedEarly | Self::BadResponse => None,
        }
    }

    /// Its name in data: of a connect the outcome's, of an exchange what was wrong with it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect(errno) => Outcome::of_errno(errno).name(),
            Self::Prohibited => Outcome::Unreachable.name(),
            Self::ConnectTimeout => Outcome::Timeout.name(),
            Self::Exchange(_) => "failed",
            Self::ExchangeTimeout => "timeout",
            Self::ClosedEarly => "closed_early",
            Self::BadResponse => "bad_response",
        }
    }

    /// The error number, where there is one.
    pub const fn errno(self) -> Option<Errno> {
        match self {
            Self::Connect(errno) | Self::Exchange(errno) => Some(errno),
            Self::Prohibited => Some(Errno(libc::EACCES)),
            Self::ConnectTimeout | Self::ExchangeTimeout | Self::ClosedEarly | Self::BadResponse => None,
        }
    }
}

/// Why it is this machine that kept the rate down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientLimit {
    /// `EADDRNOTAVAIL`: every local port to this destination is in use or in `TIME_WAIT`.
    Ports,
    /// `EMFILE` or `ENFILE`.
    Descriptors,
    /// `ENOMEM` or `ENOBUFS`.
    Memory,
    /// A thread had something to do for 95 % of the time or more, or began so late what an open loop had room for that the delay
    /// is half of what the slowest took in all.
    Cpu,
}

impl ClientLimit {
    /// Its name in data.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ports => "ports",
            Self::Descriptors => "descriptors",
            Self::Memory => "memory",
            Self::Cpu => "cpu",
        }
    }
}

/// A histogram of latencies in nanoseconds, three significant digits, up to ten minutes.
#[derive(Clone, Debug)]
pub struct Latency(Histogram<u64>);

/// Longest latency that is told apart.
const LATENCY_MAX_NS: u64 = 600_000_000_000;

impl Default for Latency {
    fn default() -> Self {
        Self(Histogram::new_with_max(LATENCY_MAX_NS, 3).expect("constant bounds that are in range"))
    }
}

impl Latency {
    pub(super) fn record(&mut self, ns: u64) {
        self.0.saturating_record(ns);
    }

    fn add(&mut self, other: &Self) {
        // Both have the same bounds, which is the only way for this to fail.
        self.0 += &other.0;
    }

    /// How many were recorded.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Nanoseconds at a quantile between 0 and 1; `None` when nothing was recorded.
    pub fn quantile_ns(&self, quantile: f64) -> Option<u64> {
        (self.count() > 0).then(|| self.0.value_at_quantile(quantile))
    }

    /// The longest.
    pub fn max_ns(&self) -> Option<u64> {
        (self.count() > 0).then(|| self.0.max())
    }

    /// Mean, nanoseconds.
    pub fn mean_ns(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.0.mean())
    }

    /// Every bucket that is not empty: its upper bound in nanoseconds and its count.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.0
            .iter_recorded()
            .map(|step| (step.value_iterated_to(), step.count_at_value()))
    }
}

/// The result of a load.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Wall time, nanoseconds.
    pub elapsed_ns: u64,
    /// The part of its time that a thread had something to do, of the busiest one. Not CPU time: a thread that other programs
    /// keep off the CPU is as much at its limit.
    pub busiest_thread: f64,
    /// Connects begun.
    pub attempted: u64,
    /// Handshakes completed.
    pub established: u64,
    /// Connections that did all they were asked to.
    pub completed: u64,
    /// Of these, those that the server closed first: its FIN or RST had come before this side ended them.
    pub closed_by_server: u64,
    /// Of these, those where it was an RST.
    pub reset_by_server: u64,
    /// Still open or unanswered when the load was stopped.
    pub abandoned: u64,
    /// Scheduled by an open loop and never begun.
    pub unstarted: u64,
    /// The others, by what went wrong.
    pub failures: BTreeMap<Failure, u64>,
    /// HTTP status codes.
    pub statuses: BTreeMap<u16, u64>,
    /// Begin (in an open loop: intended begin) to the end of the handshake.
    pub connect: Latency,
    /// End of the handshake to the first byte.
    pub first_byte: Latency,
    /// Begin (in an open loop: intended begin) to the end of the first answer.
    pub response: Latency,
    /// Requests on a connection that is open already: sent to the end of the answer.
    pub reused_response: Latency,
    /// How late connections of an open loop began.
    pub lag: Latency,
    /// How much of that was not for want of room among those that may be open: this side's own delay.
    pub own_lag: Latency,
    /// How long the thread that had to wait longest for a processor did, nanoseconds; `None` where the kernel does not tell.
    pub processor_wait_ns: Option<u64>,
    /// The kernel's own handshake round trip, of a sample of the connections.
    pub kernel_rtt: Latency,
    /// Connections whose SYN was sent again. Exact, but for initial timeouts below a fifth of a second.
    pub retransmitted: u64,
    /// How often.
    pub retransmissions: u64,
    /// Bytes of answers.
    pub received_bytes: u64,
    /// Sockets that could not be made for want of descriptors.
    pub no_descriptor: u64,
    /// Sockets that could not be made for want of memory.
    pub no_memory: u64,
}

/// Busy for this part of the time, a thread has nothing left to give; a load that waits for its server sleeps more.
const CPU_LIMIT: f64 = 0.95;

/// A shorter load has hardly begun: a few connections at once keep a thread busy, whoever is slow.
const CPU_JUDGED_NS: u64 = 100_000_000;

/// How late an open loop may be: timers and other programs make a thread late by less.
const LATE_NS: u64 = 1_000_000;

/// So many connections, and one in a hundred, have to be late: a few are at the beginning of every load.
const LATE_LEAST: u64 = 10;
const LATE_SHARE: u64 = 100;

impl Report {
    pub(super) fn merge(tallies: Vec<Tally>, elapsed_ns: u64) -> Self {
        let mut all = Self {
            elapsed_ns,
            ..Self::default()
        };
        for tally in tallies {
            all.add(&tally.report);
        }
        all
    }

    fn add(&mut self, one: &Self) {
        self.busiest_thread = self.busiest_thread.max(one.busiest_thread);
        self.attempted += one.attempted;
        self.established += one.established;
        self.completed += one.completed;
        self.closed_by_server += one.closed_by_server;
        self.reset_by_server += one.reset_by_server;
        self.abandoned += one.abandoned;
        self.unstarted += one.unstarted;
        for (&failure, &count) in &one.failures {
            *self.failures.entry(failure).or_default() += count;
        }
        for (&status, &count) in &one.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.connect.add(&one.connect);
        self.first_byte.add(&one.first_byte);
        self.response.add(&one.response);
        self.reused_response.add(&one.reused_response);
        self.lag.add(&one.lag);
        self.own_lag.add(&one.own_lag);
        self.processor_wait_ns = self.processor_wait_ns.max(one.processor_wait_ns);
        self.kernel_rtt.add(&one.kernel_rtt);
        self.retransmitted += one.retransmitted;
        self.retransmissions += one.retransmissions;
        self.received_bytes += one.received_bytes;
        self.no_descriptor += one.no_descriptor;
        self.no_memory += one.no_memory;
    }

    /// What on this machine limited the load, if anything did.
    pub fn client_limit(&self) -> Option<ClientLimit> {
        let failed_with = |number| self.failures.contains_key(&Failure::Connect(Errno(number)));
        if failed_with(libc::EADDRNOTAVAIL) {
            return Some(ClientLimit::Ports);
        }
        if self.no_descriptor > 0 {
            return Some(ClientLimit::Descriptors);
        }
        if self.no_memory > 0 || failed_with(libc::ENOBUFS) || failed_with(libc::ENOMEM) {
            return Some(ClientLimit::Memory);
        }
        // Without a single handshake there is no rate that could have been higher.
        let judged = self.established > 0 && self.elapsed_ns >= CPU_JUDGED_NS;
        (judged && (self.busiest_thread >= CPU_LIMIT || self.late().is_some())).then_some(ClientLimit::Cpu)
    }

    /// How many connections of an open loop began late by this side's own delay, and by how much or more, nanoseconds; `None` where
    /// that is less than half of what the slowest took, which counts from when they were due: to the end of their answers
    /// where there are any. As many that got none in time took longer than any delay here.
    pub fn late(&self) -> Option<(u64, u64)> {
        let many = LATE_LEAST.max(self.own_lag.count() / LATE_SHARE);
        let slowest = |latency: &Latency| latency.quantile_ns(1.0 - many as f64 / latency.count().max(many) as f64);
        let late = slowest(&self.own_lag)?;
        let timeouts = [Failure::ConnectTimeout, Failure::ExchangeTimeout];
        let unanswered: u64 = timeouts.iter().filter_map(|failure| self.failures.get(failure)).sum();
        let whole = if self.response.count() > 0 {
            &self.response
        } else {
            &self.connect
        };
        let waited = unanswered >= many || late < slowest(whole)? / 2;
        let noticed = self.own_lag.count() > many && late >= LATE_NS && !waited;
        noticed.then_some((many, late))
    }

    /// Completed handshakes a second.
    pub fn connections_per_s(&self) -> f64 {
        self.established as f64 * 1e9 / self.elapsed_ns.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 000 connections of which every tenth began `late_ns` late, whose handshakes took no longer than that.
    fn late_by(late_ns: u64) -> Report {
        let mut report = Report {
            established: 1_000,
            completed: 1_000,
            elapsed_ns: 1_000_000_000,
            ..Report::default()
        };
        for index in 0..1_000 {
            let lag = if index % 10 == 0 { late_ns } else { 0 };
            report.own_lag.record(lag);
            report.connect.record(lag + 50_000);
        }
        report
    }

    #[test]
    fn a_loop_that_begins_late_is_the_clients_limit_where_the_handshakes_took_no_longer() {
        assert_eq!(late_by(5_000_000).client_limit(), Some(ClientLimit::Cpu));
        assert_eq!(late_by(500_000).client_limit(), None);
    }

    #[test]
    fn a_server_that_answers_far_later_than_that_is_not_cleared() {
        let mut report = late_by(5_000_000);
        for _ in 0..1_000 {
            report.response.record(3_000_000_000);
        }
        assert_eq!(report.client_limit(), None);
    }

    #[test]
    fn nor_is_one_that_does_not_answer_in_time() {
        for timeout in [Failure::ConnectTimeout, Failure::ExchangeTimeout] {
            let mut report = late_by(5_000_000);
            report.failures.insert(timeout, 10);
            assert_eq!(report.client_limit(), None, "{timeout:?}");
            report.failures.insert(timeout, 9);
            assert_eq!(report.client_limit(), Some(ClientLimit::Cpu), "{timeout:?}");
        }
    }

    #[test]
    fn what_forbids_here_is_told_from_what_forbids_on_the_way() {
        let here = Failure::Connect(Errno(libc::EACCES));
        let there = Failure::of_answer(Errno(libc::EACCES));
        assert_eq!((here.name(), there.name()), ("not_sent", "unreachable"));
        assert_eq!(here.errno(), there.errno());
        let refused = Errno(libc::ECONNREFUSED);
        assert_eq!(Failure::of_answer(refused), Failure::Connect(refused));
    }
}
