//! Which process holds which socket: the links `/proc/<pid>/fd/<n>` that read `socket:[inode]`.
//!
//! Inodes of sockets are unique on the whole machine, so one walk serves every network namespace. Processes come and go
//! while it lasts: what has vanished is passed over. Those that this user may not look into are counted.
//!
//! The same walk meets the network namespaces that no process lives in: see [`Door`].

mod doors;
mod options;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::failure::Failure;

pub use doors::Door;
pub use options::ListenerOptions;

/// Holders of one socket that are asked for its options: what the first refuse, the others do.
const TRIES: usize = 4;

/// One descriptor of a process that is a socket.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Holder {
    /// Inode of the socket.
    pub inode: u32,
    /// Process id, in the pid namespace of the reader.
    pub pid: u32,
    /// Number of the descriptor in it.
    pub fd: u32,
}

/// All holders of sockets that could be seen.
#[derive(Clone, Default, Debug)]
pub struct Owners {
    /// By inode.
    holders: Vec<Holder>,
    /// By inode, one of each.
    doors: Vec<Door>,
    /// Processes that were looked into.
    pub processes: u32,
    /// Processes that this user may not look into, in the order of the directory.
    pub refused: Vec<u32>,
}

impl Owners {
    /// Walks over `/proc`, or over a directory like it.
    pub fn scan(proc: &Path) -> Result<Self, Failure> {
        let mut owners = Self::default();
        let subject = proc.display().to_string();
        let entries =
            fs::read_dir(proc).map_err(|error| Failure::of("cannot list the processes in", subject, error))?;
        for entry in entries.flatten() {
            if let Some(pid) = number(entry.file_name().as_bytes()) {
                owners.add_process(pid, &entry.path());
            }
        }
        owners.holders.sort_unstable();
        owners.doors.sort_unstable();
        owners.doors.dedup_by_key(|door| door.inode);
        Ok(owners)
    }

    fn add_process(&mut self, pid: u32, directory: &Path) {
        match self.add_descriptors(pid, &directory.join("fd")) {
            Ok(()) => {
                self.processes += 1;
                doors::of_threads(pid, directory, &mut self.doors);
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => self.refused.push(pid),
            Err(_) => {} // it has ended
        }
    }

    fn add_descriptors(&mut self, pid: u32, path: &Path) -> io::Result<()> {
        let directory = File::open(path)?;
        for entry in fs::read_dir(path)?.flatten() {
            let name = entry.file_name();
            let Some(fd) = number(name.as_bytes()) else { continue };
            match link(&directory, fd) {
                Ok(Link::Socket(inode)) => self.holders.push(Holder { inode, pid, fd }),
                Ok(Link::Namespace(inode)) => self.doors.push(Door::descriptor(inode, pid, fd)),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
                Ok(Link::Other) | Err(_) => {} // closed in the meantime
            }
        }
        Ok(())
    }

    /// The descriptors that are this socket.
    pub fn holders(&self, inode: u32) -> &[Holder] {
        let start = self.holders.partition_point(|holder| holder.inode < inode);
        let behind = &self.holders[start..];
        &behind[..behind.partition_point(|holder| holder.inode == inode)]
    }

    /// The processes that hold this socket, each once.
    pub fn pids(&self, inode: u32) -> impl Iterator<Item = u32> + '_ {
        self.holders(inode)
            .chunk_by(|a, b| a.pid == b.pid)
            .map(|same| same[0].pid)
    }

    /// The options of a listener, from the first of its holders that lets us; `None` when none does.
    pub fn options(&self, inode: u32) -> Option<ListenerOptions> {
        let holders = self.holders(inode).iter();
        holders
            .take(TRIES)
            .find_map(|&holder| ListenerOptions::read(holder).ok())
    }

    /// The network namespaces that a descriptor or a thread leads into, one way into each.
    pub fn doors(&self) -> &[Door] {
        &self.doors
    }

    /// How many sockets are held.
    pub fn sockets(&self) -> usize {
        self.holders.chunk_by(|a, b| a.inode == b.inode).count()
    }
}

/// What a descriptor is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Link {
    Socket(u32),
    /// A network namespace.
    Namespace(u32),
    Other,
}

impl Link {
    /// Of `socket:[12345]` and `net:[12345]`.
    fn parse(target: &[u8]) -> Self {
        let inode = |name: &[u8]| number(target.strip_prefix(name)?.strip_suffix(b"]")?);
        let namespace = || inode(b"net:[").map(Self::Namespace);
        inode(b"socket:[")
            .map(Self::Socket)
            .or_else(namespace)
            .unwrap_or(Self::Other)
    }
}

/// Reads the link of a descriptor, relative to the directory: half the price of its whole path.
fn link(directory: &File, fd: u32) -> io::Result<Link> {
    // Ten digits and the terminating zero.
    let mut name = [0_u8; 11];
    write!(&mut name[..10], "{fd}")?;
    let mut target = [0_u8; 32];
    // SAFETY: the directory is open; `name` ends in a zero byte; `target` has the length that is given.
    let length = unsafe {
        libc::readlinkat(
            directory.as_raw_fd(),
            name.as_ptr().cast(),
            target.as_mut_ptr().cast(),
            target.len(),
        )
    };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    Ok(target.get(..length).map_or(Link::Other, Link::parse))
}

fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::unix::fs::MetadataExt;
    use std::process;

    #[test]
    fn sockets_and_network_namespaces_have_an_inode() {
        assert_eq!(Link::parse(b"socket:[4242]"), Link::Socket(4242));
        assert_eq!(Link::parse(b"net:[4026531840]"), Link::Namespace(4_026_531_840));
        for other in [
            &b"pipe:[1]"[..],
            b"socket:[",
            b"socket:[]",
            b"socket:[x]",
            b"mnt:[4026531841]",
            b"/net:[1]",
            b"/dev/null",
            b"",
        ] {
            assert_eq!(Link::parse(other), Link::Other);
        }
    }

    #[test]
    fn this_process_holds_its_own_sockets_once_however_many_descriptors_it_has() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let second = listener.try_clone().expect("a second descriptor");
        let link = format!("/proc/self/fd/{}", listener.as_raw_fd());
        let inode = fs::metadata(link).expect("the socket").ino() as u32;
        let owners = Owners::scan(Path::new("/proc")).expect("the processes");
        let mut descriptors: Vec<u32> = owners.holders(inode).iter().map(|holder| holder.fd).collect();
        descriptors.sort_unstable();
        let mut ours = [listener.as_raw_fd() as u32, second.as_raw_fd() as u32];
        ours.sort_unstable();
        assert_eq!(descriptors, ours);
        assert_eq!(owners.pids(inode).collect::<Vec<_>>(), [process::id()]);
    }

    #[test]
    fn no_proc_is_a_failure_that_names_it() {
        let failure = Owners::scan(Path::new("/nowhere")).expect_err("no such directory");
        assert_eq!(
            failure.to_string(),
            "cannot list the processes in /nowhere: No such file or directory"
        );
    }
}
