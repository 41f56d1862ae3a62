//! Directories by descriptor: names are looked up from there, not from the root again.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// `struct linux_dirent64`: inode (8), offset (8), length (2), type (1), name up to a zero byte.
const LENGTH_AT: usize = 16;
const TYPE_AT: usize = 18;
const NAME_AT: usize = 19;
/// Room for some hundred names.
const LISTING_BYTES: usize = 32 << 10;

/// An open directory.
#[derive(Debug)]
pub struct Directory(OwnedFd);

/// Something in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its name.
    pub name: Vec<u8>,
    /// Whether it is a directory; false where the file system does not say.
    pub is_directory: bool,
}

impl Directory {
    /// By its path.
    pub fn open(path: &Path) -> io::Result<Self> {
        open_at(libc::AT_FDCWD, path.as_os_str().as_bytes(), libc::O_DIRECTORY).map(Self)
    }

    /// One below this one; the name may be a path.
    pub fn directory(&self, name: &[u8]) -> io::Result<Self> {
        open_at(self.0.as_raw_fd(), name, libc::O_DIRECTORY).map(Self)
    }

    /// What one read of a file gives, into the buffer; its length.
    pub fn read(&self, name: &[u8], buffer: &mut [u8]) -> io::Result<usize> {
        let file = open_at(self.0.as_raw_fd(), name, 0)?;
        // SAFETY: the descriptor is open, the buffer has the length that is given.
        let length = unsafe { libc::read(file.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
        usize::try_from(length).map_err(|_| io::Error::last_os_error())
    }

    /// Everything in it but `.` and `..`.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut found = Vec::new();
        let mut listing = vec![0_u8; LISTING_BYTES];
        loop {
            // SAFETY: the descriptor is open, the buffer has the length that is given; the kernel wants no alignment.
            let length = unsafe {
                libc::syscall(
                    libc::SYS_getdents64,
                    self.0.as_raw_fd(),
                    listing.as_mut_ptr(),
                    listing.len(),
                )
            };
            match usize::try_from(length) {
                Ok(0) => return Ok(found),
                Ok(length) => add_entries(&listing[..length.min(LISTING_BYTES)], &mut found),
                Err(_) => return Err(io::Error::last_os_error()),
            }
        }
    }
}

fn add_entries(mut listing: &[u8], found: &mut Vec<Entry>) {
    while let Some(&[low, high]) = listing.get(LENGTH_AT..TYPE_AT) {
        let length = usize::from(u16::from_ne_bytes([low, high]));
        let Some(entry) = listing.get(..length).filter(|entry| entry.len() > NAME_AT) else {
            return;
        };
        let name = entry[NAME_AT..].split(|&byte| byte == 0).next().unwrap_or_default();
        if !matches!(name, b"." | b"..") {
            found.push(Entry {
                name: name.to_vec(),
                is_directory: entry[TYPE_AT] == libc::DT_DIR,
            });
        }
        listing = &listing[length..];
    }
}

fn open_at(directory: RawFd, name: &[u8], flags: libc::c_int) -> io::Result<OwnedFd> {
    let mut terminated = name.to_vec();
    terminated.push(0);
    let name = CStr::from_bytes_with_nul(&terminated).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    // SAFETY: the name ends in a zero byte and lives through the call; the result is checked before it is owned.
    let fd = unsafe { libc::openat(directory, name.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC | flags) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just handed out this descriptor, nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_standard_library_lists() {
        for path in ["/proc/sys/net", "/proc/sys/net/ipv4", "/usr/bin"] {
            let listed = std::fs::read_dir(path).expect("a directory").flatten();
            let mut expected: Vec<Vec<u8>> = listed.map(|entry| entry.file_name().as_bytes().to_vec()).collect();
            let entries = Directory::open(Path::new(path)).and_then(|directory| directory.entries());
            let mut found: Vec<Vec<u8>> = entries.expect("entries").into_iter().map(|entry| entry.name).collect();
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn a_listing_ends_where_a_length_lies() {
        let mut entry = vec![0; 24];
        entry[LENGTH_AT] = 24;
        entry[TYPE_AT] = libc::DT_DIR;
        entry[NAME_AT..22].copy_from_slice(b"abc");
        for (length, expected) in [(24, 2), (25, 1), (19, 1), (0, 1)] {
            let mut second = entry.clone();
            second[LENGTH_AT] = length;
            let mut found = Vec::new();
            add_entries(&[entry.clone(), second].concat(), &mut found);
            assert_eq!(found.len(), expected, "{length}");
            assert_eq!((&found[0].name[..], found[0].is_directory), (&b"abc"[..], true));
        }
    }

    #[test]
    fn a_file_is_read_from_there_and_a_name_with_a_zero_byte_is_none() {
        let directory = Directory::open(Path::new("/proc/sys")).expect("a directory");
        let mut buffer = [0; 64];
        let length = directory.read(b"kernel/ostype", &mut buffer).expect("a file");
        assert_eq!(&buffer[..length], b"Linux\n");
        let error = directory.read(b"kernel/ostype\0x", &mut buffer).expect_err("no name");
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
    }
}
