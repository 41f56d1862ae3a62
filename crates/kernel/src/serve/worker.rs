//! One thread of a test server.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::{SockAddr, Socket};

use super::connection::Connection;
use super::event::Announcer;
use super::listener::Listener;
use super::{Accept, AcceptWait, Accepted, Ending, Event, Options, Queue};
use crate::sys::{Epoll, Interest, TcpInfo, TcpState, Waker, accept, monotonic_ns, realtime_ns, tcp_saved_syn_len};

/// Descriptors reported by one wait.
const BATCH: usize = 256;

/// Connections accepted before the others get a turn.
const ACCEPT_MAX: usize = 64;

/// How long to leave a listener alone when there is no descriptor or memory for another connection.
const EXHAUSTED_PAUSE_NS: u64 = 100_000_000;

const WAKER: u64 = u64::MAX;

/// Tokens from here on are listeners.
const FIRST_LISTENER: u64 = 1 << 32;

pub(super) struct Worker {
    options: Arc<Options>,
    listeners: Vec<Listener>,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    epoll: Epoll,
    announcer: Announcer,
    stop: Arc<AtomicBool>,
    /// Kept open for as long as the epoll refers to it.
    _waker: Arc<Waker>,
    buffer: Vec<u8>,
}

impl Worker {
    pub(super) fn new(
        options: Arc<Options>,
        listeners: Vec<(SocketAddr, Arc<Socket>)>,
        announcer: Announcer,
        waker: Arc<Waker>,
        stop: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let epoll = Epoll::new(BATCH)?;
        epoll.add(waker.as_fd(), Interest::READ, WAKER)?;
        let interest = if options.accept == Accept::Never {
            Interest::NONE
        } else {
            Interest::READ
        };
        for (index, (_, socket)) in listeners.iter().enumerate() {
            epoll.add(socket.as_fd(), interest, FIRST_LISTENER + index as u64)?;
        }
        Ok(Self {
            options,
            listeners: listeners
                .into_iter()
                .map(|(address, socket)| Listener::new(address, socket))
                .collect(),
            connections: Vec::new(),
            free: Vec::new(),
            epoll,
            announcer,
            stop,
            _waker: waker,
            buffer: vec![0; 64 * 1024],
        })
    }

    /// Until it is stopped.
    pub(super) fn run(mut self) -> io::Result<()> {
        while !self.stop.load(Ordering::Relaxed) {
            self.epoll.wait(self.wait_time())?;
            for index in 0..self.epoll.ready() {
                let token = self.epoll.readiness(index).token;
                match token {
                    WAKER => {}
                    FIRST_LISTENER.. => self.acceptable((token - FIRST_LISTENER) as usize)?,
                    _ => self.advance(token as usize),
                }
            }
            self.accept_due()?;
        }
        Ok(())
    }

    fn wait_time(&self) -> Option<Duration> {
        let due = self.listeners.iter().filter_map(|listener| listener.due).min()?;
        Some(Duration::from_nanos(due.saturating_sub(monotonic_ns())))
    }

    /// A listener has something to accept.
    fn acceptable(&mut self, index: usize) -> io::Result<()> {
        let now = monotonic_ns();
        let plan = self.listeners[index].plan(self.options.accept, now);
        if plan.at > now {
            return self.pause(index, plan.at);
        }
        self.accept_some(index, plan.count)
    }

    /// Looks away from a listener until then.
    fn pause(&mut self, index: usize, until: u64) -> io::Result<()> {
        let listener = &mut self.listeners[index];
        listener.due = Some(until);
        self.epoll
            .modify(listener.socket.as_fd(), Interest::NONE, FIRST_LISTENER + index as u64)
    }

    /// Accepts from the listeners whose time has come.
    fn accept_due(&mut self) -> io::Result<()> {
        let now = monotonic_ns();
        for index in 0..self.listeners.len() {
            let listener = &mut self.listeners[index];
            if listener.due.is_none_or(|due| due > now) {
                continue;
            }
            listener.due = None;
            self.epoll
                .modify(listener.socket.as_fd(), Interest::READ, FIRST_LISTENER + index as u64)?;
            let count = listener.plan(self.options.accept, now).count;
            self.accept_some(index, count)?;
        }
        Ok(())
    }

