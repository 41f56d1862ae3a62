//! One thread of a load.

use std::io::{self, Read};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::{SockAddr, Socket};

use super::renewal::{Renewal, give_up};
use super::schedule::Schedule;
use super::slot::{Phase, Slot};
use super::tally::Tally;
use super::{CloseMode, Exchange, Failure, Options, Progress};
use crate::connect::{SetupError, source_socket};
use crate::sys::{Epoll, Errno, Interest, Readiness, TcpInfo, exact_timers, monotonic_ns};

/// Descriptors reported by one wait.
const BATCH: usize = 256;

/// Room for one read.
const BUFFER: usize = 64 * 1024;

/// Connections begun before the next look at what became of the others: each one more is in the latency of the first.
const BURST: usize = 16;

/// A wait is never longer, so that a stop, a timeout and the progress are not late by more.
const TICK: Duration = Duration::from_millis(100);

/// How a connection ended.
#[derive(Clone, Copy)]
enum End {
    Done,
    Failed(Failure),
}

pub(super) struct Worker<'a> {
    options: &'a Options,
    schedule: Schedule<'a>,
    address: SockAddr,
    epoll: Epoll,
    slots: Vec<Slot>,
    /// Slots without a connection.
    idle: Vec<usize>,
    buffer: Vec<u8>,
    next_source: usize,
    next_check: u64,
    /// When the last wait ended: what it reported had happened by then, however long it takes to go through it.
    woke: u64,
    renewal: Renewal,
}

impl<'a> Worker<'a> {
    pub(super) fn new(options: &'a Options, slots: usize, schedule: Schedule<'a>) -> Result<Self, SetupError> {
        Ok(Self {
            options,
            schedule,
            address: SockAddr::from(options.target),
            epoll: Epoll::new(BATCH).map_err(SetupError::new("epoll_create1"))?,
            slots: (0..slots).map(|_| Slot::new()).collect(),
            idle: (0..slots).rev().collect(),
            buffer: vec![0; BUFFER],
            next_source: 0,
            next_check: 0,
            woke: 0,
            renewal: Renewal::default(),
        })
    }

    /// Until the schedule is over and every connection has ended, or until `stop`.
    pub(super) fn run(&mut self, progress: &Progress, stop: &AtomicBool) -> Result<Tally, SetupError> {
        let mut tally = Tally::new();
        exact_timers();
        // A slot whose socket could not be made is out of use; without any left there is nothing to wait for.
        let mut usable = self.slots.len();
        while !stop.load(Ordering::Relaxed) {
            usable -= self.begin_due(&mut tally, stop)?;
            let active = usable - self.idle.len();
            if usable == 0 || (active == 0 && self.schedule.is_over()) {
                break;
            }
            // Before what has ended is looked at: what is under way then is what the server has to do with.
            tally.tell(progress);
            self.wait(&mut tally)?;
            for index in 0..self.epoll.ready() {
                let readiness = self.epoll.readiness(index);
                self.advance(readiness, &mut tally);
            }
            self.expire(&mut tally);
        }
        tally.report.abandoned = self.abandon();
        tally.report.unstarted = self.schedule.left(stop.load(Ordering::Relaxed).then(monotonic_ns));
        tally.tell(progress);
        Ok(tally.close())
    }

    fn wait(&mut self, tally: &mut Tally) -> Result<(), SetupError> {
        let before = monotonic_ns();
        let timeout = self.wait_time(before);
        self.epoll.wait(Some(timeout)).map_err(SetupError::new("epoll_wait"))?;
        self.woke = monotonic_ns();
        tally.waited(self.woke - before);
        Ok(())
    }

    fn wait_time(&self, now: u64) -> Duration {
        // Without an idle slot nothing can begin, however overdue it is.
        let due = self.schedule.next_due().filter(|_| !self.idle.is_empty());
        due.map_or(TICK, |due| Duration::from_nanos(due.saturating_sub(now)).min(TICK))
    }

    /// Begins what is due; the number of slots that went out of use.
    fn begin_due(&mut self, tally: &mut Tally, stop: &AtomicBool) -> Result<usize, SetupError> {
        let mut lost = 0;
        for _ in 0..BURST {
            let Some(index) = self.idle.pop() else { break };
            let now = monotonic_ns();
            let due = if stop.load(Ordering::Relaxed) {
                None
            } else {
                self.schedule.take(now)
            };
            let Some(intended) = due else {
                self.idle.push(index);
                break;
            };
            if self.slots[index].socket.is_none() {
                match self.new_socket() {
                    Ok(socket) => {
                        let registered = self.epoll.add(socket.as_fd(), Interest::EDGES, index as u64);
                        registered.map_err(SetupError::new("epoll_ctl"))?;
                        self.slots[index].socket = Some(socket);
                    }
                    Err(error) if out_of_resources(&error.source) => {
                        tally.no_socket(Errno::of(&error.source));
                        self.schedule.give_back();
                        lost += 1;
                        continue;
                    }
                    Err(error) => return Err(error),
                }
            }
            self.begin(index, intended, tally);
        }
        Ok(lost)
    }

