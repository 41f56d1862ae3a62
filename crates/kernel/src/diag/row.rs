//! One socket as `sock_diag` tells it, `struct inet_diag_msg`, read in place.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::address::Address;
use crate::netlink::{Attributes, u32_at};
use crate::sys::{TcpInfo, TcpState};

/// Length of the fixed part.
const FIXED: usize = 72;

/// Offsets in it.
mod field {
    pub const FAMILY: usize = 0;
    pub const STATE: usize = 1;
    pub const TIMER: usize = 2;
    pub const RETRANS: usize = 3;
    /// Network order.
    pub const LOCAL_PORT: usize = 4;
    /// Network order.
    pub const REMOTE_PORT: usize = 6;
    /// 16 bytes in network order; IPv4 in the first 4.
    pub const LOCAL: usize = 8;
    pub const REMOTE: usize = 24;
    pub const INTERFACE: usize = 40;
    pub const COOKIE: usize = 44;
    pub const EXPIRES: usize = 52;
    pub const RECEIVE_QUEUE: usize = 56;
    pub const SEND_QUEUE: usize = 60;
    pub const UID: usize = 64;
    pub const INODE: usize = 68;
}

/// Attributes of a row, `INET_DIAG_*`.
mod attribute {
    pub const INFO: u16 = 2;
    pub const MEMORY: u16 = 7;
    pub const ONLY_V6: u16 = 11;
    pub const CGROUP: u16 = 21;
    /// Linux 5.9.
    pub const SOCKET_OPTIONS: u16 = 22;
}

/// `SK_MEMINFO_DROPS`, index of the 32-bit numbers of `INET_DIAG_SKMEMINFO` (Linux 4.7).
const MEMORY_DROPS: usize = 8;

/// One socket. Every accessor is defined for every input.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    fixed: &'a [u8; FIXED],
    attributes: &'a [u8],
}

impl<'a> Row<'a> {
    /// The payload of a `SOCK_DIAG_BY_FAMILY` message; `None` when it is too short for one.
    #[inline]
    pub fn parse(payload: &'a [u8]) -> Option<Self> {
        let (fixed, attributes) = payload.split_first_chunk()?;
        Some(Self { fixed, attributes })
    }

    #[inline]
    fn bytes<const N: usize>(&self, at: usize) -> [u8; N] {
        // Every offset is a constant below FIXED: the default is never taken, and the compiler knows.
        let found = self.fixed.get(at..).and_then(|rest| rest.first_chunk());
        found.copied().unwrap_or([0; N])
    }

    #[inline]
    fn u32(&self, at: usize) -> u32 {
        u32::from_ne_bytes(self.bytes(at))
    }

    /// Whether it is a socket of IPv6, dual-stack ones included.
    #[inline]
    pub fn is_v6(&self) -> bool {
        self.fixed[field::FAMILY] == libc::AF_INET6 as u8
    }

    /// Its state. Half-open requests are `SYN_RECV`.
    #[inline]
    pub fn state(&self) -> TcpState {
        TcpState::from_kernel(self.fixed[field::STATE])
    }

    /// Which timer runs: 0 none, 1 retransmission, 2 keepalive, 3 TIME_WAIT, 4 zero-window probe.
    pub fn timer(&self) -> u8 {
        self.fixed[field::TIMER]
    }

    /// Retransmissions (or probes) of what is unanswered; for a half-open request, of its SYN-ACK.
    #[inline]
    pub fn retransmissions(&self) -> u8 {
        self.fixed[field::RETRANS]
    }

    /// Until the timer fires, milliseconds.
    pub fn expires_ms(&self) -> u32 {
        self.u32(field::EXPIRES)
    }

    /// Local port.
    #[inline]
    pub fn local_port(&self) -> u16 {
        u16::from_be_bytes(self.bytes(field::LOCAL_PORT))
    }

    /// Remote port.
    #[inline]
    pub fn remote_port(&self) -> u16 {
        u16::from_be_bytes(self.bytes(field::REMOTE_PORT))
    }

    #[inline]
    fn address(&self, at: usize) -> Address {
        if self.is_v6() {
            Address::from_v6(self.bytes(at))
        } else {
            Address::from_v4(self.bytes(at))
        }
    }

    /// Local address; an IPv4 address on a socket of IPv6 is the IPv4 address.
    #[inline]
    pub(super) fn local(&self) -> Address {
        self.address(field::LOCAL)
    }

    /// Remote address, likewise.
    #[inline]
    pub(super) fn remote(&self) -> Address {
        self.address(field::REMOTE)
    }

    fn ip(&self, at: usize) -> IpAddr {
        if self.is_v6() {
            IpAddr::V6(Ipv6Addr::from(self.bytes::<16>(at)))
        } else {
            IpAddr::V4(Ipv4Addr::from(self.bytes::<4>(at)))
        }
    }

    /// Local address as the socket has it: `::ffff:192.0.2.1` for IPv4 on a socket of IPv6.
    pub fn local_ip(&self) -> IpAddr {
        self.ip(field::LOCAL)
    }

    /// Remote address, likewise.
    pub fn remote_ip(&self) -> IpAddr {
        self.ip(field::REMOTE)
    }

    /// Index of the interface that it is bound to.
    #[inline]
    pub fn interface(&self) -> Option<u32> {
        match self.u32(field::INTERFACE) {
            0 => None,
            index => Some(index),
        }
    }

    /// The kernel's own name of the socket, unique until reboot.
    pub fn cookie(&self) -> u64 {
        // Two 32-bit numbers, the lower first.
        u64::from(self.u32(field::COOKIE)) | u64::from(self.u32(field::COOKIE + 4)) << 32
    }

