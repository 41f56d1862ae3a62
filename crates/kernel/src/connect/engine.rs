//! The measurement itself.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use socket2::{SockAddr, Socket};

use super::retransmission::{handshake_rtt, syn_retransmissions};
use super::socket::configure;
use super::wait::{Stop, duration_ns, rest};
use super::{
    FastOpenReport, LinearTimeouts, Negotiated, Options, Outcome, Probe, RetransmitWait, RttValidity, SetupError,
};
use super::{data, result::DataReport};
use crate::sys::{
    Epoll, Errno, IcmpError, Interest, TcpInfo, TcpState, monotonic_ns, processor_wait_ns, read_icmp_error, realtime_ns,
};

/// [`probe_until`] that nobody stops.
pub fn probe(remote: SocketAddr, options: &Options) -> Result<Probe, SetupError> {
    probe_until(remote, options, &mut || false)
}

/// Connects once, measures, and closes.
///
/// What the caller asked for and the kernel refused before any packet was sent (an unknown interface, a source address of
/// somebody else, a mark without the capability) is an error; everything that happens from `connect()` on is a result.
pub fn probe_until(remote: SocketAddr, options: &Options, stop: Stop<'_>) -> Result<Probe, SetupError> {
    let schedule = LinearTimeouts::read();
    let socket = configure(&remote, options)?;
    let mut epoll = Epoll::new(1).map_err(SetupError::new("epoll_create1"))?;
    let address = SockAddr::from(remote);

    let kept_before = processor_wait_ns();
    let start_ns = realtime_ns();
    let begin = monotonic_ns();
    let (called, mut fast_open) = call_connect(&socket, &address, options.fast_open.as_deref());
    let returned = monotonic_ns();

    let deadline = begin.saturating_add(duration_ns(options.timeout));
    let attempt = match called {
        Ok(()) => Attempt::ended(&socket, begin, returned, None),
        Err(errno) if errno.0 == libc::EINPROGRESS => {
            epoll
                .add(socket.as_fd(), Interest::EDGES, 0)
                .map_err(SetupError::new("epoll_ctl"))?;
            let spin_until = returned.saturating_add(duration_ns(options.spin)).min(deadline);
            wait_for_end(
                &socket,
                &mut epoll,
                &Times {
                    begin,
                    returned,
                    spin_until,
                    deadline,
                },
                stop,
            )
        }
        Err(errno) => Attempt::ended(&socket, begin, returned, Some(errno)),
    };
    let kept = kept_before.zip(processor_wait_ns());
    if let (Some(report), Some(info)) = (&mut fast_open, &attempt.info) {
        report.learn(info);
    }
    let data = follow_up(&socket, &mut epoll, options, &attempt, fast_open, stop)?;
    Ok(describe(
        &Facts {
            start_ns,
            remote,
            socket: &socket,
            schedule,
            processor_wait_ns: kept.map(|(before, after)| after.saturating_sub(before)),
            fast_open,
            data,
        },
        attempt,
    ))
}

/// `connect()`, or `sendto()` with `MSG_FASTOPEN`.
fn call_connect(socket: &Socket, to: &SockAddr, payload: Option<&[u8]>) -> (Result<(), Errno>, Option<FastOpenReport>) {
    let Some(payload) = payload else {
        return (socket.connect(to).map_err(|e| Errno::of(&e)), None);
    };
    let flags = libc::MSG_FASTOPEN | libc::MSG_NOSIGNAL;
    match socket.send_to_with_flags(payload, to, flags) {
        // The bytes are in the SYN, whose answer is still to come.
        Ok(length) => (
            Err(Errno(libc::EINPROGRESS)),
            Some(FastOpenReport::new(Some(length), false)),
        ),
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {
            let called = socket.connect(to).map_err(|e| Errno::of(&e));
            (called, Some(FastOpenReport::new(None, true)))
        }
        Err(error) => (Err(Errno::of(&error)), Some(FastOpenReport::new(None, false))),
    }
}

/// The moments that steer the wait, `CLOCK_MONOTONIC` nanoseconds.
struct Times {
    begin: u64,
    returned: u64,
    spin_until: u64,
    deadline: u64,
}

/// How a connect ended, read from the socket in the order in which reading does no harm.
struct Attempt {
    /// `None`: the probe's own timeout.
    end: Option<Result<(), Errno>>,
    ended: u64,
    connect_ns: u64,
    info: Option<TcpInfo>,
    icmp: Option<IcmpError>,
}

impl Attempt {
    fn ended(socket: &Socket, begin: u64, ended: u64, errno: Option<Errno>) -> Self {
        let info = TcpInfo::read(socket).ok();
        let end = errno.map_or(Ok(()), Err);
        let icmp = errno.and_then(|_| read_icmp_error(socket));
        Self {
            end: Some(end),
            ended,
            connect_ns: ended - begin,
            info,
            icmp,
        }
    }
}

