//! Ways into network namespaces that are the home of no process: a descriptor of one, and a thread that has gone into one
//! without its process (setns(2) and unshare(2) are of a thread).

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Link, number};

/// One way into a network namespace.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Door {
    /// Inode of the namespace.
    pub inode: u32,
    /// The process that has it.
    pub pid: u32,
    /// What to open, below /proc: `123/fd/5`, `123/task/124/ns/net`.
    pub path: String,
}

impl Door {
    pub(super) fn descriptor(inode: u32, pid: u32, fd: u32) -> Self {
        let path = format!("{pid}/fd/{fd}");
        Self { inode, pid, path }
    }
}

/// Adds those of a process's threads that are elsewhere than the process. What has ended meanwhile is passed over.
pub(super) fn of_threads(pid: u32, process: &Path, doors: &mut Vec<Door>) {
    let tasks = process.join("task");
    // A directory has one link for each below it, and two of its own: of most processes that is all there is to know.
    if fs::metadata(&tasks).is_ok_and(|metadata| metadata.nlink() == 3) {
        return;
    }
    let (home, threads) = (namespace(process), fs::read_dir(&tasks));
    for thread in threads.into_iter().flatten().flatten() {
        let Some(tid) = number(thread.file_name().as_bytes()) else {
            continue;
        };
        if let Some(inode) = namespace(&thread.path())
            && home != Some(inode)
        {
            let path = format!("{pid}/task/{tid}/ns/net");
            doors.push(Door { inode, pid, path });
        }
    }
}

/// Where a process or thread is.
fn namespace(task: &Path) -> Option<u32> {
    let target = fs::read_link(task.join("ns/net")).ok()?;
    match Link::parse(target.as_os_str().as_bytes()) {
        Link::Namespace(inode) => Some(inode),
        Link::Socket(_) | Link::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::Owners;
    use super::*;

    /// A directory like /proc, with what the kernel tells there.
    fn tree(name: &str, links: &[(&str, &str)]) -> std::path::PathBuf {
        let root = std::env::temp_dir().join(format!("halfopen-{name}-{}", std::process::id()));
        for (path, target) in links {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            symlink(target, path).expect("a link");
        }
        root
    }

    #[test]
    fn descriptors_and_threads_lead_into_namespaces() {
        let root = tree(
            "doors",
            &[
                ("7/fd/0", "/dev/null"),
                ("7/fd/5", "net:[40]"),
                ("7/fd/6", "net:[41]"),
                ("7/fd/7", "mnt:[42]"),
                ("7/ns/net", "net:[1]"),
                ("7/task/7/ns/net", "net:[1]"),
                ("8/fd/3", "net:[40]"),
                ("8/ns/net", "net:[1]"),
                ("8/task/8/ns/net", "net:[1]"),
                ("8/task/9/ns/net", "net:[43]"),
                ("8/task/10/ns/net", "net:[1]"),
            ],
        );
        let owners = Owners::scan(&root).expect("the processes");
        fs::remove_dir_all(&root).expect("removed");
        let found: Vec<(u32, u32, &str)> = owners
            .doors()
            .iter()
            .map(|door| (door.inode, door.pid, door.path.as_str()))
            .collect();
        assert_eq!(
            found,
            [(40, 7, "7/fd/5"), (41, 7, "7/fd/6"), (43, 8, "8/task/9/ns/net")]
        );
    }
}
