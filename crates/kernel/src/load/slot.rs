//! A place for one connection at a time.

use socket2::Socket;

use super::http::Response;
use super::renewal::Renewal;

/// Where the connection in a slot stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// None.
    Idle,
    /// SYN sent.
    Connecting,
    /// Request not sent whole.
    Sending,
    /// Answer not read whole.
    Reading,
    /// All done but the server's FIN.
    Closing,
    /// None any more for this side, and its socket waits for the server's part of the end to be used again.
    Lingering,
}

impl Phase {
    /// Whether a connection is under way.
    pub(super) const fn is_active(self) -> bool {
        !matches!(self, Self::Idle | Self::Lingering)
    }
}

/// A slot. Its socket outlives a connection that was ended by disconnecting.
#[derive(Debug)]
pub(super) struct Slot {
    pub socket: Option<Socket>,
    pub phase: Phase,
    /// When it should have begun.
    pub intended: u64,
    /// When it began.
    pub began: u64,
    /// End of the handshake.
    pub established: u64,
    /// When the present request was sent.
    pub asked: u64,
    /// Bytes of the present request that were sent.
    pub sent: usize,
    /// Requests to send after the present one.
    pub requests_left: u32,
    /// Whether this is the first request of the connection.
    pub first: bool,
    /// Bytes of the present answer.
    pub received: u64,
    pub response: Response,
    /// Whether the server's FIN has come.
    pub peer_closed: bool,
    /// Whether it was its RST that came.
    pub peer_reset: bool,
}

impl Slot {
    pub(super) const fn new() -> Self {
        Self {
            socket: None,
            phase: Phase::Idle,
            intended: 0,
            began: 0,
            established: 0,
            asked: 0,
            sent: 0,
            requests_left: 0,
            first: true,
            received: 0,
            response: Response::new(),
            peer_closed: false,
            peer_reset: false,
        }
    }

    pub(super) fn begin(&mut self, intended: u64, now: u64, requests: u32) {
        self.phase = Phase::Connecting;
        self.intended = intended;
        self.began = now;
        self.first = true;
        self.peer_closed = false;
        self.peer_reset = false;
        self.requests_left = requests.saturating_sub(1);
        self.next_request();
    }

    /// What is to be done with the socket of a connection that is over.
    pub(super) fn adopt(&mut self, renewal: Option<Renewal>) {
        self.phase = Phase::Idle;
        match renewal {
            Some(Renewal::Ready) => {}
            Some(Renewal::Later) => self.phase = Phase::Lingering,
            Some(Renewal::Never) | None => self.socket = None,
        }
    }

    pub(super) fn next_request(&mut self) {
        self.sent = 0;
        self.received = 0;
        self.response.reset();
    }
}
