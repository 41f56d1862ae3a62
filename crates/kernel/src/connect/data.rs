//! After the handshake: send, wait for the first byte, see what was acknowledged.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::time::Duration;

use socket2::Socket;

use super::wait::{Stop, duration_ns, rest};
use super::{DataEnd, DataReport};
use crate::sys::{Epoll, Errno, Interest, TcpInfo, monotonic_ns};

/// From when, for how long, and the socket as the handshake left it.
pub(super) struct Waiting<'a> {
    pub since: u64,
    pub timeout: Duration,
    pub at_handshake: &'a TcpInfo,
}

/// Sends `payload` and waits for a byte, the end of the stream, an error or the timeout.
pub(super) fn exchange(
    socket: &Socket,
    epoll: &mut Epoll,
    payload: &[u8],
    waiting: &Waiting<'_>,
    stop: Stop<'_>,
) -> io::Result<DataReport> {
    // The descriptor may or may not be registered already: a connect that ended within its call was never waited for.
    if epoll.modify(socket.as_fd(), Interest::EDGES, 0).is_err() {
        epoll.add(socket.as_fd(), Interest::EDGES, 0)?;
    }
    let deadline = waiting.since.saturating_add(duration_ns(waiting.timeout));
    let mut sent = 0;
    let (end, received, now) = loop {
        let outcome = send_rest(socket, payload, &mut sent).and_then(|()| receive(socket));
        let now = monotonic_ns();
        match outcome {
            Ok(Some(0)) => break (DataEnd::Closed, 0, now),
            Ok(Some(length)) => break (DataEnd::FirstByte, length, now),
            Err(error) => break (DataEnd::Failed(Errno::of(&error)), 0, now),
            Ok(None) if now >= deadline => break (DataEnd::Silent, 0, now),
            Ok(None) if !rest(epoll, deadline - now, stop) => break (DataEnd::Silent, 0, now),
            Ok(None) => {}
        }
    };
    let after = TcpInfo::read(socket)?;
    let since = |read: fn(&TcpInfo) -> Option<u64>| Some(read(&after)?.saturating_sub(read(waiting.at_handshake)?));
    Ok(DataReport {
        end,
        waited_ns: now.saturating_sub(waiting.since),
        sent: sent as u64,
        acknowledged: since(TcpInfo::bytes_acked),
        received: received as u64,
        retransmissions: after
            .total_retrans()
            .saturating_sub(waiting.at_handshake.total_retrans()),
        segments_received: since(|info| info.segs_in().map(u64::from)).map(|n| n as u32),
        data_segments_received: since(|info| info.data_segs_in().map(u64::from)).map(|n| n as u32),
    })
}

fn send_rest(socket: &Socket, payload: &[u8], sent: &mut usize) -> io::Result<()> {
    while *sent < payload.len() {
        match socket.send_with_flags(&payload[*sent..], libc::MSG_NOSIGNAL) {
            Ok(length) => *sent += length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Bytes of one read; `None` when there is nothing yet.
fn receive(mut socket: &Socket) -> io::Result<Option<usize>> {
    let mut buffer = [0; 4096];
    match socket.read(&mut buffer) {
        Ok(length) => Ok(Some(length)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