    fn new_socket(&mut self) -> Result<Socket, SetupError> {
        let sources = &self.options.sources;
        let source: Option<IpAddr> = sources.get(self.next_source % sources.len().max(1)).copied();
        self.next_source = self.next_source.wrapping_add(1);
        source_socket(&self.options.target, source)
    }

    fn begin(&mut self, index: usize, intended: u64, tally: &mut Tally) {
        let slot = &mut self.slots[index];
        let Some(socket) = &slot.socket else { return };
        let requests = match self.options.exchange {
            Exchange::Http { per_connection, .. } => per_connection,
            Exchange::Connect | Exchange::Send { .. } => 1,
        };
        if has_payload(&self.options.exchange) {
            // The request then carries the last ACK of the handshake: one packet and one wake-up of the server less. A
            // kernel that refuses loses nothing.
            let _ = socket.set_tcp_quickack(false);
        }
        let now = monotonic_ns();
        tally.report.attempted += 1;
        tally.report.lag.record(now.saturating_sub(intended));
        let called = socket.connect(&self.address);
        slot.begin(intended, now, requests);
        if let Err(error) = called
            && error.raw_os_error() != Some(libc::EINPROGRESS)
        {
            self.end(index, End::Failed(Failure::Connect(Errno::of(&error))), tally);
        }
    }

    /// Takes a connection as far as it goes.
    fn advance(&mut self, readiness: Readiness, tally: &mut Tally) {
        let index = readiness.token as usize;
        let result = match self.slots[index].phase {
            Phase::Connecting => self.connected(index, readiness, tally),
            Phase::Sending if readiness.writable() || readiness.failed() => self.send(index, readiness, tally),
            Phase::Reading | Phase::Closing if readiness.readable() || readiness.failed() => {
                self.read(index, readiness, tally)
            }
            Phase::Idle | Phase::Sending | Phase::Reading | Phase::Closing => return,
        };
        match result {
            Ok(None) => {}
            Ok(Some(end)) => self.end(index, end, tally),
            Err(error) => self.end(index, End::Failed(Failure::Exchange(Errno::of(&error))), tally),
        }
    }

    /// The end of a connect, good or bad.
    fn connected(&mut self, index: usize, readiness: Readiness, tally: &mut Tally) -> io::Result<Option<End>> {
        let slot = &mut self.slots[index];
        let Some(socket) = &slot.socket else { return Ok(None) };
        if readiness.failed() {
            // Before SO_ERROR, which forgets it.
            if let Ok(info) = TcpInfo::read(socket) {
                tally.learn(&info, false);
            }
            if let Some(error) = socket.take_error()? {
                return Ok(Some(End::Failed(Failure::Connect(Errno::of(&error)))));
            }
        }
        if !readiness.writable() {
            return Ok(None);
        }
        let now = self.woke;
        tally.report.connect.record(now.saturating_sub(slot.intended));
        if tally.wants_info(now.saturating_sub(slot.began))
            && let Ok(info) = TcpInfo::read(socket)
        {
            tally.learn(&info, true);
        }
        tally.report.established += 1;
        slot.established = now;
        slot.asked = now;
        match (&self.options.exchange, self.options.close) {
            (Exchange::Connect, CloseMode::ServerFirst) => {
                slot.phase = Phase::Closing;
                self.read(index, readiness, tally)
            }
            (Exchange::Connect, _) => Ok(Some(End::Done)),
            _ => self.send(index, readiness, tally),
        }
    }

