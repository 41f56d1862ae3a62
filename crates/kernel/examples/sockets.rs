//! What a census of many sockets costs, beside a loop that only receives the same dump. `benches/bench_sockets.py` runs it
//! in a network namespace of its own.
//!
//! `sockets PORT TIME_WAIT ESTABLISHED LISTENERS` makes the sockets, with listeners on the ports from PORT on, says so with a
//! line, and holds them until standard input ends. (One process may have fewer descriptors than there are to be sockets.)
//! For each line of its input it measures once, and prints a line of JSON.

use std::env;
use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use halfopen_kernel::diag::{Census, Options, census};
use halfopen_kernel::sys::{TcpState, raise_descriptor_limit};
use socket2::{Domain, SockAddr, Socket, Type};

/// Connections from one source address.
const PER_SOURCE: usize = 20_000;
/// The first port of the clients.
const FIRST_CLIENT_PORT: u16 = 33_000;

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<usize> = env::args().skip(1).map(|word| word.parse()).collect::<Result<_, _>>()?;
    let &[port, time_wait, established, listeners] = numbers.as_slice() else {
        return Err("usage: sockets PORT TIME_WAIT ESTABLISHED LISTENERS".into());
    };
    raise_descriptor_limit((established + listeners + 64) as u64)?;
    let (_listeners, _pairs) = fill(port as u16, time_wait, established, listeners)?;
    println!("ready");
    for line in io::stdin().lines() {
        line?;
        println!("{}", measure()?);
    }
    Ok(())
}

/// Wall time and processor time of both, as JSON.
fn measure() -> Result<String, Box<dyn Error>> {
    let options = Options {
        port_range: (32_768, 60_999),
        max_destinations: 1000,
        max_processes: 100,
        owners: None,
    };
    let (bytes, bare) = timed(receive_all);
    let bytes = bytes?;
    let (found, counted) = timed(|| census(&options));
    Ok(format!(
        r#"{{"bare": {bare}, "census": {counted}, "bytes": {bytes}, {}}}"#,
        counts(&found?)
    ))
}

/// What it gives, and what it took: `{"wall_ms": 1.0, "cpu_ms": 1.0}`.
fn timed<T>(work: impl FnOnce() -> T) -> (T, String) {
    let (start, before) = (Instant::now(), processor_time());
    let result = work();
    let (wall, cpu) = (start.elapsed(), processor_time().saturating_sub(before));
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    (
        result,
        format!(r#"{{"wall_ms": {:.3}, "cpu_ms": {:.3}}}"#, ms(wall), ms(cpu)),
    )
}

/// Of all threads of this process, in the kernel and outside.
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec, which the call fills.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn counts(census: &Census) -> String {
    let states = [TcpState::TimeWait, TcpState::Established, TcpState::Listen];
    let count = |state: TcpState| format!(r#""{}": {}"#, state.name(), census.states.get(state));
    states.map(count).join(", ")
}

type Kept = (Vec<TcpListener>, Vec<(TcpStream, Socket)>);

/// Half of the connections in TIME_WAIT were closed by the server, half by the client.
fn fill(port: u16, time_wait: usize, established: usize, listeners: usize) -> io::Result<Kept> {
    let mut kept = Vec::new();
    for index in 1..listeners as u16 {
        kept.push(TcpListener::bind((Ipv4Addr::LOCALHOST, port + index))?);
    }
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    for index in 0..time_wait {
        let (accepted, client) = pair(&server, index)?;
        if index % 2 == 0 {
            drop(accepted);
            drop(client);
        } else {
            drop(client);
            drop(accepted);
        }
    }
    // Both ends of a connection are in this namespace.
    let pairs = (time_wait..time_wait + established / 2).map(|index| pair(&server, index));
    let pairs = pairs.collect::<io::Result<_>>()?;
    kept.push(server);
    Ok((kept, pairs))
}

/// A connection whose client's end no other has had: a SYN from one that is in TIME_WAIT would open that anew.
fn pair(server: &TcpListener, index: usize) -> io::Result<(TcpStream, Socket)> {
    let server_address = server.local_addr()?;
    let network = u32::from(Ipv4Addr::new(127, server_address.port().to_be_bytes()[0], 0, 1));
    let source = Ipv4Addr::from(network + (index / PER_SOURCE) as u32);
    let port = FIRST_CLIENT_PORT + (index % PER_SOURCE) as u16;
    let client = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    client.bind(&SockAddr::from(SocketAddrV4::new(source, port)))?;
    client.connect(&SockAddr::from(server_address))?;
    Ok((server.accept()?.0, client))
}

/// The two questions of a census, and nothing done with the answers. The bytes received.
fn receive_all() -> io::Result<usize> {
    const LISTEN: u32 = 1 << 10;
    const ALL: u32 = 0x1ffe;
    const MEMORY: u8 = 1 << 6;
    // SAFETY: no pointers; the result is checked before it is owned.
    let fd = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_SOCK_DIAG) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just handed out this descriptor, nobody else has it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    let mut buffer = vec![0_u8; 1 << 20];
    let mut bytes = 0;
    for (states, extensions) in [(LISTEN, MEMORY), (ALL & !LISTEN, 0)] {
        send(&fd, &request(extensions, states))?;
        bytes += receive_dump(&fd, &mut buffer)?;
    }
    Ok(bytes)
}

/// `nlmsghdr` and `inet_diag_req`.
fn request(extensions: u8, states: u32) -> Vec<u8> {
    let mut bytes = 76_u32.to_ne_bytes().to_vec();
    bytes.extend(18_u16.to_ne_bytes());
    bytes.extend(((libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16).to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend([0, 0, 0, extensions]);
    bytes.extend([0; 48]);
    bytes.extend(states.to_ne_bytes());
    bytes.resize(76, 0);
    bytes
}

fn send(fd: &OwnedFd, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: the descriptor is open, the bytes live through the call.
    let sent = unsafe { libc::send(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0) };
    if sent < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Until a datagram ends in the 20 bytes of `NLMSG_DONE`.
fn receive_dump(fd: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    let mut bytes = 0;
    loop {
        // SAFETY: the descriptor is open, the buffer has the length that is given.
        let length = unsafe { libc::recv(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
        let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
        bytes += length;
        let end = &buffer[length.saturating_sub(20)..length];
        if end.get(..6) == Some(&[20, 0, 0, 0, 3, 0]) {
            return Ok(bytes);
        }
    }
}