    fn accept_some(&mut self, index: usize, count: usize) -> io::Result<()> {
        for _ in 0..count.min(ACCEPT_MAX) {
            if self.open_connections() >= self.options.max_connections {
                return self.pause(index, monotonic_ns() + EXHAUSTED_PAUSE_NS);
            }
            match accept(&self.listeners[index].socket) {
                Ok((socket, peer)) => {
                    self.listeners[index].accepted(monotonic_ns());
                    self.welcome(index, socket, &peer);
                }
                Err(error) => match error.raw_os_error() {
                    Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS) => {
                        return self.pause(index, monotonic_ns() + EXHAUSTED_PAUSE_NS);
                    }
                    Some(libc::EBADF | libc::EINVAL | libc::ENOTSOCK) => return Err(error),
                    // Nothing left, or an error of the connection that accept(2) passes on.
                    _ => return Ok(()),
                },
            }
        }
        Ok(())
    }

    fn open_connections(&self) -> usize {
        self.connections.len() - self.free.len()
    }

    fn welcome(&mut self, index: usize, socket: Socket, peer: &SockAddr) {
        let at_ns = realtime_ns();
        let Some(peer) = peer.as_socket() else { return };
        let id = self.announcer.next_id();
        if self.announcer.is_heard()
            && let Ok(info) = TcpInfo::read(&socket)
        {
            let accepted = describe(id, at_ns, peer, &self.listeners[index], &socket, &info);
            let accepted = Accepted {
                // TCP_DEFER_ACCEPT drops the ACK, so that the kernel measures until the first data.
                rtt_us: accepted.rtt_us.filter(|_| self.options.defer_accept.is_none()),
                ..accepted
            };
            self.announcer.tell(Event::Accepted(accepted));
        }
        if self.options.nodelay {
            let _ = socket.set_tcp_nodelay(true);
        }
        if let Some(on) = self.options.quickack {
            let _ = socket.set_tcp_quickack(on);
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() - 1
        });
        if self.epoll.add(socket.as_fd(), Interest::EDGES, slot as u64).is_err() {
            self.free.push(slot);
            return;
        }
        self.connections[slot] = Some(Connection::new(socket, id, peer, &self.options));
        self.advance(slot);
    }

    fn advance(&mut self, slot: usize) {
        let Some(connection) = &mut self.connections[slot] else {
            return;
        };
        if let Some(ending) = connection.advance(&self.options, &mut self.buffer) {
            self.close(slot, ending);
        }
    }

    fn close(&mut self, slot: usize, ending: Ending) {
        if let Some(connection) = self.connections[slot].take() {
            self.announcer.tell(Event::Closed(connection.closed(ending)));
            self.free.push(slot);
        }
    }
}

/// Bytes of the peer that nobody has read: a FIN takes a sequence number, and `tcpi_bytes_received` counts it as a byte.
fn waiting_bytes(info: &TcpInfo) -> u64 {
    let fin = u64::from(info.state() == TcpState::CloseWait);
    info.bytes_received().unwrap_or(0).saturating_sub(fin)
}

/// What the kernel knows of a connection at `accept()`.
fn describe(id: u64, at_ns: i64, peer: SocketAddr, listener: &Listener, socket: &Socket, info: &TcpInfo) -> Accepted {
    let syn_cookie = tcp_saved_syn_len(socket).ok().map(|length| length == 0);
    let retransmissions = info.total_retrans();
    let measured = retransmissions == 0 && syn_cookie != Some(true) && info.rtt_us() > 0;
    let queue = TcpInfo::read(&*listener.socket).ok();
    Accepted {
        id,
        at_ns,
        peer,
        local: listener.address,
        rtt_us: measured.then(|| info.rtt_us()),
        syn_ack_retransmissions: retransmissions,
        options: info.options(),
        syn_data: info.options().syn_data(),
        syn_cookie,
        bytes_at_accept: waiting_bytes(info),
        accept_wait: AcceptWait::of(info),
        queue: queue.map(|q| Queue {
            address: listener.address,
            depth: q.unacked(),
            limit: q.sacked(),
        }),
    }
}