    /// `LISTEN`: connections in the accept queue. Else bytes received and not read; the FIN counts as one.
    #[inline]
    pub fn receive_queue(&self) -> u32 {
        self.u32(field::RECEIVE_QUEUE)
    }

    /// `LISTEN`: limit of the accept queue. Else bytes sent and not acknowledged, or not sent.
    pub fn send_queue(&self) -> u32 {
        self.u32(field::SEND_QUEUE)
    }

    /// Owner.
    pub fn uid(&self) -> u32 {
        self.u32(field::UID)
    }

    /// Inode; 0 for what no process holds.
    #[inline]
    pub fn inode(&self) -> u32 {
        self.u32(field::INODE)
    }

    fn attribute(&self, kind: u16) -> Option<&'a [u8]> {
        Attributes::new(self.attributes).find(kind)
    }

    /// `SK_MEMINFO_DROPS`, if [`super::Extension::Memory`] was asked for.
    pub fn drops(&self) -> Option<u32> {
        u32_at(self.attribute(attribute::MEMORY)?, 4 * MEMORY_DROPS)
    }

    /// `TCP_INFO`, if [`super::Extension::Info`] was asked for.
    pub fn info(&self) -> Option<TcpInfo> {
        self.attribute(attribute::INFO).map(TcpInfo::from_bytes)
    }

    /// `IPV6_V6ONLY`, of listeners and closed sockets of IPv6.
    pub fn only_v6(&self) -> Option<bool> {
        self.attribute(attribute::ONLY_V6)?.first().map(|&byte| byte != 0)
    }

    /// Id of its control group (inode in cgroup2), where the kernel tells it.
    pub fn cgroup_id(&self) -> Option<u64> {
        crate::netlink::u64_at(self.attribute(attribute::CGROUP)?, 0)
    }

    /// `IP_BIND_ADDRESS_NO_PORT`, where the kernel tells it.
    #[inline]
    pub fn bind_address_no_port(&self) -> Option<bool> {
        Some(self.attribute(attribute::SOCKET_OPTIONS)?.get(1)? & low_bit(0) != 0)
    }

    /// `connect()` of TCP_FASTOPEN_CONNECT that has sent nothing yet.
    pub fn defer_connect(&self) -> Option<bool> {
        Some(self.attribute(attribute::SOCKET_OPTIONS)?.get(1)? & low_bit(2) != 0)
    }
}

/// The `index`-th bit field of a byte, as C compilers lay them out.
const fn low_bit(index: u8) -> u8 {
    if cfg!(target_endian = "little") {
        1 << index
    } else {
        0x80 >> index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A socket of IPv6 to an IPv4 host, with `TCP_INFO`, memory and options.
    fn sample() -> Vec<u8> {
        let mut bytes = vec![10, 1, 2, 3, 0x1f, 0x90, 0xc0, 0x01];
        for last in [1, 2] {
            bytes.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, last]);
        }
        for word in [7_u32, 0x89ab_cdef, 0x0123_4567, 100, 11, 22, 1000, 4242] {
            bytes.extend(word.to_ne_bytes());
        }
        let mut attribute = |kind: u16, value: &[u8]| {
            bytes.extend((4 + value.len() as u16).to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        };
        let memory: Vec<u8> = (0..9_u32).flat_map(|n| (90 + n).to_ne_bytes()).collect();
        attribute(attribute::MEMORY, &memory);
        attribute(attribute::ONLY_V6, &[1]);
        attribute(attribute::INFO, &[0xff; 64]);
        attribute(attribute::CGROUP, &77_u64.to_ne_bytes());
        attribute(attribute::SOCKET_OPTIONS, &[0, 5]);
        bytes
    }

    #[test]
    fn every_field_is_where_the_kernel_puts_it() {
        let bytes = sample();
        let row = Row::parse(&bytes).expect("a whole row");
        assert!(row.is_v6());
        assert_eq!(
            (row.state(), row.timer(), row.retransmissions()),
            (TcpState::Established, 2, 3)
        );
        assert_eq!((row.local_port(), row.remote_port()), (8080, 49153));
        assert_eq!(row.local_ip().to_string(), "::ffff:192.0.2.1");
        assert_eq!(row.remote().to_string(), "192.0.2.2");
        assert_eq!((row.interface(), row.cookie()), (Some(7), 0x0123_4567_89ab_cdef));
        assert_eq!((row.expires_ms(), row.receive_queue(), row.send_queue()), (100, 11, 22));
        assert_eq!((row.uid(), row.inode(), row.drops()), (1000, 4242, Some(98)));
        assert_eq!((row.only_v6(), row.cgroup_id()), (Some(true), Some(77)));
        assert_eq!(
            (row.bind_address_no_port(), row.defer_connect()),
            (Some(true), Some(true))
        );
        assert_eq!(row.info().map(|info| info.last_ack_recv_ms()), Some(u32::MAX));
    }

    #[test]
    fn no_truncation_panics_and_none_invents_anything() {
        let bytes = sample();
        let whole = Row::parse(&bytes).expect("a whole row");
        for length in 0..bytes.len() {
            let Some(row) = Row::parse(&bytes[..length]) else {
                assert!(length < FIXED);
                continue;
            };
            assert_eq!(row.inode(), whole.inode());
            for (cut, all) in [
                (row.cgroup_id(), whole.cgroup_id()),
                (row.drops().map(u64::from), Some(98)),
            ] {
                assert!(cut.is_none() || cut == all, "{length}");
            }
            let _ = (
                row.info(),
                row.only_v6(),
                row.bind_address_no_port(),
                row.defer_connect(),
            );
        }
    }
}
