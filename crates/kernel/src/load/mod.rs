//! Connection-rate load.
//!
//! One `epoll` a thread, edge-triggered, each descriptor registered once; a fixed number of slots, so that memory does not
//! grow with the number of connections. A closed loop opens a new connection when one ends; an open loop opens them on a
//! schedule and counts latencies from the moment at which each should have begun, so that a stalled server cannot hide behind a
//! generator that waits for it (coordinated omission).
//!
//! Where it makes no difference on the wire, a socket is not closed but disconnected (`connect()` with `AF_UNSPEC`) and used
//! again, once both sides have ended its connection: to the server it is a new connection from a new port each time, to the kernel it is up to a third less work.

mod http;
mod options;
mod renewal;
mod report;
mod schedule;
mod slot;
mod tally;
mod worker;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

pub use http::get_request;
pub use options::{CloseMode, Exchange, Options, Pace};
pub use report::{ClientLimit, Failure, Latency, Report};

use crate::connect::SetupError;
use crate::sys::{monotonic_ns, raise_descriptor_limit};
use schedule::Schedule;
use worker::Worker;

/// Counts of a running load, for whoever shows its progress.
#[derive(Debug, Default)]
pub struct Progress {
    attempted: AtomicU64,
    established: AtomicU64,
    completed: AtomicU64,
    failed: AtomicU64,
}

/// One look at a [`Progress`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Connects begun.
    pub attempted: u64,
    /// Handshakes completed.
    pub established: u64,
    /// Connections that did all they were asked to.
    pub completed: u64,
    /// Connections that did not.
    pub failed: u64,
}

impl Progress {
    /// The counts so far; up to a tenth of a second old.
    pub fn counts(&self) -> Counts {
        Counts {
            attempted: self.attempted.load(Ordering::Relaxed),
            established: self.established.load(Ordering::Relaxed),
            completed: self.completed.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }

    fn add(&self, more: Counts) {
        self.attempted.fetch_add(more.attempted, Ordering::Relaxed);
        self.established.fetch_add(more.established, Ordering::Relaxed);
        self.completed.fetch_add(more.completed, Ordering::Relaxed);
        self.failed.fetch_add(more.failed, Ordering::Relaxed);
    }
}

/// Runs a load to its end, or until `stop` is set, and reports what happened until then.
pub fn run(options: &Options, progress: &Progress, stop: &AtomicBool) -> Result<Report, SetupError> {
    let threads = options.threads.clamp(1, options.pace.connections().max(1));
    // Standard streams, the epolls and what the caller has open already.
    let spare = 64 + threads as u64;
    let sockets = (options.pace.connections() + options.waiting_room()) as u64;
    raise_descriptor_limit(sockets + spare).map_err(SetupError::new("RLIMIT_NOFILE"))?;
    let begin = monotonic_ns();
    let tickets = AtomicU64::new(0);
    let workers = (0..threads).map(|index| {
        let share = |total| share_of(total, threads, index);
        let shares = (share(options.pace.connections()), share(options.waiting_room()));
        Worker::new(
            options,
            shares,
            Schedule::new(options.pace, &tickets, begin, index, threads),
        )
    });
    let mut workers = workers.collect::<Result<Vec<_>, _>>()?;
    let tallies = thread::scope(|scope| {
        let running: Vec<_> = workers
            .iter_mut()
            .map(|worker| scope.spawn(|| worker.run(progress, stop)))
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect::<Result<Vec<_>, _>>()
    })?;
    Ok(Report::merge(tallies, monotonic_ns() - begin))
}

/// `total` split as evenly as it goes; the first threads take the rest.
fn share_of(total: usize, threads: usize, index: usize) -> usize {
    total / threads + usize::from(index < total % threads)
}
