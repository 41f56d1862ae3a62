//! Error numbers under the names that `errno(3)` and everybody's logs use.

use std::fmt;
use std::io;

/// An error number of the kernel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Errno(pub i32);

impl Errno {
    /// The number inside an I/O error; `EIO` when it did not come from the kernel.
    pub fn of(error: &io::Error) -> Self {
        Self(error.raw_os_error().unwrap_or(libc::EIO))
    }

    /// `ECONNREFUSED`, …; `E?` for a number that no call on a TCP socket is known to return.
    pub fn name(self) -> &'static str {
        errno_name(self.0).unwrap_or("E?")
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match errno_name(self.0) {
            Some(name) => f.write_str(name),
            None => write!(f, "errno {}", self.0),
        }
    }
}

macro_rules! names {
    ($($name:ident)*) => {
        /// The name of an error number that a TCP socket's life can meet.
        pub const fn errno_name(number: i32) -> Option<&'static str> {
            match number {
                $(libc::$name => Some(stringify!($name)),)*
                _ => None,
            }
        }
    };
}

names! {
    EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF ECONNABORTED ECONNREFUSED ECONNRESET EDESTADDRREQ
    EFAULT EHOSTDOWN EHOSTUNREACH EINPROGRESS EINTR EINVAL EIO EISCONN ELOOP EMFILE EMSGSIZE ENETDOWN ENETRESET ENETUNREACH
    ENFILE ENOBUFS ENODEV ENOENT ENOMEM ENONET ENOPROTOOPT ENOSYS ENOTCONN ENOTSOCK EOPNOTSUPP EPERM EPIPE EPROTO
    EPROTONOSUPPORT EPROTOTYPE ESTALE ETIMEDOUT ENOKEY EXDEV
}
