//! Listeners, and which of them a connection belongs to.

use std::cmp::Reverse;
use std::net::IpAddr;

use super::super::address::Address;
use super::super::row::Row;
use crate::netlink::{Message, Receiver};

/// What is in an accept queue: rows with inode 0 behind a listener.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct AcceptQueue {
    /// Still open.
    pub established: u32,
    /// Closed by the client.
    pub close_wait: u32,
    /// Milliseconds since the oldest was made.
    pub oldest_ms: Option<u32>,
    /// Most bytes that wait in one of them.
    pub unread_bytes_max: u32,
}

/// One listening socket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listener {
    /// Local address as the socket has it.
    pub address: IpAddr,
    /// Local port.
    pub port: u16,
    /// Connections that wait for accept().
    pub accept_queue: u32,
    /// Limit of that queue; one more fits.
    pub accept_queue_limit: u32,
    /// `IPV6_V6ONLY`; none for a socket of IPv4.
    pub only_v6: Option<bool>,
    /// Inode.
    pub inode: u32,
    /// The kernel's own name of the socket.
    pub cookie: u64,
    /// Owner.
    pub uid: u32,
    /// Interface that it is bound to.
    pub interface: Option<u32>,
    /// Drops at this socket since it exists.
    pub drops: Option<u32>,
    /// Its control group.
    pub cgroup_id: Option<u64>,
    /// Half-open requests; of the whole group, on its first member.
    pub syn_queue: u32,
    /// Of those, with a retransmitted SYN-ACK.
    pub syn_queue_retransmitted: u32,
    /// Content of the accept queue; of the whole group, on its first member.
    pub queued: Option<AcceptQueue>,
    /// Sockets that share address, port and interface.
    pub group: u32,
    /// Processes that hold it.
    pub pids: Vec<u32>,
}

impl Listener {
    fn of(row: &Row<'_>) -> Self {
        Self {
            address: row.local_ip(),
            port: row.local_port(),
            accept_queue: row.receive_queue(),
            accept_queue_limit: row.send_queue(),
            only_v6: row.is_v6().then(|| row.only_v6()).flatten(),
            inode: row.inode(),
            cookie: row.cookie(),
            uid: row.uid(),
            interface: row.interface(),
            drops: row.drops(),
            cgroup_id: row.cgroup_id(),
            syn_queue: 0,
            syn_queue_retransmitted: 0,
            queued: None,
            group: 1,
            pids: Vec::new(),
        }
    }

    /// What makes two sockets one group of `SO_REUSEPORT`.
    fn place(&self) -> (u16, IpAddr, Option<u32>, Option<bool>) {
        (self.port, self.address, self.interface, self.only_v6)
    }
}

/// A group, as connections look for it.
#[derive(Clone, Copy, Debug)]
struct Group {
    /// Number of its first listener.
    first: u32,
    address: Address,
    interface: Option<u32>,
    is_v6: bool,
    only_v6: bool,
}

impl Group {
    /// How well it fits, or `None`: `inet_lookup_listener` looks for the address first and for any address then, and
    /// prefers one bound to the interface, and one of IPv4 (`compute_score`).
    #[inline]
    fn score(&self, local: Address, interface: Option<u32>) -> Option<(bool, bool, bool)> {
        let is_exact = self.address == local;
        let any = if self.is_v6 { Address::ANY_V6 } else { Address::ANY_V4 };
        let takes_family = if local.is_v4() { !self.only_v6 } else { self.is_v6 };
        let is_any = self.address == any && takes_family;
        let is_bound = self.interface.is_some();
        if !(is_exact || is_any) || (is_bound && self.interface != interface) {
            return None;
        }
        Some((is_exact, is_bound, !self.is_v6))
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Listeners {
    pub all: Vec<Listener>,
    groups: Vec<Group>,
    /// For each port, where its groups begin; one entry more than there are ports.
    starts: Vec<u32>,
}

impl Default for Listeners {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            groups: Vec::new(),
            starts: vec![0; PORTS + 1],
        }
    }
}

const PORTS: usize = 1 << 16;

impl Receiver for Listeners {
    fn restart(&mut self) {
        self.all.clear();
    }

    fn message(&mut self, message: &Message<'_>) {
        self.all
            .extend(Row::parse(message.payload).map(|row| Listener::of(&row)));
    }
}

impl Listeners {
    /// Puts them in order and makes them findable. Called once, when all are known.
    pub fn index(&mut self) {
        self.all.sort_by_key(|one| (one.place(), one.cookie));
        let mut first = 0;
        for index in 0..self.all.len() {
            if self.all[index].place() != self.all[first].place() {
                first = index;
            }
            if first == index {
                self.groups.push(group(&self.all[index], index));
                self.starts[usize::from(self.all[index].port) + 1] += 1;
            } else {
                self.all[first].group += 1;
            }
        }
        for index in 0..self.all.len() {
            if index > 0 && self.all[index].place() == self.all[index - 1].place() {
                self.all[index].group = self.all[index - 1].group;
            }
        }
        for port in 0..PORTS {
            self.starts[port + 1] += self.starts[port];
        }
    }

    /// The number of the listener (the first of its group) that a connection with this local end belongs to.
    #[inline]
    pub fn find(&self, local: Address, port: u16, interface: Option<u32>) -> Option<u32> {
        let port = usize::from(port);
        let (start, end) = (self.starts[port] as usize, self.starts[port + 1] as usize);
        if start == end {
            return None;
        }
        self.best(start, end, local, interface)
    }

    #[inline]
    fn best(&self, start: usize, end: usize, local: Address, interface: Option<u32>) -> Option<u32> {
        let fitting = self.groups[start..end].iter().filter_map(|group| {
            let score = group.score(local, interface)?;
            Some((score, Reverse(group.first)))
        });
        fitting.max().map(|(_, Reverse(first))| first)
    }

    /// The one that a row belongs to.
    #[inline]
    pub fn of(&self, row: &Row<'_>) -> Option<u32> {
        self.find(row.local(), row.local_port(), row.interface())
    }
}

fn group(listener: &Listener, index: usize) -> Group {
    let (address, is_v6) = match listener.address {
        IpAddr::V4(v4) => (Address::from_v4(v4.octets()), false),
        IpAddr::V6(v6) => (Address::from_v6(v6.octets()), true),
    };
    Group {
        first: index as u32,
        address,
        interface: listener.interface,
        is_v6,
        only_v6: listener.only_v6.unwrap_or(false),
    }
}