    fn send(&mut self, index: usize, readiness: Readiness, tally: &mut Tally) -> io::Result<Option<End>> {
        let slot = &mut self.slots[index];
        let Some(socket) = &slot.socket else { return Ok(None) };
        let request = match &self.options.exchange {
            Exchange::Connect => &[][..],
            Exchange::Send { payload, .. } => payload,
            Exchange::Http { last_request, .. } if slot.requests_left == 0 => last_request,
            Exchange::Http { request, .. } => request,
        };
        while slot.sent < request.len() {
            match socket.send_with_flags(&request[slot.sent..], libc::MSG_NOSIGNAL) {
                Ok(length) => slot.sent += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    slot.phase = Phase::Sending;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        slot.phase = Phase::Reading;
        // The answer to a request that went out just now is never there yet, but a server that speaks first has spoken.
        if readiness.readable() {
            self.read(index, readiness, tally)
        } else {
            Ok(None)
        }
    }

    fn read(&mut self, index: usize, readiness: Readiness, tally: &mut Tally) -> io::Result<Option<End>> {
        loop {
            let slot = &mut self.slots[index];
            let Some(mut socket) = slot.socket.as_ref() else {
                return Ok(None);
            };
            let length = match socket.read(&mut self.buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            };
            if length == 0 {
                return Ok(Some(self.stream_ended(index, tally)));
            }
            if slot.phase == Phase::Reading && self.take(index, length, tally) {
                let Some(end) = self.answered(index, tally)? else {
                    // Either the next request went out, or only the server's FIN is missing.
                    if readiness.peer_closed() && self.slots[index].phase == Phase::Closing {
                        return Ok(Some(End::Done));
                    }
                    return Ok(None);
                };
                return Ok(Some(end));
            }
            // A short read emptied the buffer: what comes later is a new edge. Unless the FIN is there already.
            if length < self.buffer.len() && !readiness.peer_closed() {
                return Ok(None);
            }
        }
    }

    /// Takes part of an answer; true when it is complete.
    fn take(&mut self, index: usize, length: usize, tally: &mut Tally) -> bool {
        let slot = &mut self.slots[index];
        if slot.received == 0 && slot.first {
            tally.report.first_byte.record(self.woke - slot.established);
        }
        slot.received += length as u64;
        tally.report.received_bytes += length as u64;
        match &self.options.exchange {
            Exchange::Connect => false,
            Exchange::Send { expect, .. } => expect.is_some_and(|expected| slot.received >= expected),
            // A bad response is complete: `answered` tells it by its status.
            Exchange::Http { .. } => slot.response.feed(&self.buffer[..length]).unwrap_or_else(|_| {
                slot.response.spoil();
                true
            }),
        }
    }

    /// An answer is complete: the next request, or the end.
    fn answered(&mut self, index: usize, tally: &mut Tally) -> io::Result<Option<End>> {
        let slot = &mut self.slots[index];
        if !count_answer(slot, &self.options.exchange, self.woke, tally) {
            return Ok(Some(End::Failed(Failure::BadResponse)));
        }
        if slot.requests_left > 0 {
            slot.requests_left -= 1;
            slot.first = false;
            slot.next_request();
            slot.asked = monotonic_ns();
            let quiet = Readiness::default();
            return self.send(index, quiet, tally);
        }
        if self.options.close == CloseMode::ServerFirst {
            slot.phase = Phase::Closing;
            return Ok(None);
        }
        Ok(Some(End::Done))
    }

    /// The server's FIN: the expected end, or too early.
    fn stream_ended(&mut self, index: usize, tally: &mut Tally) -> End {
        let slot = &mut self.slots[index];
        let complete = match (&self.options.exchange, slot.phase) {
            (_, Phase::Closing) => return End::Done,
            (Exchange::Send { expect, .. }, _) => expect.is_none(),
            (Exchange::Http { .. }, _) => slot.requests_left == 0 && slot.response.may_close(),
            (Exchange::Connect, _) => true,
        };
        if complete && count_answer(slot, &self.options.exchange, self.woke, tally) {
            End::Done
        } else {
            End::Failed(Failure::ClosedEarly)
        }
    }

    /// Ends a connection and frees its slot.
    fn end(&mut self, index: usize, end: End, tally: &mut Tally) {
        let slot = &mut self.slots[index];
        slot.phase = Phase::Idle;
        match end {
            End::Done => {
                tally.report.completed += 1;
                slot.socket = slot
                    .socket
                    .take()
                    .filter(|socket| self.renewal.renew(socket, self.options.close));
            }
            End::Failed(failure) => {
                tally.fail(failure);
                if let Some(socket) = slot.socket.take() {
                    give_up(socket, self.options.close);
                }
            }
        }
        self.idle.push(index);
    }

    /// Ends what has been at it for too long.
    fn expire(&mut self, tally: &mut Tally) {
        let now = monotonic_ns();
        if now < self.next_check {
            return;
        }
        let limit = u64::try_from(self.options.timeout.as_nanos()).unwrap_or(u64::MAX);
        self.next_check = now + (limit / 8).min(TICK.as_nanos() as u64);
        for index in 0..self.slots.len() {
            let slot = &self.slots[index];
            if slot.phase == Phase::Idle || now.saturating_sub(slot.began) < limit {
                continue;
            }
            let failure = if slot.phase == Phase::Connecting {
                if let Some(Ok(info)) = slot.socket.as_ref().map(TcpInfo::read) {
                    tally.learn(&info, false);
                }
                Failure::ConnectTimeout
            } else {
                Failure::ExchangeTimeout
            };
            self.end(index, End::Failed(failure), tally);
        }
    }

    /// Closes what is open; how many connections that cut short.
    fn abandon(&mut self) -> u64 {
        let open = self.slots.iter().filter(|slot| slot.phase != Phase::Idle).count();
        for slot in &mut self.slots {
            slot.phase = Phase::Idle;
            if let Some(socket) = slot.socket.take() {
                give_up(socket, self.options.close);
            }
        }
        open as u64
    }
}

fn has_payload(exchange: &Exchange) -> bool {
    match exchange {
        Exchange::Connect => false,
        Exchange::Send { payload, .. } => !payload.is_empty(),
        Exchange::Http { .. } => true,
    }
}

fn out_of_resources(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS)
    )
}

/// Records a complete answer; false when it was not HTTP.
fn count_answer(slot: &Slot, exchange: &Exchange, now: u64, tally: &mut Tally) -> bool {
    if matches!(exchange, Exchange::Http { .. }) {
        let status = slot.response.status();
        if status == 0 {
            return false;
        }
        *tally.report.statuses.entry(status).or_default() += 1;
    }
    if slot.first {
        tally.report.response.record(now.saturating_sub(slot.intended));
    } else {
        tally.report.reused_response.record(now.saturating_sub(slot.asked));
    }
    true
}
