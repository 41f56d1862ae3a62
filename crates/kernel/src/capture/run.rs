//! The thread that reads the socket and writes the file.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use halfopen_wire::capture::PcapWriter;

use super::cooked::{Cooked, HEADER, LINK_TYPE};
use super::filter::Filter;
use super::socket::PacketSocket;
use crate::failure::Failure;
use crate::sys::{Epoll, Interest, Waker, realtime_ns};

/// Bytes of the file that are collected before they are written, while packets come faster than that.
const BUFFER_BYTES: usize = 1 << 18;
/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(200);

/// When a capture ends by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// After so long; never, when there is none.
    pub time: Option<Duration>,
    /// After so many packets.
    pub packets: u64,
}

/// What a capture came to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Report {
    /// Packets written.
    pub packets: u64,
    /// Packets that the filter wanted and the kernel had no room for.
    pub dropped: u64,
    /// It ended because of a limit.
    pub limited: bool,
}

/// A running capture.
#[derive(Debug)]
pub struct Capture {
    thread: Option<JoinHandle<io::Result<Report>>>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    stop: AtomicBool,
    written: AtomicU64,
    waker: Waker,
}

impl Capture {
    /// Begins: the socket is in the network namespace of the calling thread, the file is made for its owner's eyes only.
    /// When this returns, no packet is missed any more.
    pub fn start(path: &Path, interface: Option<&str>, filter: &Filter, limits: Limits) -> Result<Self, Failure> {
        let program = filter.compile().map_err(|error| failed("", io::Error::other(error)))?;
        let socket = PacketSocket::open(interface, &program, filter.snaplen as usize);
        let socket = socket.map_err(|error| failed(interface.unwrap_or_default(), error))?;
        let output = create(path, filter.snaplen);
        let output = output.map_err(|error| failed(&path.display().to_string(), error))?;
        let shared = Waker::new().map(|waker| {
            Arc::new(Shared {
                stop: AtomicBool::new(false),
                written: AtomicU64::new(0),
                waker,
            })
        });
        let shared = shared.map_err(|error| failed("", error))?;
        let worker = Worker {
            socket,
            output,
            limits,
            shared: Arc::clone(&shared),
            report: Report::default(),
        };
        let thread = std::thread::Builder::new().name("capture".into());
        let thread = thread.spawn(move || worker.run()).map_err(|error| failed("", error))?;
        Ok(Self {
            thread: Some(thread),
            shared,
        })
    }

    /// Packets written so far.
    pub fn written(&self) -> u64 {
        self.shared.written.load(Ordering::Relaxed)
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Ends it: what has arrived is written. The file is whole when this returns.
    pub fn stop(&mut self) -> io::Result<Report> {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.waker.wake();
        let Some(thread) = self.thread.take() else {
            return Err(io::Error::other("this capture has been stopped already"));
        };
        let died = |_| Err(io::Error::other("the thread of the capture died"));
        thread.join().unwrap_or_else(died)
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        if self.thread.is_some() {
            // Nobody asks how it went.
            let _ = self.stop();
        }
    }
}

fn failed(subject: &str, error: io::Error) -> Failure {
    Failure::of("cannot capture", subject, error)
}

type Output = PcapWriter<BufWriter<File>>;

fn create(path: &Path, snaplen: u32) -> io::Result<Output> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    // A cooked header and a tag may be longer than what they replace.
    PcapWriter::new(
        BufWriter::with_capacity(BUFFER_BYTES, file),
        LINK_TYPE,
        snaplen + HEADER as u32 + 4,
    )
}

struct Worker {
    socket: PacketSocket,
    output: Output,
    limits: Limits,
    shared: Arc<Shared>,
    report: Report,
}

impl Worker {
    fn run(mut self) -> io::Result<Report> {
        let mut epoll = Epoll::new(2)?;
        epoll.add(self.socket.as_fd(), Interest::READ, 0)?;
        epoll.add(self.shared.waker.as_fd(), Interest::READ, 1)?;
        let end = self.limits.time.map(|time| Instant::now() + time);
        loop {
            // Looked at before the queue is emptied: what arrived before the order to stop is written.
            let is_last = self.shared.stop.load(Ordering::Relaxed);
            let is_late = end.is_some_and(|end| Instant::now() >= end);
            self.empty()?;
            let is_full = self.report.packets >= self.limits.packets;
            if is_last || is_late || is_full {
                self.report.limited = !is_last;
                self.report.dropped = self.socket.dropped();
                self.output.flush()?;
                return Ok(self.report);
            }
            self.output.flush()?;
            let left = end.map_or(TICK, |end| end.saturating_duration_since(Instant::now()).min(TICK));
            epoll.wait(Some(left))?;
        }
    }

    /// Writes what is in the queue, for a while at most: a flood must not keep us from looking at the clock.
    fn empty(&mut self) -> io::Result<()> {
        let start = Instant::now();
        while start.elapsed() < TICK && self.report.packets < self.limits.packets {
            let count = self.socket.receive()?;
            if count == 0 {
                return Ok(());
            }
            for index in 0..count {
                self.write(index)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, index: usize) -> io::Result<()> {
        let (time, origin, bytes) = self.socket.packet(index);
        let Some(cooked) = Cooked::of(&origin, bytes) else {
            return Ok(());
        };
        if self.report.packets >= self.limits.packets {
            return Ok(());
        }
        let time = time.unwrap_or_else(realtime_ns);
        self.output
            .write(time, cooked.wire_len, &[cooked.head(), cooked.payload])?;
        self.report.packets += 1;
        self.shared.written.store(self.report.packets, Ordering::Relaxed);
        Ok(())
    }
}
