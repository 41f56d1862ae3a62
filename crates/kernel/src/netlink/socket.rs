//! A netlink socket, and dumps read to their end.
//!
//! A dump is made by the kernel while it is read, a few objects a datagram, and everything may change in between. Where
//! the kernel notices (`NLM_F_DUMP_INTR`), or loses a datagram (`ENOBUFS`), the dump is begun anew a few times; the last
//! one is kept, and said to be inconsistent.

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::bytes::u32_at;
use super::message::{Message, Messages};
use super::request::Request;
use crate::sys::set_int;

/// The kernel makes datagrams of at most 32 KiB of a dump today; a single object may be larger.
const BUFFER_BYTES: usize = 1 << 20;
/// For requests that make the kernel queue more than one datagram.
const RECEIVE_BUFFER_BYTES: libc::c_int = 4 << 20;
/// A dump may wait for a lock that another process holds. Longer than this it is given up.
const TIMEOUT_S: libc::time_t = 10;
/// How often a dump is begun.
const TRIES: u32 = 4;

/// Takes the messages of a dump.
pub trait Receiver {
    /// The dump begins, or begins anew: what was received so far does not count.
    fn restart(&mut self);

    /// One object.
    fn message(&mut self, message: &Message<'_>);

    /// Whether nothing more is wanted: the rest of the dump is then left to the kernel.
    fn is_full(&self) -> bool {
        false
    }
}

/// Whether a dump shows one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Consistency {
    /// The kernel reported no change while it was read. (`inet_diag` never reports one.)
    Whole,
    /// The last try was interrupted by a change, too.
    Interrupted,
}

impl Consistency {
    /// Of two dumps that make one answer.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == Self::Whole { other } else { self }
    }
}

/// How one try ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// At the end of the dump.
    Done(Consistency),
    /// In the middle, for a reason that is gone now.
    Again,
}

impl Outcome {
    /// Of two dumps that make one answer.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Again, _) | (_, Self::Again) => Self::Again,
            (Self::Done(one), Self::Done(other)) => Self::Done(one.and(other)),
        }
    }
}

/// Tries until an answer is whole, a few times; the last one is taken as it is.
pub fn retry<R: Receiver>(
    receiver: &mut R,
    mut attempt: impl FnMut(&mut R) -> io::Result<Outcome>,
) -> io::Result<Consistency> {
    for left in (0..TRIES).rev() {
        receiver.restart();
        match attempt(receiver)? {
            Outcome::Done(Consistency::Interrupted) if left > 0 => {}
            Outcome::Done(consistency) => return Ok(consistency),
            Outcome::Again => {}
        }
    }
    Err(io::Error::from_raw_os_error(libc::ENOBUFS))
}

/// An open socket.
#[derive(Debug)]
pub struct Netlink {
    fd: OwnedFd,
    family: libc::c_int,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Netlink {
    /// A socket of a netlink family (`NETLINK_SOCK_DIAG`…) in the network namespace of the calling thread.
    pub fn open(family: libc::c_int) -> io::Result<Self> {
        Ok(Self {
            fd: open(family)?,
            family,
            sequence: 0,
            buffer: Vec::new(),
        })
    }

    /// Reads a whole dump, from its beginning again where it was disturbed. What a single question answers is read the
    /// same way.
    pub fn dump(&mut self, request: &Request, receiver: &mut impl Receiver) -> io::Result<Consistency> {
        retry(receiver, |receiver| self.attempt(request, receiver))
    }

    /// One try of a dump. After [`Outcome::Again`] what the receiver got does not count.
    pub fn attempt(&mut self, request: &Request, receiver: &mut impl Receiver) -> io::Result<Outcome> {
        self.sequence += 1;
        self.send(&request.bytes(self.sequence))?;
        let mut consistency = Consistency::Whole;
        loop {
            let length = match self.receive() {
                Ok(length) if length > self.buffer.len() => {
                    self.buffer.resize(length.next_power_of_two(), 0);
                    return self.again();
                }
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => return self.again(),
                result => result?,
            };
            let datagram = self.buffer.get(..length).unwrap_or_default();
            let mut messages = Messages::new(datagram);
            for message in messages.by_ref() {
                if message.sequence != self.sequence {
                    continue; // not an answer to this request
                }
                if message.flags & libc::NLM_F_DUMP_INTR as u16 != 0 {
                    consistency = Consistency::Interrupted;
                }
                match libc::c_int::from(message.kind) {
                    libc::NLMSG_DONE | libc::NLMSG_ERROR => {
                        return verdict(message.payload).map(|()| Outcome::Done(consistency));
                    }
                    libc::NLMSG_NOOP => {}
                    _ => receiver.message(&message),
                }
            }
            if !messages.rest().is_empty() {
                return Err(io::Error::from_raw_os_error(libc::EBADMSG));
            }
            if receiver.is_full() {
                return self.again().map(|_| Outcome::Done(consistency));
            }
        }
    }

    /// `send` on an unconnected netlink socket goes to the kernel (port 0).
    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        // SAFETY: the descriptor is open, the bytes live through the call.
        let sent = unsafe { libc::send(self.fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0) };
        checked(sent).map(drop)
    }

