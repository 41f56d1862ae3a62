//! Socket options of a listener in another process, read from a duplicate of its descriptor: `pidfd_open(2)`,
//! `pidfd_getfd(2)` (Linux 5.6). Nothing is attached to or changed; the kernel asks for the permission of a debugger.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use super::Holder;
use crate::sys::get_int;

/// Options that `sock_diag` does not tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListenerOptions {
    /// `TCP_DEFER_ACCEPT`, seconds; 0 is off.
    pub defer_accept_s: i32,
    /// `TCP_FASTOPEN`: most pending requests; 0 is off.
    pub fast_open: i32,
    /// `TCP_SYNCNT`. A socket without one answers with `tcp_syn_retries` of its namespace.
    pub syn_retries: i32,
    /// `SO_REUSEPORT`.
    pub reuse_port: bool,
}

impl ListenerOptions {
    /// Of the socket that a process holds. `EPERM` without permission, `ESRCH` or `EBADF` when it is gone.
    pub fn read(holder: Holder) -> io::Result<Self> {
        let socket = duplicate(holder)?;
        let tcp = |name| get_int(&socket, libc::IPPROTO_TCP, name);
        Ok(Self {
            defer_accept_s: tcp(libc::TCP_DEFER_ACCEPT)?,
            fast_open: tcp(libc::TCP_FASTOPEN)?,
            syn_retries: tcp(libc::TCP_SYNCNT)?,
            reuse_port: get_int(&socket, libc::SOL_SOCKET, libc::SO_REUSEPORT)? != 0,
        })
    }
}

/// A descriptor of the same socket. Process and descriptor may be others by now: the inode says whether they are.
fn duplicate(holder: Holder) -> io::Result<OwnedFd> {
    let process = owned(
        // SAFETY: no pointers.
        unsafe { libc::syscall(libc::SYS_pidfd_open, holder.pid as libc::pid_t, 0) },
    )?;
    let number = holder.fd as libc::c_int;
    let socket = owned(
        // SAFETY: no pointers; the process descriptor is open.
        unsafe { libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), number, 0) },
    )?;
    let link = format!("/proc/thread-self/fd/{}", socket.as_raw_fd());
    if fs::metadata(link)?.ino() != u64::from(holder.inode) {
        return Err(io::Error::from_raw_os_error(libc::ESTALE));
    }
    Ok(socket)
}

fn owned(result: libc::c_long) -> io::Result<OwnedFd> {
    let number = libc::c_int::try_from(result).map_err(io::Error::other)?;
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just handed out this descriptor, nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
