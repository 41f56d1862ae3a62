//! A procfs of one's own: mounted nowhere, gone with its descriptor.

use std::ffi::c_long;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::null;

/// `include/uapi/linux/mount.h`. Linux 5.2.
const FSOPEN_CLOEXEC: c_long = 1;
const FSCONFIG_CMD_CREATE: c_long = 6;
const FSMOUNT_CLOEXEC: c_long = 1;
/// `MOUNT_ATTR_RDONLY | NOSUID | NODEV | NOEXEC`.
const ATTRIBUTES: c_long = 1 | 2 | 4 | 8;

/// Its root directory. What was looked up in it the kernel forgets when the descriptor is closed, unlike what is looked up in
/// /proc. Needs `CAP_SYS_ADMIN`; since Linux 5.8 every such procfs is one of its own.
pub fn private_proc() -> io::Result<OwnedFd> {
    // SAFETY: the name is a string with its zero byte; a descriptor or an error is returned.
    let context = owned(unsafe { libc::syscall(libc::SYS_fsopen, c"proc".as_ptr(), FSOPEN_CLOEXEC) })?;
    let none = null::<u8>();
    // SAFETY: the descriptor is open; this command takes no key, no value and no number.
    let made = unsafe {
        libc::syscall(
            libc::SYS_fsconfig,
            context.as_raw_fd(),
            FSCONFIG_CMD_CREATE,
            none,
            none,
            0,
        )
    };
    if made < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is open; a descriptor or an error is returned.
    owned(unsafe { libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), FSMOUNT_CLOEXEC, ATTRIBUTES) })
}

fn owned(fd: c_long) -> io::Result<OwnedFd> {
    match i32::try_from(fd) {
        // SAFETY: the kernel has just handed out this descriptor, nobody else has it.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn it_shows_what_proc_shows_and_is_mounted_nowhere() {
        let mounts = || fs::read_to_string("/proc/self/mountinfo").expect("the mounts");
        let before = mounts();
        let Ok(own) = private_proc() else {
            // SAFETY: no arguments, no effects.
            assert_ne!(unsafe { libc::geteuid() }, 0, "root may");
            return;
        };
        let path = PathBuf::from(format!("/proc/self/fd/{}/sys/net/core/somaxconn", own.as_raw_fd()));
        let value = fs::read_to_string(&path).expect("a setting");
        assert_eq!(
            value,
            fs::read_to_string("/proc/sys/net/core/somaxconn").expect("a setting")
        );
        assert!(fs::write(path, value).is_err(), "it is for reading");
        assert_eq!(mounts(), before);
    }
}