    /// One datagram of the kernel into the buffer; its whole length, even where it did not fit.
    fn receive(&mut self) -> io::Result<usize> {
        if self.buffer.is_empty() {
            self.buffer.resize(BUFFER_BYTES, 0);
        }
        loop {
            // SAFETY: an all-zero sockaddr_nl is a valid one.
            let mut sender: libc::sockaddr_nl = unsafe { zeroed() };
            let mut sender_len = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
            // SAFETY: the buffer has the length that is given, the address the size that `sender_len` says.
            let length = unsafe {
                libc::recvfrom(
                    self.fd.as_raw_fd(),
                    self.buffer.as_mut_ptr().cast(),
                    self.buffer.len(),
                    libc::MSG_TRUNC,
                    (&raw mut sender).cast(),
                    &raw mut sender_len,
                )
            };
            match checked(length) {
                // Another process may send to us; only what comes from the kernel (port 0) is believed.
                Ok(_) if sender.nl_pid != 0 => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(io::Error::from_raw_os_error(libc::ETIMEDOUT));
                }
                result => return result,
            }
        }
    }

    /// Gives up what is left of a dump: the kernel begins no other on this socket until its end has been read.
    fn again(&mut self) -> io::Result<Outcome> {
        self.fd = open(self.family)?;
        Ok(Outcome::Again)
    }
}

/// A configured socket.
fn open(family: libc::c_int) -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: no pointers; the result is checked before it is owned.
    let fd = unsafe { libc::socket(libc::AF_NETLINK, kind, family) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just handed out this descriptor, nobody else has it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // Beyond net.core.rmem_max the kernel cuts it down silently.
    set_int(&fd, libc::SOL_SOCKET, libc::SO_RCVBUF, RECEIVE_BUFFER_BYTES)?;
    set_timeout(&fd)?;
    Ok(fd)
}

fn set_timeout(fd: &OwnedFd) -> io::Result<()> {
    let timeout = libc::timeval {
        tv_sec: TIMEOUT_S,
        tv_usec: 0,
    };
    // SAFETY: the descriptor is open; the pointer is to a live timeval of the size that is given.
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVTIMEO,
            (&raw const timeout).cast(),
            size_of::<libc::timeval>() as libc::socklen_t,
        )
    };
    checked(result as isize).map(drop)
}

/// The error number of `NLMSG_DONE` or `NLMSG_ERROR`: zero or negative. A dump that ends without one ended well.
fn verdict(payload: &[u8]) -> io::Result<()> {
    match u32_at(payload, 0).map_or(0, |word| word as i32) {
        0.. => Ok(()),
        error => Err(io::Error::from_raw_os_error(error.saturating_neg())),
    }
}

fn checked(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}