/// Waits until the socket leaves SYN-SENT, an ICMP error, or the deadline.
fn wait_for_end(socket: &Socket, epoll: &mut Epoll, times: &Times, stop: Stop<'_>) -> Attempt {
    let mut now = times.returned;
    let (mut failed, mut stopped) = (false, false);
    loop {
        let info = TcpInfo::read(socket).ok();
        let state = info.as_ref().map_or(TcpState::SynSent, TcpInfo::state);
        let attempt = |end, icmp| Attempt {
            end,
            ended: now,
            connect_ns: now - times.begin,
            info,
            icmp,
        };
        // The socket left SYN-SENT before `now`, the moment after the call that was waited in.
        if !matches!(state, TcpState::SynSent | TcpState::Close) {
            return attempt(Some(Ok(())), None);
        }
        // An ICMP error that arrives while the socket is locked leaves it in SYN-SENT (`tcp_v4_err`), yet `SO_ERROR` tells it
        // to every non-blocking caller.
        if failed || state == TcpState::Close {
            let icmp = read_icmp_error(socket);
            let errno = socket.take_error().ok().flatten().map(|e| Errno::of(&e));
            let errno = errno.or(icmp.map(|error| Errno(error.errno)));
            if errno.is_some() || state == TcpState::Close {
                return attempt(Some(Err(errno.unwrap_or(Errno(libc::ETIMEDOUT)))), icmp);
            }
        }
        if stopped || now >= times.deadline {
            return attempt(None, None);
        }
        let sleep = if now < times.spin_until {
            0
        } else {
            times.deadline - now
        };
        stopped = !rest(epoll, sleep, stop);
        failed = epoll.ready() > 0 && epoll.readiness(0).failed();
        now = monotonic_ns();
    }
}

/// Sends what could not go into the SYN, and waits for the first byte.
fn follow_up(
    socket: &Socket,
    epoll: &mut Epoll,
    options: &Options,
    attempt: &Attempt,
    fast_open: Option<FastOpenReport>,
    stop: Stop<'_>,
) -> Result<Option<DataReport>, SetupError> {
    let (Some(Ok(())), Some(info)) = (&attempt.end, &attempt.info) else {
        return Ok(None);
    };
    let in_syn = fast_open.and_then(|report| report.syn_data).unwrap_or(0);
    let unsent = options
        .fast_open
        .as_deref()
        .and_then(|payload| payload.get(in_syn..))
        .unwrap_or_default();
    if options.await_data.is_none() && unsent.is_empty() {
        return Ok(None);
    }
    let (send, timeout) = options
        .await_data
        .as_ref()
        .map_or((Vec::new(), Duration::ZERO), |wait| (wait.send.clone(), wait.timeout));
    let payload = [unsent, &send].concat();
    let waiting = data::Waiting {
        since: attempt.ended,
        timeout,
        at_handshake: info,
    };
    let report = data::exchange(socket, epoll, &payload, &waiting, stop).map_err(SetupError::new("epoll_wait"))?;
    Ok(options.await_data.is_some().then_some(report))
}

struct Facts<'a> {
    start_ns: i64,
    remote: SocketAddr,
    socket: &'a Socket,
    schedule: LinearTimeouts,
    processor_wait_ns: Option<u64>,
    fast_open: Option<FastOpenReport>,
    data: Option<DataReport>,
}

fn describe(facts: &Facts<'_>, attempt: Attempt) -> Probe {
    let established = matches!(attempt.end, Some(Ok(())));
    let info = attempt.info;
    let retransmissions = info
        .as_ref()
        .map_or(0, |info| syn_retransmissions(info, facts.fast_open));
    let (rtt_us, rtt_validity) = match &info {
        Some(info) if established => handshake_rtt(info, retransmissions, facts.fast_open),
        _ => (None, RttValidity::NotMeasured),
    };
    let connected = info.as_ref().filter(|_| established);
    let outcome = classify(attempt.end, attempt.icmp, info.as_ref());
    let none_sent = outcome == Outcome::NotSent || info.as_ref().and_then(TcpInfo::segs_out) == Some(0);
    Probe {
        start_ns: facts.start_ns,
        remote: facts.remote,
        local: local_address(facts.socket),
        outcome,
        errno: attempt.end.and_then(Result::err),
        icmp: attempt.icmp,
        connect_ns: attempt.connect_ns,
        processor_wait_ns: facts.processor_wait_ns,
        rtt_us,
        rtt_validity,
        syn_sent: if none_sent { 0 } else { retransmissions + 1 },
        syn_retransmissions: retransmissions,
        retransmit_wait: connected
            .map(|i| RetransmitWait::estimate(i, retransmissions, attempt.connect_ns, facts.schedule)),
        negotiated: connected.map(Negotiated::of),
        fast_open: facts.fast_open,
        data: facts.data,
    }
}

fn local_address(socket: &Socket) -> Option<SocketAddr> {
    let address: io::Result<SockAddr> = socket.local_addr();
    address.ok()?.as_socket().filter(|a| a.port() != 0)
}

/// The kernel's answer in the words of a person.
fn classify(end: Option<Result<(), Errno>>, icmp: Option<IcmpError>, info: Option<&TcpInfo>) -> Outcome {
    let Some(end) = end else { return Outcome::Timeout };
    let Err(errno) = end else { return Outcome::Established };
    if icmp.is_some() {
        return Outcome::Unreachable;
    }
    match Outcome::of_errno(errno) {
        Outcome::Failed if info.and_then(TcpInfo::segs_out) == Some(0) => Outcome::NotSent,
        outcome => outcome,
    }
}
