//! What a load may be told.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The load.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Whom to connect to.
    pub target: SocketAddr,
    /// Local addresses, used in turn; empty: the kernel chooses. Each has its own range of ports.
    pub sources: Vec<IpAddr>,
    /// How many connections, and when.
    pub pace: Pace,
    /// What to do with each.
    pub exchange: Exchange,
    /// How each ends.
    pub close: CloseMode,
    /// Longest life of a connection that does not succeed.
    pub timeout: Duration,
    /// Threads.
    pub threads: usize,
}

impl Options {
    /// Room for sockets that wait, after their connections, for the server's part of the end.
    pub(super) const fn waiting_room(&self) -> usize {
        match self.close {
            CloseMode::Rst => 0,
            CloseMode::Fin | CloseMode::ServerFirst => self.pace.connections(),
        }
    }
}

/// How many connections, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// A new one when one ends.
    Closed {
        /// At the same time.
        connections: usize,
        /// In all.
        total: u64,
        /// How long to start new ones, if that ends before the total is reached.
        duration: Option<Duration>,
    },
    /// On a schedule.
    Open {
        /// Connections a second, at least 1.
        rate: u64,
        /// How long to start new ones.
        duration: Duration,
        /// At the same time at most; what is due beyond it starts late, and its latency counts from when it was due.
        max_in_flight: usize,
    },
}

impl Pace {
    /// Connections at the same time at most.
    pub const fn connections(self) -> usize {
        match self {
            Self::Closed { connections, .. } => connections,
            Self::Open { max_in_flight, .. } => max_in_flight,
        }
    }
}

/// What to do with an open connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Exchange {
    /// Nothing.
    Connect,
    /// Send, then read until the server closes or `expect` bytes have come.
    Send {
        /// What to send; may be empty.
        payload: Vec<u8>,
        /// How many bytes are the whole answer; `None`: until the server closes.
        expect: Option<u64>,
    },
    /// HTTP/1.1 requests, one after the other.
    Http {
        /// All but the last one.
        request: Vec<u8>,
        /// The last one, which may ask the server to close.
        last_request: Vec<u8>,
        /// How many, at least 1.
        per_connection: u32,
    },
}

/// Who closes, and so who keeps `TIME_WAIT`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseMode {
    /// This side by FIN, and keeps `TIME_WAIT`.
    Fin,
    /// This side by RST; nobody keeps `TIME_WAIT`.
    Rst,
    /// The server, which keeps `TIME_WAIT`.
    ServerFirst,
}
