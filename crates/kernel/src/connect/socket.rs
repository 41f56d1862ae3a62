//! A socket as the options ask for it.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::{Options, SetupError};
use crate::sys::{bind_address_no_port, set_int};

/// A non-blocking TCP socket for `remote`, bound to `source` if there is one, its port left to `connect()`.
pub fn source_socket(remote: &SocketAddr, source: Option<IpAddr>) -> Result<Socket, SetupError> {
    let socket = new_socket(remote)?;
    if let Some(address) = source {
        bind_source(&socket, remote, address, None)?;
    }
    Ok(socket)
}

/// Gives such a socket, whose connection is over, another local address for its next one.
pub fn bind_again(socket: &Socket, remote: &SocketAddr, source: IpAddr) -> io::Result<()> {
    socket.bind(&SockAddr::from(local_address(remote, source, 0)))
}

/// A non-blocking TCP socket for `remote` with every option set.
pub fn configure(remote: &SocketAddr, options: &Options) -> Result<Socket, SetupError> {
    let socket = new_socket(remote)?;
    set_ip_options(&socket, remote, options)?;
    set_tcp_options(&socket, options)?;
    if options.source.is_some() || options.source_port.is_some() {
        let any = if remote.is_ipv4() {
            IpAddr::from([0; 4])
        } else {
            IpAddr::from([0; 16])
        };
        bind_source(&socket, remote, options.source.unwrap_or(any), options.source_port)?;
    }
    Ok(socket)
}

fn new_socket(remote: &SocketAddr) -> Result<Socket, SetupError> {
    let domain = Domain::for_address(*remote);
    Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP)).map_err(SetupError::new("socket"))
}

fn set_ip_options(socket: &Socket, remote: &SocketAddr, options: &Options) -> Result<(), SetupError> {
    receive_icmp_errors(socket, remote).map_err(SetupError::new("IP_RECVERR"))?;
    if let Some(name) = &options.interface {
        socket
            .bind_device(Some(name.as_bytes()))
            .map_err(SetupError::new(format!("SO_BINDTODEVICE {name}")))?;
    }
    if let Some(mark) = options.mark {
        socket
            .set_mark(mark)
            .map_err(SetupError::new(format!("SO_MARK {mark}")))?;
    }
    if let Some(ttl) = options.ttl {
        let result = if remote.is_ipv4() {
            socket.set_ttl_v4(u32::from(ttl))
        } else {
            socket.set_unicast_hops_v6(u32::from(ttl))
        };
        result.map_err(SetupError::new(format!("TTL {ttl}")))?;
    }
    Ok(())
}

/// An IPv4-mapped target is an IPv4 connection of an IPv6 socket: both options are then set.
fn receive_icmp_errors(socket: &Socket, remote: &SocketAddr) -> io::Result<()> {
    if let SocketAddr::V6(v6) = remote {
        set_int(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVERR, 1)?;
        if v6.ip().to_ipv4_mapped().is_none() {
            return Ok(());
        }
    }
    set_int(socket, libc::IPPROTO_IP, libc::IP_RECVERR, 1)
}

fn set_tcp_options(socket: &Socket, options: &Options) -> Result<(), SetupError> {
    if options.nodelay {
        socket.set_tcp_nodelay(true).map_err(SetupError::new("TCP_NODELAY"))?;
    }
    if let Some(on) = options.quickack {
        socket.set_tcp_quickack(on).map_err(SetupError::new("TCP_QUICKACK"))?;
    }
    if let Some(mss) = options.mss {
        socket
            .set_tcp_mss(u32::from(mss))
            .map_err(SetupError::new(format!("TCP_MAXSEG {mss}")))?;
    }
    if let Some(retries) = options.syn_retries {
        set_int(socket, libc::IPPROTO_TCP, libc::TCP_SYNCNT, libc::c_int::from(retries))
            .map_err(SetupError::new(format!("TCP_SYNCNT {retries}")))?;
    }
    Ok(())
}

fn bind_source(socket: &Socket, remote: &SocketAddr, address: IpAddr, port: Option<u16>) -> Result<(), SetupError> {
    let local = local_address(remote, address, port.unwrap_or(0));
    if port.is_some() {
        socket
            .set_reuse_address(true)
            .map_err(SetupError::new("SO_REUSEADDR"))?;
    } else {
        // A kernel before 4.2 has no such option; its bind() then takes a port that is free for every destination.
        match bind_address_no_port(socket) {
            Err(error) if error.raw_os_error() != Some(libc::ENOPROTOOPT) => {
                return Err(SetupError::new("IP_BIND_ADDRESS_NO_PORT")(error));
            }
            _ => {}
        }
    }
    socket
        .bind(&SockAddr::from(local))
        .map_err(SetupError::new(format!("bind {local}")))
}

/// A link-local address means something on one link only, which is that of the other end.
fn local_address(remote: &SocketAddr, address: IpAddr, port: u16) -> SocketAddr {
    match (address, remote) {
        (IpAddr::V6(v6), SocketAddr::V6(to)) if v6.is_unicast_link_local() => {
            SocketAddrV6::new(v6, port, 0, to.scope_id()).into()
        }
        _ => SocketAddr::new(address, port),
    }
}
