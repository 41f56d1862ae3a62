//! `epoll` with nanosecond timeouts, and the event descriptor that wakes it from another thread.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What to be told about a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interest(u32);

impl Interest {
    /// Readable, or closed by the peer; as long as it lasts.
    pub const READ: Self = Self(libc::EPOLLIN as u32);
    /// Nothing but errors.
    pub const NONE: Self = Self(0);
    /// Every change, once (edge-triggered): a connect needs no other registration for its whole life.
    pub const EDGES: Self = Self((libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET) as u32);
}

/// What became of a descriptor; the default is nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Readiness {
    /// The number that it was registered with.
    pub token: u64,
    bits: u32,
}

impl Readiness {
    /// There is something to read, or the end of the stream.
    pub const fn readable(self) -> bool {
        self.bits & libc::EPOLLIN as u32 != 0
    }

    /// Writing would not block; for a connect in progress: it ended.
    pub const fn writable(self) -> bool {
        self.bits & libc::EPOLLOUT as u32 != 0
    }

    /// The peer sent FIN.
    pub const fn peer_closed(self) -> bool {
        self.bits & libc::EPOLLRDHUP as u32 != 0
    }

    /// The connection failed, or the error queue has an entry.
    pub const fn failed(self) -> bool {
        self.bits & (libc::EPOLLERR | libc::EPOLLHUP) as u32 != 0
    }
}

/// An epoll instance and the buffer of its last wait.
#[derive(Debug)]
pub struct Epoll {
    fd: OwnedFd,
    events: Vec<libc::epoll_event>,
    ready: usize,
}

/// Set once a kernel answered `ENOSYS` to `epoll_pwait2` (before 5.11): milliseconds from then on.
static NO_PWAIT2: AtomicBool = AtomicBool::new(false);

impl Epoll {
    /// A new instance that reports up to `capacity` descriptors a wait.
    pub fn new(capacity: usize) -> io::Result<Self> {
        // SAFETY: no pointers; the result is checked before it is owned.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just handed out this descriptor, nobody else has it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let events = vec![libc::epoll_event { events: 0, u64: 0 }; capacity.max(1)];
        Ok(Self { fd, events, ready: 0 })
    }

    /// Registers a descriptor.
    pub fn add(&self, fd: BorrowedFd<'_>, interest: Interest, token: u64) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, interest, token)
    }

    /// Changes what a registered descriptor reports.
    pub fn modify(&self, fd: BorrowedFd<'_>, interest: Interest, token: u64) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, interest, token)
    }

    fn control(&self, operation: i32, fd: BorrowedFd<'_>, interest: Interest, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event {
            events: interest.0,
            u64: token,
        };
        // SAFETY: both descriptors are open while borrowed, `event` lives through the call, which copies it.
        let result = unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), operation, fd.as_raw_fd(), &raw mut event) };
        if result < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }

    /// Waits, for ever without a timeout. A signal ends the wait with nothing ready.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.ready = 0;
        let count = if NO_PWAIT2.load(Ordering::Relaxed) {
            self.wait_milliseconds(timeout)
        } else {
            self.wait_nanoseconds(timeout)
        };
        if count >= 0 {
            self.ready = count as usize;
            return Ok(());
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EINTR) => Ok(()),
            Some(libc::ENOSYS) if !NO_PWAIT2.swap(true, Ordering::Relaxed) => self.wait(timeout),
            _ => Err(error),
        }
    }

    fn wait_nanoseconds(&mut self, timeout: Option<Duration>) -> i32 {
        let spec = timeout.map(|t| libc::timespec {
            tv_sec: t.as_secs().min(i64::MAX as u64) as libc::time_t,
            tv_nsec: libc::c_long::from(t.subsec_nanos()),
        });
        let spec_ptr = spec.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: `events` is a live array of `events.len()` entries; `spec_ptr` is null or points to `spec`, which
        // outlives the call; a null signal mask is allowed and then its size is not looked at.
        let count = unsafe {
            libc::syscall(
                libc::SYS_epoll_pwait2,
                self.fd.as_raw_fd(),
                self.events.as_mut_ptr(),
                self.events.len() as libc::c_int,
                spec_ptr,
                std::ptr::null::<libc::sigset_t>(),
                0_usize,
            )
        };
        count as i32
    }

    fn wait_milliseconds(&mut self, timeout: Option<Duration>) -> i32 {
        // Rounded up: a wait that ends early would spin until the deadline.
        let milliseconds = timeout.map_or(-1, |t| t.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i32);
        // SAFETY: `events` is a live array of `events.len()` entries.
        unsafe {
            libc::epoll_wait(
                self.fd.as_raw_fd(),
                self.events.as_mut_ptr(),
                self.events.len() as libc::c_int,
                milliseconds,
            )
        }
    }

    /// How many descriptors the last wait reported.
    pub const fn ready(&self) -> usize {
        self.ready
    }

    /// The `index`-th of them.
    pub fn readiness(&self, index: usize) -> Readiness {
        // Copied out: `epoll_event` is a packed structure on x86-64, so its fields may not be borrowed.
        let event = self.events[index];
        Readiness {
            token: event.u64,
            bits: event.events,
        }
    }
}

/// An `eventfd`: any thread may make another one's [`Epoll::wait`] return.
#[derive(Debug)]
pub struct Waker(OwnedFd);

impl Waker {
    /// A new one.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers; the result is checked before it is owned.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just handed out this descriptor, nobody else has it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Makes it readable, for good.
    pub fn wake(&self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: eight live bytes, an open descriptor. The only possible error is a full counter, which is readable too.
        unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
