//! Network namespaces that live as long as somebody holds them: nothing is mounted, so nothing is left behind.

use std::ffi::CString;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::thread;

use super::MARK;

/// A new network namespace with nothing in it but a loopback device that is down. It vanishes with the last descriptor,
/// thread and process in it, a SIGKILL included. Needs `CAP_SYS_ADMIN` in the user namespace.
pub fn create_namespace() -> io::Result<OwnedFd> {
    let made = thread::Builder::new().name("unshare".into()).spawn(|| {
        // SAFETY: no pointers; it changes the namespace of this short-lived thread only.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } < 0 {
            return Err(io::Error::last_os_error());
        }
        File::open("/proc/thread-self/ns/net").map(OwnedFd::from)
    })?;
    made.join()
        .unwrap_or_else(|_| Err(io::Error::other("the thread that makes a namespace died")))
}

/// Makes the calling process the root of a user namespace and a network namespace of its own, where an ordinary user is
/// allowed to. The process must have one thread only. Its files keep their owner: what root alone may open stays closed.
pub fn unshare_user() -> io::Result<()> {
    // SAFETY: no arguments, no effects.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    // SAFETY: no pointers. It fails when there are several threads, and changes nothing then.
    if unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // user_namespaces(7): without this, an ordinary user may not map groups.
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))
}

/// Why a namespace is not one of the laboratory's.
#[derive(Debug)]
pub enum NotOurs {
    /// It is the process's own.
    Own,
    /// It does not carry the mark.
    Unmarked,
    /// It could not be told.
    Unknown(io::Error),
}

impl fmt::Display for NotOurs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("this is the network namespace of the program itself"),
            Self::Unmarked => write!(
                f,
                "the name {MARK} of the loopback device does not mark this network namespace as a laboratory's"
            ),
            Self::Unknown(error) => write!(f, "the network namespace cannot be told: {error}"),
        }
    }
}

impl std::error::Error for NotOurs {}

/// Whether the calling thread is in a namespace that the laboratory made.
pub fn ensure_ours() -> Result<(), NotOurs> {
    let inode = |path| fs::metadata(path).map(|m| (m.dev(), m.ino())).map_err(NotOurs::Unknown);
    if inode("/proc/thread-self/ns/net")? == inode("/proc/self/ns/net")? {
        return Err(NotOurs::Own);
    }
    let name = CString::new(MARK).map_err(|error| NotOurs::Unknown(error.into()))?;
    // SAFETY: a live string that ends with a zero byte.
    if unsafe { libc::if_nametoindex(name.as_ptr()) } == 0 {
        return Err(NotOurs::Unmarked);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{NotOurs, ensure_ours};

    #[test]
    fn the_namespace_of_the_tests_is_not_ours() {
        let answer = std::thread::spawn(ensure_ours).join().expect("no panic");
        assert!(matches!(answer, Err(NotOurs::Own)), "{answer:?}");
    }
}
