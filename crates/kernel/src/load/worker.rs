//! One thread of a load.

use std::io::{self, Read};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::{SockAddr, Socket};

use super::renewal::{give_up, renew, settle};
use super::schedule::Schedule;
use super::slot::{Phase, Slot};
use super::tally::Tally;
use super::{CloseMode, Exchange, Failure, Options, Pace, Progress};
use crate::connect::{SetupError, bind_again, source_socket};
use crate::sys::{Epoll, Errno, Interest, Readiness, TcpInfo, exact_timers, monotonic_ns, set_int};

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
    /// One for each connection that may be open at a time, and for each socket that may wait to be used again.
    slots: Vec<Slot>,
    /// Slots without a connection.
    idle: Vec<usize>,
    /// Connections under way.
    active: usize,
    /// As many may be: fewer than were asked for, once a socket could not be made.
    limit: usize,
    /// When it last became fewer than that.
    room_since: u64,
    /// Where the next slot is looked for whose socket is given up for a new one.
    reclaimed: usize,
    buffer: Vec<u8>,
    next_source: usize,
    next_check: u64,
    /// When the last wait ended: what it reported had happened by then, however long it takes to go through it.
    woke: u64,
}

impl<'a> Worker<'a> {
    /// With this thread's share of the connections, and of the sockets that may wait to be used again.
    pub(super) fn new(
        options: &'a Options,
        (connections, waiting): (usize, usize),
        schedule: Schedule<'a>,
    ) -> Result<Self, SetupError> {
        let slots = connections + waiting;
        Ok(Self {
            options,
            schedule,
            address: SockAddr::from(options.target),
            epoll: Epoll::new(BATCH).map_err(SetupError::new("epoll_create1"))?,
            slots: (0..slots).map(|_| Slot::new()).collect(),
            idle: (0..slots).rev().collect(),
            active: 0,
            limit: connections,
            room_since: 0,
            reclaimed: 0,
            buffer: vec![0; BUFFER],
            next_source: 0,
            next_check: 0,
            woke: 0,
        })
    }

