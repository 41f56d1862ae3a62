//! Other network namespaces: a thread enters one and is thrown away.
//!
//! Sockets and `/proc/sys/net` follow the namespace of the thread that opens them. `/proc/net` does not: it is a link to
//! `self/net`, the main thread's; the calling thread's is `/proc/thread-self/net`.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;

use crate::failure::Failure;

const CANNOT: &str = "cannot enter the network namespace";

/// Moves the calling thread into the namespace that a file is (`/proc/<pid>/ns/net`, `/run/netns/<name>`), for good.
///
/// Refuses on the main thread: the process would be in two places. Needs `CAP_SYS_ADMIN` over the namespace and its own.
pub fn enter(namespace: &impl AsFd, name: &str) -> Result<(), Failure> {
    if is_main_thread() {
        let why = io::Error::other("the main thread must stay where it is; use a thread for it");
        return Err(Failure::of(CANNOT, name, why));
    }
    // SAFETY: the descriptor is open while borrowed; the call concerns the calling thread only.
    let result = unsafe { libc::setns(namespace.as_fd().as_raw_fd(), libc::CLONE_NEWNET) };
    if result < 0 {
        return Err(Failure::of(CANNOT, name, io::Error::last_os_error()));
    }
    Ok(())
}

/// As [`enter`], by path.
pub fn enter_path(path: &Path) -> Result<(), Failure> {
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => enter(&file, &name),
        Err(error) => Err(Failure::of(CANNOT, name, error)),
    }
}

/// As [`enter`], by the number of an open descriptor of this process.
pub fn enter_number(number: i32) -> Result<(), Failure> {
    // Through /proc rather than by borrowing a number that may not be open: opening checks it.
    enter_path(Path::new(&format!("/proc/thread-self/fd/{number}")))
}

fn is_main_thread() -> bool {
    // SAFETY: no arguments, no effects.
    unsafe { libc::getpid() == libc::gettid() }
}
