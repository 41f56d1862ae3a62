//! One thread's counts.

use super::{Counts, Failure, Progress, Report};
use crate::sys::{Errno, TcpInfo, monotonic_ns, processor_wait_ns};

/// One connection in so many has its `TCP_INFO` read: half a microsecond each.
const SAMPLE_EVERY: u64 = 64;

/// No SYN is sent again earlier, unless a `sock_ops` program shortens the initial timeout of a second by more than four fifths.
const RETRANSMISSION_NS: u64 = 200_000_000;

/// Counts of one thread, and what of them the progress has been told.
#[derive(Debug)]
pub(super) struct Tally {
    pub report: Report,
    failed: u64,
    told: Counts,
    begin: u64,
    /// See [`processor_wait_ns`].
    processor_wait: Option<u64>,
    /// Time spent waiting for something to do, nanoseconds.
    waited: u64,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            report: Report::default(),
            failed: 0,
            told: Counts::default(),
            begin: monotonic_ns(),
            processor_wait: processor_wait_ns(),
            waited: 0,
        }
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.failed += 1;
        *self.report.failures.entry(failure).or_default() += 1;
    }

    /// Whether a handshake that took so long is one to read `TCP_INFO` of.
    pub(super) fn wants_info(&self, took_ns: u64) -> bool {
        took_ns >= RETRANSMISSION_NS || self.report.established.is_multiple_of(SAMPLE_EVERY)
    }

    /// What it says about the SYN.
    pub(super) fn learn(&mut self, info: &TcpInfo, established: bool) {
        let retransmissions = info.total_retrans();
        if retransmissions > 0 {
            self.report.retransmitted += 1;
            self.report.retransmissions += u64::from(retransmissions);
        } else if established {
            self.report.kernel_rtt.record(u64::from(info.rtt_us()) * 1000);
        }
    }

    /// A socket that could not be made.
    pub(super) fn no_socket(&mut self, errno: Errno) {
        match errno.0 {
            libc::EMFILE | libc::ENFILE => self.report.no_descriptor += 1,
            libc::ENOMEM | libc::ENOBUFS => self.report.no_memory += 1,
            _ => self.fail(Failure::Connect(errno)),
        }
    }

    /// Brings the shared counts up to date.
    pub(super) fn tell(&mut self, progress: &Progress) {
        let now = Counts {
            attempted: self.report.attempted,
            established: self.report.established,
            completed: self.report.completed,
            failed: self.failed,
        };
        progress.add(Counts {
            attempted: now.attempted - self.told.attempted,
            established: now.established - self.told.established,
            completed: now.completed - self.told.completed,
            failed: now.failed - self.told.failed,
        });
        self.told = now;
    }

    /// A connection of an open loop that was due at `intended` begins `now`; there was room for it from `room` on.
    pub(super) fn begins_late(&mut self, intended: u64, room: u64, now: u64) {
        self.report.lag.record(now.saturating_sub(intended));
        self.report.own_lag.record(now.saturating_sub(intended.max(room)));
    }

    /// The thread slept, or at least looked whether there is something to do.
    pub(super) fn waited(&mut self, ns: u64) {
        self.waited += ns;
    }

    /// Ends the count.
    pub(super) fn close(mut self) -> Self {
        let wall = (monotonic_ns() - self.begin).max(1);
        let waits = self.processor_wait.zip(processor_wait_ns());
        self.report.processor_wait_ns = waits.map(|(before, after)| after.saturating_sub(before));
        self.report.busiest_thread = 1.0 - self.waited as f64 / wall as f64;
        self
    }
}
