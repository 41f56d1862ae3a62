//! What a test server may be told.

use std::net::SocketAddr;
use std::time::Duration;

/// How to serve. The default is an ordinary server on a free port of the loopback address that reads and says nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Where to listen.
    pub addresses: Vec<SocketAddr>,
    /// Of `listen()`, before the kernel cuts it at `somaxconn`. The accept queue holds one more.
    pub backlog: i32,
    /// `TCP_DEFER_ACCEPT`, seconds.
    pub defer_accept: Option<u32>,
    /// `TCP_FASTOPEN`: Fast Open connections that may wait for the end of their handshake.
    pub fast_open: Option<u32>,
    /// Listeners per address, each with a thread; more than one share the address by `SO_REUSEPORT`.
    pub reuse_port: usize,
    /// When to call `accept()`.
    pub accept: Accept,
    /// What to say.
    pub reply: Reply,
    /// Who closes.
    pub close: Close,
    /// `TCP_QUICKACK` of accepted sockets.
    pub quickack: Option<bool>,
    /// `TCP_NODELAY` of accepted sockets.
    pub nodelay: bool,
    /// Connections at the same time and thread; what comes beyond waits in the accept queue.
    pub max_connections: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            addresses: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
            backlog: 4096,
            defer_accept: None,
            fast_open: None,
            reuse_port: 1,
            accept: Accept::AtOnce,
            reply: Reply::Silent,
            close: Close::AfterClient,
            quickack: None,
            nodelay: false,
            max_connections: 65_536,
        }
    }
}

/// When to call `accept()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Accept {
    /// As soon as there is something to accept.
    AtOnce,
    /// So long after there is something to accept, one at a time: an application that is busy with something else.
    After(Duration),
    /// Not more often than so many times a second.
    PerSecond(u32),
    /// Not at all.
    Never,
}

/// What to say on an accepted connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// Nothing; what comes is read and forgotten.
    Silent,
    /// This, unasked.
    Banner(Vec<u8>),
    /// What comes.
    Echo,
    /// This body, to each HTTP/1.x request.
    Http(Vec<u8>),
}

/// Who closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Close {
    /// The server, when the client has; by FIN. An HTTP client may ask the server to close first.
    AfterClient,
    /// The server, by FIN, after its first reply (a silent one: at once).
    Fin,
    /// The server, by RST, after its first reply (a silent one: at once).
    Rst,
}
