//! A socket for the next connection out of that of the last one.

use std::net::Shutdown;

use socket2::Socket;

use super::CloseMode;
use crate::sys::{TcpInfo, TcpState, connect_unspecified};

/// Attempts without success after which there will be no more.
const PATIENCE: u32 = 32;

/// Whether sockets can be used again, and what is known of it.
///
/// An open connection that is disconnected ends by RST, so that with [`CloseMode::Rst`] it is done as it is. Where the server
/// has closed, this side's FIN goes first, and the socket is free once the server's kernel has acknowledged it. On loopback that
/// is before `shutdown()` returns; elsewhere it is not, and waiting for it would cost more than a new socket.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    failures: u32,
}

impl Renewal {
    /// Ends the connection; whether the socket can be used again. One that cannot is to be closed, which is safe in any state.
    pub(super) fn renew(&mut self, socket: &Socket, close: CloseMode) -> bool {
        match close {
            CloseMode::Rst => connect_unspecified(socket).is_ok(),
            CloseMode::ServerFirst if self.failures < PATIENCE => {
                let closed = finish(socket);
                self.failures = if closed { 0 } else { self.failures + 1 };
                // Not from LAST-ACK: the server's ACK would meet no socket, and the RST in answer end its TIME_WAIT.
                closed && connect_unspecified(socket).is_ok()
            }
            CloseMode::ServerFirst | CloseMode::Fin => false,
        }
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

/// Sends the FIN of a socket in CLOSE-WAIT; whether the connection is over on this side.
fn finish(socket: &Socket) -> bool {
    socket.shutdown(Shutdown::Write).is_ok() && TcpInfo::read(socket).is_ok_and(|info| info.state() == TcpState::Close)
}
