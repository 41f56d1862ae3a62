//! A test server with every knob of the handshake.
//!
//! [`Server::start`] returns when its listeners listen: there is nothing to wait for. Each thread has an `epoll` and, with
//! `SO_REUSEPORT`, listeners of its own. What happens is told through a channel; a slow reader loses events, which are counted,
//! and never slows the server.

mod connection;
mod event;
mod listener;
mod options;
mod worker;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;

use socket2::Socket;

pub use event::{AcceptWait, Accepted, Closed, Ending, Event, Totals};
pub use options::{Accept, Close, Options, Reply};

use crate::connect::SetupError;
use crate::sys::{TcpInfo, Waker};
use event::{Announcer, Tally};
use worker::Worker;

/// The accept queue of one listener.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Queue {
    /// Where it listens.
    pub address: SocketAddr,
    /// Connections that wait for `accept()`: `sk_ack_backlog`.
    pub depth: u32,
    /// The limit, `min(backlog, somaxconn)`; one more fits.
    pub limit: u32,
}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    listeners: Vec<(SocketAddr, Arc<Socket>)>,
    stop: Arc<AtomicBool>,
    wakers: Vec<Arc<Waker>>,
    threads: Vec<JoinHandle<io::Result<()>>>,
    tally: Arc<Tally>,
}

impl Server {
    /// Opens the listeners and starts their threads.
    pub fn start(options: Options, events: Option<SyncSender<Event>>) -> Result<Self, SetupError> {
        let mut server = Self {
            addresses: Vec::new(),
            listeners: Vec::new(),
            stop: Arc::new(AtomicBool::new(false)),
            wakers: Vec::new(),
            threads: Vec::new(),
            tally: Arc::default(),
        };
        let options = Arc::new(options);
        let announcer = Announcer::new(events, Arc::clone(&server.tally));
        let mut workers = Vec::new();
        for thread in 0..options.reuse_port.max(1) {
            workers.push(server.open(&options, &announcer, thread)?);
        }
        // Every listener listens before the first thread runs: a failure leaves nothing behind.
        for worker in workers {
            server.threads.push(std::thread::spawn(move || worker.run()));
        }
        Ok(server)
    }

    fn open(&mut self, options: &Arc<Options>, announcer: &Announcer, thread: usize) -> Result<Worker, SetupError> {
        // Port 0 is chosen once; the threads share what was chosen.
        let addresses = if thread == 0 {
            &options.addresses
        } else {
            &self.addresses
        };
        let mut listeners = Vec::new();
        for &address in addresses {
            let socket = listener::open(address, options)?;
            let local = socket.local_addr().map_err(SetupError::new("getsockname"))?;
            listeners.push((local.as_socket().unwrap_or(address), Arc::new(socket)));
        }
        if thread == 0 {
            self.addresses = listeners.iter().map(|(address, _)| *address).collect();
        }
        self.listeners.extend(listeners.iter().cloned());
        let waker = Arc::new(Waker::new().map_err(SetupError::new("eventfd"))?);
        self.wakers.push(Arc::clone(&waker));
        let stop = Arc::clone(&self.stop);
        Worker::new(Arc::clone(options), listeners, announcer.clone(), waker, stop)
            .map_err(SetupError::new("epoll_create1"))
    }

    /// Where it listens; port 0 has become a number.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The accept queues now: one for each address and each `SO_REUSEPORT` listener.
    pub fn queues(&self) -> Vec<Queue> {
        let look = |(address, socket): &(SocketAddr, Arc<Socket>)| {
            let info = TcpInfo::read(&**socket).ok()?;
            Some(Queue {
                address: *address,
                depth: info.unacked(),
                limit: info.sacked(),
            })
        };
        self.listeners.iter().filter_map(look).collect()
    }

    /// What happened since the start.
    pub fn totals(&self) -> Totals {
        self.tally.totals()
    }

    /// Closes listeners and connections and waits for the threads.
    pub fn stop(mut self) -> io::Result<()> {
        self.halt()
    }

    fn halt(&mut self) -> io::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        for waker in &self.wakers {
            waker.wake();
        }
        let mut result = Ok(());
        for thread in self.threads.drain(..) {
            let ended = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            result = result.and(ended);
        }
        self.listeners.clear();
        result
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Who wants to know about an error calls `stop`.
        let _ = self.halt();
    }
}