    /// Until the schedule is over and every connection has ended, or until `stop`.
    pub(super) fn run(&mut self, progress: &Progress, stop: &AtomicBool) -> Result<Tally, SetupError> {
        let mut tally = Tally::new();
        exact_timers();
        while !stop.load(Ordering::Relaxed) {
            self.begin_due(&mut tally, stop)?;
            // Without a socket there is nothing to wait for.
            if self.limit == 0 || (self.active == 0 && self.schedule.is_over()) {
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
        // Where as many are open as may be nothing can begin, however overdue it is.
        let due = self.schedule.next_due().filter(|_| self.active < self.limit);
        due.map_or(TICK, |due| Duration::from_nanos(due.saturating_sub(now)).min(TICK))
    }

    /// Begins what is due.
    fn begin_due(&mut self, tally: &mut Tally, stop: &AtomicBool) -> Result<(), SetupError> {
        for _ in 0..BURST {
            if self.active >= self.limit || stop.load(Ordering::Relaxed) {
                break;
            }
            let Some(intended) = self.schedule.take(monotonic_ns()) else {
                break;
            };
            let Some(index) = self.idle.pop().or_else(|| self.reclaim()) else {
                self.schedule.give_back();
                break;
            };
            match self.equip(index) {
                Ok(()) => self.begin(index, intended, tally),
                Err(error) if out_of_resources(&error.source) => {
                    tally.no_socket(Errno::of(&error.source));
                    self.schedule.give_back();
                    self.limit -= 1;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Sees to it that a slot has a socket.
    fn equip(&mut self, index: usize) -> Result<(), SetupError> {
        if self.slots[index].socket.is_some() && self.readdress(index).is_ok() {
            return Ok(());
        }
        let mut made = self.new_socket();
        // Sockets that only wait to be used again must not keep a new one from being made.
        while made.as_ref().is_err_and(|error| out_of_resources(&error.source))
            && let Some(freed) = self.reclaim()
        {
            self.idle.push(freed);
            made = self.new_socket();
        }
        let socket = made?;
        let registered = self.epoll.add(socket.as_fd(), Interest::EDGES, index as u64);
        registered.map_err(SetupError::new("epoll_ctl"))?;
        self.slots[index].socket = Some(socket);
        Ok(())
    }

    /// Gives a socket that is used again the next local address, where there are several: it has kept that of its last
    /// connection, and the ports of all are to be used up evenly.
    fn readdress(&mut self, index: usize) -> io::Result<()> {
        let Some(socket) = &self.slots[index].socket else {
            return Ok(());
        };
        if self.options.sources.len() < 2 {
            return Ok(());
        }
        let source = next_source(&self.options.sources, &mut self.next_source);
        source.map_or(Ok(()), |source| bind_again(socket, &self.options.target, source))
    }

    /// Gives up a socket that waits to be used again; its slot.
    fn reclaim(&mut self) -> Option<usize> {
        let count = self.slots.len();
        let mut order = (self.reclaimed..count).chain(0..self.reclaimed);
        let index = order.find(|&index| self.slots[index].phase == Phase::Lingering)?;
        self.reclaimed = (index + 1) % count;
        self.slots[index].phase = Phase::Idle;
        self.slots[index].socket = None;
        Some(index)
    }

    fn new_socket(&mut self) -> Result<Socket, SetupError> {
        let source = next_source(&self.options.sources, &mut self.next_source);
        let socket = source_socket(&self.options.target, source)?;
        if has_payload(&self.options.exchange) {
            // At a client it means that the last ACK of the handshake waits for the request, which then carries it: one
            // packet and one wake-up of the server less. As TCP_QUICKACK would, but that is forgotten with each connection.
            // A kernel that refuses loses nothing.
            let _ = set_int(&socket, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, 1);
        }
        Ok(socket)
    }

    fn begin(&mut self, index: usize, intended: u64, tally: &mut Tally) {
        let slot = &mut self.slots[index];
        let Some(socket) = &slot.socket else { return };
        let requests = match self.options.exchange {
            Exchange::Http { per_connection, .. } => per_connection,
            Exchange::Connect | Exchange::Send { .. } => 1,
        };
        let now = monotonic_ns();
        self.active += 1;
        tally.report.attempted += 1;
        if matches!(self.options.pace, Pace::Open { .. }) {
            tally.begins_late(intended, self.room_since, now);
        }
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
        let slot = &mut self.slots[index];
        slot.peer_closed |= readiness.peer_closed();
        // While this side has not closed, only an RST ends a connection for the kernel.
        slot.peer_reset |= readiness.failed() && matches!(slot.phase, Phase::Sending | Phase::Reading | Phase::Closing);
        let result = match slot.phase {
            Phase::Connecting => self.connected(index, readiness, tally),
            Phase::Sending if readiness.writable() || readiness.failed() => self.send(index, readiness, tally),
            Phase::Reading | Phase::Closing if readiness.readable() || readiness.failed() => {
                self.read(index, readiness, tally)
            }
            Phase::Lingering if readiness.failed() => return self.settle(index),
            Phase::Idle | Phase::Sending | Phase::Reading | Phase::Closing | Phase::Lingering => return,
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
                return Ok(Some(End::Failed(Failure::of_answer(Errno::of(&error)))));
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
                // All was answered: an RST is the end that was waited for as much as a FIN is.
                Err(error) if slot.phase == Phase::Closing && error.kind() == io::ErrorKind::ConnectionReset => {
                    slot.peer_reset = true;
                    return Ok(Some(End::Done));
                }
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
        slot.peer_closed = true;
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

    /// Ends a connection and frees its slot, unless its socket waits to be used again.
    fn end(&mut self, index: usize, end: End, tally: &mut Tally) {
        let slot = &mut self.slots[index];
        if self.active == self.limit {
            self.room_since = self.woke;
        }
        self.active -= 1;
        slot.phase = Phase::Idle;
        if let End::Failed(failure) = end {
            tally.fail(failure);
            if let Some(socket) = slot.socket.take() {
                give_up(socket, self.options.close);
            }
        } else {
            tally.report.completed += 1;
            tally.report.closed_by_server += u64::from(slot.peer_closed || slot.peer_reset);
            tally.report.reset_by_server += u64::from(slot.peer_reset);
            let renewal = slot.socket.as_ref().map(|socket| renew(socket, self.options.close));
            slot.adopt(renewal);
        }
        if slot.phase == Phase::Idle {
            self.idle.push(index);
        }
    }

    /// The server's part of the end has come.
    fn settle(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        let renewal = slot.socket.as_ref().map(settle);
        slot.adopt(renewal);
        if slot.phase == Phase::Idle {
            self.idle.push(index);
        }
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
            if !slot.phase.is_active() || now.saturating_sub(slot.began) < limit {
                continue;
            }
            let failure = if slot.phase == Phase::Connecting {
                if let Some(Ok(info)) = slot.socket.as_ref().map(TcpInfo::read) {
                    tally.learn(&info, false);
                }
                // An ICMP error that comes while connect() holds the socket does not end it (`sk_err_soft`), and is told here.
                let told = slot
                    .socket
                    .as_ref()
                    .and_then(|socket| socket.take_error().ok().flatten());
                told.map_or(Failure::ConnectTimeout, |error| Failure::of_answer(Errno::of(&error)))
            } else {
                Failure::ExchangeTimeout
            };
            self.end(index, End::Failed(failure), tally);
        }
    }

    /// Closes what is open; how many connections that cut short.
    fn abandon(&mut self) -> u64 {
        for slot in &mut self.slots {
            let cut_short = slot.phase.is_active();
            slot.phase = Phase::Idle;
            if let Some(socket) = slot.socket.take().filter(|_| cut_short) {
                give_up(socket, self.options.close);
            }
        }
        self.active as u64
    }
}

/// Local addresses in turn; `None` where the kernel is to choose.
fn next_source(sources: &[IpAddr], next: &mut usize) -> Option<IpAddr> {
    let source = sources.get(*next % sources.len().max(1)).copied();
    *next = next.wrapping_add(1);
    source
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
