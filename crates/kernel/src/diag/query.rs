//! What to ask of `sock_diag`: `struct inet_diag_req_v2` or `struct inet_diag_req`, and a filter.

use super::bytecode::{self, Side};
use crate::netlink::Request;
use crate::sys::TcpState;

/// `SOCK_DIAG_BY_FAMILY`, `include/uapi/linux/sock_diag.h`.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `TCPDIAG_GETSOCK`, `include/uapi/linux/inet_diag.h`.
const TCPDIAG_GETSOCK: u16 = 18;
/// `INET_DIAG_REQ_BYTECODE`.
const BYTECODE: u16 = 1;
/// `struct inet_diag_sockid`: ports (4), addresses (32), interface (4), cookie (8). Not looked at in a dump.
const SOCKET_ID: usize = 48;

/// A set of TCP states, as the kernel's filter has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct States(u32);

impl States {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// Everything that is in a hash: all but closed sockets without a port.
    pub const ALL: Self = Self::of(&TcpState::ALL);

    /// These.
    pub const fn of(states: &[TcpState]) -> Self {
        let (mut bits, mut index) = (0, 0);
        while index < states.len() {
            bits |= 1 << states[index].number();
            index += 1;
        }
        Self(bits)
    }

    /// Those of this set that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Those of either.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What to send along with a row, `INET_DIAG_*`; as bits of `idiag_ext`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Extension {
    /// `INET_DIAG_INFO` (2): `struct tcp_info`. Takes the lock of each socket.
    Info = 1 << 1,
    /// `INET_DIAG_SKMEMINFO` (7): buffers, and drops since Linux 4.7.
    Memory = 1 << 6,
}

/// A dump of TCP sockets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    states: States,
    extensions: u8,
    program: Vec<u8>,
}

impl Query {
    /// Every socket in these states.
    pub const fn new(states: States) -> Self {
        Self {
            states,
            extensions: 0,
            program: Vec::new(),
        }
    }

    /// With something more in each row.
    #[must_use]
    pub const fn and(mut self, extension: Extension) -> Self {
        self.extensions |= extension as u8;
        self
    }

    /// Only sockets on these local ports; all of them where the list is empty or too long for the kernel.
    #[must_use]
    pub fn on_ports(mut self, ports: &[u16]) -> Self {
        self.program = bytecode::any_local_port(ports);
        self
    }

    /// Two questions of which each socket answers exactly one: those with a port below `first` on that side, and the others.
    /// Takes the place of a filter by [`Query::on_ports`].
    pub(super) fn halves(&self, side: Side, first: u16) -> [Self; 2] {
        bytecode::below_and_from(side, first).map(|program| Self {
            program,
            ..self.clone()
        })
    }

    /// As a netlink message for one family: family (1), protocol (1), extensions (1), padding (1), states (4), socket.
    pub(super) fn of_family(&self, family: u8) -> Request {
        let mut fixed = vec![family, libc::IPPROTO_TCP as u8, self.extensions, 0];
        fixed.extend(self.states.0.to_ne_bytes());
        fixed.resize(fixed.len() + SOCKET_ID, 0);
        self.with_program(Request::dump(SOCK_DIAG_BY_FAMILY, &fixed))
    }

    /// As the older message for both families, `struct inet_diag_req`: family, lengths of addresses, extensions (1 each),
    /// socket, states (4), tables (4).
    pub(super) fn of_both_families(&self) -> Request {
        let mut fixed = vec![0, 0, 0, self.extensions];
        fixed.resize(fixed.len() + SOCKET_ID, 0);
        fixed.extend(self.states.0.to_ne_bytes());
        fixed.extend([0; 4]);
        self.with_program(Request::dump(TCPDIAG_GETSOCK, &fixed))
    }

    fn with_program(&self, request: Request) -> Request {
        if self.program.is_empty() {
            request
        } else {
            request.with(BYTECODE, &self.program)
        }
    }
}
