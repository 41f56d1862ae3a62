//! The socket's error queue: the ICMP message behind an error number.
//!
//! `IP_RECVERR` on a TCP socket in SYN-SENT queues the ICMP error since Linux 5.9 (`tcp_v4_err`, `ip_icmp_error`); before,
//! only the error number is known.

use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd};

/// An ICMP or ICMPv6 error that a SYN met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IcmpError {
    /// ICMPv6 rather than ICMP.
    pub v6: bool,
    /// Type of the message.
    pub icmp_type: u8,
    /// Code of the message.
    pub icmp_code: u8,
    /// Who sent it; `None` when the kernel did not say.
    pub offender: Option<IpAddr>,
    /// The error number that the kernel made of it.
    pub errno: i32,
}

/// Takes the first ICMP error off the error queue of a socket with `IP_RECVERR` or `IPV6_RECVERR`.
pub fn read_icmp_error(socket: &impl AsFd) -> Option<IcmpError> {
    // Control messages are aligned like `usize`; 512 bytes hold an extended error with its address several times over.
    let mut control = [0_usize; 512 / size_of::<usize>()];
    // What was in flight: a SYN's first bytes, of no interest; the kernel truncates.
    let mut packet = [0_u8; 64];
    loop {
        let length = receive(socket, &mut control, &mut packet)?;
        let bytes: Vec<u8> = control
            .iter()
            .flat_map(|word| word.to_ne_bytes())
            .take(length)
            .collect();
        if let Some(error) = parse_control(&bytes) {
            return Some(error);
        }
    }
}

/// One `recvmsg(MSG_ERRQUEUE)`; the length of the control data, or `None` when the queue is empty.
fn receive(socket: &impl AsFd, control: &mut [usize], packet: &mut [u8]) -> Option<usize> {
    let mut vector = libc::iovec {
        iov_base: packet.as_mut_ptr().cast(),
        iov_len: packet.len(),
    };
    // SAFETY: an all-zero msghdr is a valid one (null pointers with zero lengths).
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut vector;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(control);
    let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
    // SAFETY: the descriptor is open while borrowed; both buffers live through the call and have the lengths given.
    let result = unsafe { libc::recvmsg(socket.as_fd().as_raw_fd(), &raw mut message, flags) };
    (result >= 0).then_some(message.msg_controllen.min(size_of_val(control)))
}

const HEADER: usize = size_of::<libc::cmsghdr>();

/// Walks the control messages: length (including the header), level, type, data, padding to a word.
fn parse_control(mut bytes: &[u8]) -> Option<IcmpError> {
    loop {
        let length = usize::from_ne_bytes(bytes.get(..size_of::<usize>())?.try_into().ok()?);
        let level = i32_at(bytes, size_of::<usize>())?;
        let kind = i32_at(bytes, size_of::<usize>() + 4)?;
        let data = bytes.get(HEADER..length)?;
        match (level, kind) {
            (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => {
                if let Some(error) = parse_extended(data) {
                    return Some(error);
                }
            }
            _ => {}
        }
        bytes = bytes.get(length.next_multiple_of(size_of::<usize>())..)?;
    }
}

fn i32_at(bytes: &[u8], offset: usize) -> Option<i32> {
    Some(i32::from_ne_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?))
}

/// `struct sock_extended_err` (16 bytes: errno, origin, type, code, pad, info, data) and the offender's sockaddr behind it.
fn parse_extended(data: &[u8]) -> Option<IcmpError> {
    let errno = i32_at(data, 0)?;
    let &[origin, icmp_type, icmp_code] = data.get(4..7)? else {
        return None;
    };
    if !matches!(origin, libc::SO_EE_ORIGIN_ICMP | libc::SO_EE_ORIGIN_ICMP6) {
        return None;
    }
    let v6 = origin == libc::SO_EE_ORIGIN_ICMP6;
    Some(IcmpError {
        v6,
        icmp_type,
        icmp_code,
        offender: parse_offender(data.get(16..)?),
        errno,
    })
}

/// `sockaddr_in` (family, port, address) or `sockaddr_in6` (family, port, flow, address).
fn parse_offender(bytes: &[u8]) -> Option<IpAddr> {
    let family = u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?);
    match i32::from(family) {
        libc::AF_INET => {
            let octets: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
            Some(IpAddr::V4(Ipv4Addr::from(octets)))
        }
        libc::AF_INET6 => {
            let octets: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
            Some(IpAddr::V6(Ipv6Addr::from(octets)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(origin: u8, offender: &[u8]) -> Vec<u8> {
        let mut data = libc::EHOSTUNREACH.to_ne_bytes().to_vec();
        data.extend([origin, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        data.extend(offender);
        let mut bytes = (HEADER + data.len()).to_ne_bytes().to_vec();
        bytes.extend(libc::IPPROTO_IP.to_ne_bytes());
        bytes.extend(libc::IP_RECVERR.to_ne_bytes());
        bytes.extend(data);
        bytes
    }

    fn router() -> Vec<u8> {
        let mut address = (libc::AF_INET as u16).to_ne_bytes().to_vec();
        address.extend([0, 0, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        address
    }

    #[test]
    fn host_unreachable_names_the_router() {
        let error = parse_control(&message(libc::SO_EE_ORIGIN_ICMP, &router())).expect("an ICMP error");
        assert_eq!((error.icmp_type, error.icmp_code, error.v6), (3, 1, false));
        assert_eq!(error.offender, Some(IpAddr::from([192, 0, 2, 1])));
        assert_eq!(error.errno, libc::EHOSTUNREACH);
    }

    #[test]
    fn errors_of_local_origin_are_not_icmp() {
        assert_eq!(parse_control(&message(1, &router())), None);
    }

    #[test]
    fn every_truncation_ends_in_nothing_or_an_error_without_offender() {
        let whole = message(libc::SO_EE_ORIGIN_ICMP, &router());
        for length in 0..whole.len() {
            assert_eq!(parse_control(&whole[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn a_length_of_zero_does_not_loop() {
        assert_eq!(parse_control(&[0; 64]), None);
    }
}
