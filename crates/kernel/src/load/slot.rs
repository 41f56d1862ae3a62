//! A place for one connection at a time.

use socket2::Socket;

use super::http::Response;

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
        }
    }

    pub(super) fn begin(&mut self, intended: u64, now: u64, requests: u32) {
        self.phase = Phase::Connecting;
        self.intended = intended;
        self.began = now;
        self.first = true;
        self.requests_left = requests.saturating_sub(1);
        self.next_request();
    }

    pub(super) fn next_request(&mut self) {
        self.sent = 0;
        self.received = 0;
        self.response.reset();
    }
}
