//! What a test server tells about each connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;

use super::Queue;
use crate::sys::{Errno, TcpInfo, TcpOptions};

/// Something happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A connection was taken off the accept queue.
    Accepted(Accepted),
    /// A connection ended.
    Closed(Closed),
}

/// How long a connection waited in the accept queue.
///
/// `tcpi_last_data_sent` counts from the birth of the socket (`tcp_create_openreq_child` sets `lsndtime`), which is the
/// arrival of the handshake's last ACK (with `TCP_DEFER_ACCEPT` of the first data, with Fast Open of the SYN), until something is
/// sent; before `accept()` nothing can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AcceptWait {
    /// Milliseconds.
    pub ms: u32,
    /// The true value is less than so much away, either way: a jiffy of the kernel, at most 10 ms.
    pub precision_ms: u32,
}

/// A connection that was accepted, as it was at that moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// Number of the connection, from 0, on its server.
    pub id: u64,
    /// When it was accepted, nanoseconds since the epoch.
    pub at_ns: i64,
    /// The client.
    pub peer: SocketAddr,
    /// The listener.
    pub local: SocketAddr,
    /// SYN-ACK to the client's ACK, microseconds, by the kernel. `None` when the SYN-ACK was sent again, and for a connection
    /// from a SYN cookie, whose value is made up from a rounded timestamp.
    pub rtt_us: Option<u32>,
    /// Retransmissions of the SYN-ACK.
    pub syn_ack_retransmissions: u32,
    /// Timestamps, SACK, window scaling, ECN.
    pub options: TcpOptions,
    /// The SYN carried data that was taken: Fast Open.
    pub syn_data: bool,
    /// Made from a SYN cookie. `None` when the kernel keeps no SYNs.
    pub syn_cookie: Option<bool>,
    /// Bytes that had come by then, those of the SYN included.
    pub bytes_at_accept: u64,
    /// Time in the accept queue.
    pub accept_wait: AcceptWait,
    /// The accept queue, this connection no longer in it.
    pub queue: Option<Queue>,
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The client closed first.
    ByClient,
    /// The server closed first.
    ByServer,
    /// An error: `ECONNRESET` for the client's RST.
    Failed(Errno),
}

impl Ending {
    /// Its name in data.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ByClient => "client",
            Self::ByServer => "server",
            Self::Failed(_) => "error",
        }
    }

    /// The error number, where there is one.
    pub const fn errno(self) -> Option<Errno> {
        match self {
            Self::Failed(errno) => Some(errno),
            Self::ByClient | Self::ByServer => None,
        }
    }
}

/// A connection that ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closed {
    /// Its number.
    pub id: u64,
    /// The client.
    pub peer: SocketAddr,
    /// How.
    pub ending: Ending,
    /// Bytes from the client.
    pub received: u64,
    /// Bytes to the client.
    pub sent: u64,
    /// Accept to end, nanoseconds.
    pub open_ns: u64,
}

/// Frequencies of the kernel's clock tick are 100, 250, 300 and 1000 Hz (`CONFIG_HZ`); user space cannot ask which.
const JIFFY_MAX_MS: u32 = 10;

impl AcceptWait {
    pub(super) fn of(info: &TcpInfo) -> Self {
        Self {
            ms: info.last_data_sent_ms(),
            precision_ms: JIFFY_MAX_MS,
        }
    }
}

/// What happened since the start, whether anybody listened to the events or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Connections accepted.
    pub accepted: u64,
    /// Of those, closed first by the client.
    pub by_client: u64,
    /// Closed first by the server.
    pub by_server: u64,
    /// Ended by an error.
    pub failed: u64,
    /// Bytes from clients whose connection ended.
    pub received: u64,
    /// Bytes to them.
    pub sent: u64,
    /// Events that did not fit into the channel.
    pub lost_events: u64,
}

/// The running [`Totals`], shared by all threads.
#[derive(Debug, Default)]
pub(super) struct Tally {
    accepted: AtomicU64,
    by_client: AtomicU64,
    by_server: AtomicU64,
    failed: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
    lost_events: AtomicU64,
}

impl Tally {
    fn close(&self, closed: &Closed) {
        let ended = match closed.ending {
            Ending::ByClient => &self.by_client,
            Ending::ByServer => &self.by_server,
            Ending::Failed(_) => &self.failed,
        };
        ended.fetch_add(1, Ordering::Relaxed);
        self.received.fetch_add(closed.received, Ordering::Relaxed);
        self.sent.fetch_add(closed.sent, Ordering::Relaxed);
    }

    pub(super) fn totals(&self) -> Totals {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            accepted: read(&self.accepted),
            by_client: read(&self.by_client),
            by_server: read(&self.by_server),
            failed: read(&self.failed),
            received: read(&self.received),
            sent: read(&self.sent),
            lost_events: read(&self.lost_events),
        }
    }
}

/// The sending end of the events, and the counts.
#[derive(Clone, Debug)]
pub(super) struct Announcer {
    events: Option<SyncSender<Event>>,
    tally: Arc<Tally>,
}

impl Announcer {
    pub(super) const fn new(events: Option<SyncSender<Event>>, tally: Arc<Tally>) -> Self {
        Self { events, tally }
    }

    /// The number of the next connection, which is thereby accepted.
    pub(super) fn next_id(&self) -> u64 {
        self.tally.accepted.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether anybody listens: what costs system calls to find out is only worth it then.
    pub(super) const fn is_heard(&self) -> bool {
        self.events.is_some()
    }

    pub(super) fn tell(&self, event: Event) {
        if let Event::Closed(closed) = &event {
            self.tally.close(closed);
        }
        if let Some(events) = &self.events
            && events.try_send(event).is_err()
        {
            self.tally.lost_events.fetch_add(1, Ordering::Relaxed);
        }
    }
}
