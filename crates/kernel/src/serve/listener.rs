//! Listeners: their options, and when to accept.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::{Accept, Options};
use crate::connect::SetupError;
use crate::sys::set_int;

/// A listening, non-blocking socket.
pub(super) fn open(address: SocketAddr, options: &Options) -> Result<Socket, SetupError> {
    let domain = Domain::for_address(address);
    let socket =
        Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP)).map_err(SetupError::new("socket"))?;
    socket
        .set_reuse_address(true)
        .map_err(SetupError::new("SO_REUSEADDR"))?;
    if options.reuse_port > 1 {
        socket.set_reuse_port(true).map_err(SetupError::new("SO_REUSEPORT"))?;
    }
    if address.is_ipv6() {
        // `[::]` and `0.0.0.0` can then be served side by side.
        socket.set_only_v6(true).map_err(SetupError::new("IPV6_V6ONLY"))?;
    }
    let tcp = |name, value: u32, title: &str| {
        set_int(
            &socket,
            libc::IPPROTO_TCP,
            name,
            i32::try_from(value).unwrap_or(i32::MAX),
        )
        .map_err(SetupError::new(format!("{title} {value}")))
    };
    if let Some(seconds) = options.defer_accept {
        tcp(libc::TCP_DEFER_ACCEPT, seconds, "TCP_DEFER_ACCEPT")?;
    }
    if let Some(length) = options.fast_open {
        tcp(libc::TCP_FASTOPEN, length, "TCP_FASTOPEN")?;
    }
    // To tell connections from SYN cookies, which have no saved SYN. Kernels before 4.2 cannot.
    let _ = set_int(&socket, libc::IPPROTO_TCP, libc::TCP_SAVE_SYN, 1);
    socket
        .bind(&SockAddr::from(address))
        .map_err(SetupError::new(format!("bind {address}")))?;
    socket
        .listen(options.backlog)
        .map_err(SetupError::new(format!("listen {address}")))?;
    Ok(socket)
}

/// A listener and its next `accept()`.
#[derive(Debug)]
pub(super) struct Listener {
    pub socket: Arc<Socket>,
    pub address: SocketAddr,
    /// When to accept next; the epoll does not report the listener until then.
    pub due: Option<u64>,
    last_accept: u64,
}

impl Listener {
    pub(super) fn new(address: SocketAddr, socket: Arc<Socket>) -> Self {
        Self {
            socket,
            address,
            due: None,
            last_accept: 0,
        }
    }

    /// There is something to accept: when to, and how many at once.
    pub(super) fn plan(&self, accept: Accept, now: u64) -> Plan {
        let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        match accept {
            Accept::AtOnce => Plan {
                at: now,
                count: usize::MAX,
            },
            Accept::After(delay) => Plan {
                at: now.saturating_add(nanoseconds(delay)),
                count: 1,
            },
            Accept::PerSecond(rate) => {
                let interval = 1_000_000_000 / u64::from(rate.max(1));
                Plan {
                    at: now.max(self.last_accept.saturating_add(interval)),
                    count: 1,
                }
            }
            Accept::Never => Plan { at: u64::MAX, count: 0 },
        }
    }

    pub(super) fn accepted(&mut self, now: u64) {
        self.last_accept = now;
    }
}

/// When to accept, and how many at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Plan {
    pub at: u64,
    pub count: usize,
}
