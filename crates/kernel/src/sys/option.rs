//! Socket options and calls that `socket2` does not know.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use socket2::{SockAddr, Socket};

/// `setsockopt` with an `int` value.
pub fn set_int(socket: &impl AsFd, level: libc::c_int, name: libc::c_int, value: libc::c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open while borrowed; the pointer is to a live int of the size that is given.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// `getsockopt` with an `int` value.
pub fn get_int(socket: &impl AsFd, level: libc::c_int, name: libc::c_int) -> io::Result<libc::c_int> {
    let mut value: libc::c_int = 0;
    let mut length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the descriptor is open while borrowed; both pointers are to live integers, `length` says the size of the first.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            name,
            (&raw mut value).cast(),
            &raw mut length,
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(value)
    }
}

/// `IP_BIND_ADDRESS_NO_PORT` (Linux 4.2): the next `bind()` fixes the address only, so that `connect()` can choose a port
/// that is free for this destination rather than one that is free for all of them. For IPv6 sockets too (`ipv6(7)` inherits it).
pub fn bind_address_no_port(socket: &impl AsFd) -> io::Result<()> {
    set_int(socket, libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT, 1)
}

/// Ends the connection of a socket and makes it as good as new, registrations and bound address kept: `connect()` with
/// `AF_UNSPEC`, `tcp_disconnect()` in the kernel. An open connection is ended by RST.
pub fn connect_unspecified(socket: &Socket) -> io::Result<()> {
    let address = libc::sockaddr {
        sa_family: libc::AF_UNSPEC as libc::sa_family_t,
        sa_data: [0; 14],
    };
    // SAFETY: the descriptor is open while borrowed; the pointer is to a live sockaddr of the size that is given.
    let result = unsafe {
        libc::connect(
            socket.as_raw_fd(),
            &raw const address,
            size_of::<libc::sockaddr>() as libc::socklen_t,
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// `accept4` with `SOCK_NONBLOCK | SOCK_CLOEXEC`: one call where the portable way needs three.
pub fn accept(listener: &Socket) -> io::Result<(Socket, SockAddr)> {
    // SAFETY: the closure passes on the storage and length that `try_init` made for an address; the kernel writes an
    // address of a kind that the length says, or nothing when the call fails.
    let (fd, address) = unsafe {
        SockAddr::try_init(|storage, length| {
            let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
            let fd = libc::accept4(listener.as_raw_fd(), storage.cast(), length, flags);
            if fd < 0 {
                Err(io::Error::last_os_error())
            } else {
                Ok(fd)
            }
        })?
    };
    // SAFETY: the kernel has just handed out this descriptor, nobody else has it.
    let owned = unsafe { OwnedFd::from_raw_fd(fd) };
    Ok((Socket::from(owned), address))
}

/// Length of the SYN that the kernel kept for an accepted socket (`TCP_SAVED_SYN`, Linux 4.2), 0 when it kept none: with
/// `TCP_SAVE_SYN` set on the listener that means that the connection was made from a SYN cookie.
pub fn tcp_saved_syn_len(socket: &impl AsFd) -> io::Result<usize> {
    // 60 bytes of IP header with options or extension headers, 60 of TCP: the kernel keeps the headers only.
    let mut header = [0_u8; 256];
    let mut length = header.len() as libc::socklen_t;
    // SAFETY: the descriptor is open while borrowed; `length` says how many bytes of `header` may be written.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_SAVED_SYN,
            header.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(length as usize)
    }
}
