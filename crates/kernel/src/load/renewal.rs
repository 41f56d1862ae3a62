//! A socket for the next connection out of that of the last one.

use std::io;
use std::net::Shutdown;

use socket2::Socket;

use super::CloseMode;
use crate::sys::connect_unspecified;

/// When a socket can be used again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Renewal {
    /// It is as good as new.
    Ready,
    /// Once its connection is over for the kernel too, of which `epoll` tells as of a hang-up.
    Later,
    /// It is to be closed, which is safe in any state.
    Never,
}

/// Ends a connection.
///
/// An open connection that is disconnected ends by RST, so that with [`CloseMode::Rst`] it is done as it is. Otherwise this
/// side's FIN goes first. On loopback the server's kernel has acknowledged it before `shutdown()` returns, and where the server
/// had closed before, that is all; elsewhere, and where the server closes after this side, the rest comes later.
pub(super) fn renew(socket: &Socket, close: CloseMode) -> Renewal {
    match close {
        CloseMode::Rst => disconnect(socket),
        CloseMode::Fin | CloseMode::ServerFirst => match socket.shutdown(Shutdown::Write) {
            Ok(()) => settle(socket),
            Err(_) => Renewal::Never,
        },
    }
}

/// Looks whether a connection that was ended by FIN is over, `TIME_WAIT` apart, which the kernel keeps without the socket.
///
/// Not before that: disconnecting from LAST-ACK the server's ACK would meet no socket, and the RST in answer end its
/// `TIME_WAIT`; from FIN-WAIT it would be an RST itself. `getpeername()` is the cheapest way to ask: of a socket in CLOSED there
/// is no peer.
pub(super) fn settle(socket: &Socket) -> Renewal {
    match socket.peer_addr() {
        Ok(_) => Renewal::Later,
        Err(error) if error.kind() == io::ErrorKind::NotConnected => disconnect(socket),
        Err(_) => Renewal::Never,
    }
}

fn disconnect(socket: &Socket) -> Renewal {
    if connect_unspecified(socket).is_ok() {
        Renewal::Ready
    } else {
        Renewal::Never
    }
}

/// Closes a connection that came to nothing, so that `TIME_WAIT` falls where `close` says: close() alone would send a FIN.
pub(super) fn give_up(socket: Socket, close: CloseMode) {
    if close == CloseMode::Rst {
        // Without success there is no connection, and nothing to reset.
        let _ = connect_unspecified(&socket);
    }
    drop(socket);
}
