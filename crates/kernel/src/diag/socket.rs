//! Every socket, one by one: for tests, and for those who want to know of one.

use std::net::IpAddr;
use std::slice;

use super::row::Row;
use super::{Query, SockDiag};
use crate::failure::Failure;
use crate::netlink::{Consistency, Message, Receiver};
use crate::sys::{TcpInfo, TcpState};

/// A socket with all that was told of it.
#[derive(Clone)]
#[expect(missing_docs, reason = "the fields are described at `Row`")]
pub struct Socket {
    pub v6: bool,
    pub state: TcpState,
    pub timer: u8,
    pub retransmissions: u8,
    pub expires_ms: u32,
    pub local: IpAddr,
    pub local_port: u16,
    pub remote: IpAddr,
    pub remote_port: u16,
    pub interface: Option<u32>,
    pub cookie: u64,
    pub receive_queue: u32,
    pub send_queue: u32,
    pub uid: u32,
    pub inode: u32,
    pub drops: Option<u32>,
    pub only_v6: Option<bool>,
    pub cgroup_id: Option<u64>,
    pub bind_address_no_port: Option<bool>,
    pub defer_connect: Option<bool>,
    pub info: Option<TcpInfo>,
}

impl From<Row<'_>> for Socket {
    fn from(row: Row<'_>) -> Self {
        Self {
            v6: row.is_v6(),
            state: row.state(),
            timer: row.timer(),
            retransmissions: row.retransmissions(),
            expires_ms: row.expires_ms(),
            local: row.local_ip(),
            local_port: row.local_port(),
            remote: row.remote_ip(),
            remote_port: row.remote_port(),
            interface: row.interface(),
            cookie: row.cookie(),
            receive_queue: row.receive_queue(),
            send_queue: row.send_queue(),
            uid: row.uid(),
            inode: row.inode(),
            drops: row.drops(),
            only_v6: row.only_v6(),
            cgroup_id: row.cgroup_id(),
            bind_address_no_port: row.bind_address_no_port(),
            defer_connect: row.defer_connect(),
            info: row.info(),
        }
    }
}

#[derive(Default)]
struct Sockets(Vec<Socket>);

impl Receiver for Sockets {
    fn restart(&mut self) {
        self.0.clear();
    }

    fn message(&mut self, message: &Message<'_>) {
        self.0.extend(Row::parse(message.payload).map(Socket::from));
    }
}

/// The sockets that a query finds in the network namespace of the calling thread.
pub fn sockets(query: &Query) -> Result<(Vec<Socket>, Consistency), Failure> {
    let mut sockets = Sockets::default();
    let consistency = SockDiag::open()?.dump(slice::from_ref(query), &mut sockets)?;
    Ok((sockets.0, consistency))
}
