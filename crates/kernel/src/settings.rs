//! A directory of small files below `/proc/sys`: all of them, or some by their names.
//!
//! `/proc/sys/net` shows the settings of the network namespace that the calling thread is in. There are some thousand of
//! them, and what they cost is system calls: three for each, and nothing in between.
//!
//! **Architecture Invariant:** a file is opened by its name in its directory, never by its whole path: the directories of all
//! namespaces share their names, and the kernel compares with each of them wherever such a name is looked up.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::sys::{Directory, Entry};

/// No setting is longer: `ip_local_reserved_ports` can hold some 30 KB. The kernel gives the whole of it in one read.
const VALUE_BYTES: usize = 1 << 16;
/// Directories inside each other: there are five below `/proc/sys/net`.
const DEPTH: usize = 16;
/// In a name: whatever is in that directory.
const ANY: &[u8] = b"*";

/// A setting: its path below the directory, and what it holds.
pub type Setting = (Vec<u8>, Vec<u8>);

/// Every file below `root` that can be read, but for those called `skipped`, which are not even opened.
///
/// What cannot be read (another user's, one that only takes orders, a device's that has gone) is left out. An error is
/// only that `root` itself cannot be listed.
pub fn read_settings(root: &Path, skipped: &[&OsStr]) -> io::Result<Vec<Setting>> {
    let mut reader = Reader::new(skipped);
    reader.found.reserve(2048);
    reader.directory(&Directory::open(root)?, b"", 0)?;
    Ok(reader.found)
}

/// The files of these names below `root` that can be read; the name of one directory of each may be `*`. Nothing else is
/// looked up, so that the kernel need not remember it.
///
/// An error is only that `root` itself cannot be opened.
pub fn read_named(root: &Path, names: &[&[u8]]) -> io::Result<Vec<Setting>> {
    let root = Directory::open(root)?;
    let mut reader = Reader::new(&[]);
    let mut names: Vec<(&[u8], &[u8])> = names.iter().map(|name| split(name)).collect();
    names.sort_unstable();
    for names in names.chunk_by(|one, other| one.0 == other.0) {
        for (key, directory) in opened(&root, names[0].0) {
            for (_, name) in names {
                reader.file(&directory, &joined(&key, name), name);
            }
        }
    }
    Ok(reader.found)
}

/// Directory and file.
fn split(name: &[u8]) -> (&[u8], &[u8]) {
    match name.iter().rposition(|&byte| byte == b'/') {
        Some(at) => (&name[..at], &name[at + 1..]),
        None => (b".", name),
    }
}

/// The directories that a path below `root` names, with the keys they have; none where it is not there.
fn opened(root: &Directory, path: &[u8]) -> Vec<(Vec<u8>, Directory)> {
    let parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
    let keys = match parts.iter().position(|part| *part == ANY) {
        Some(at) => {
            let listed = root
                .directory(&parts[..at].join(&b'/'))
                .and_then(|parent| parent.entries());
            let directories = listed
                .unwrap_or_default()
                .into_iter()
                .filter(|entry| entry.is_directory);
            let key = |entry: Entry| [&parts[..at], &[&entry.name], &parts[at + 1..]].concat().join(&b'/');
            directories.map(key).collect()
        }
        None => vec![path.to_vec()],
    };
    let open = |key: Vec<u8>| root.directory(&key).ok().map(|directory| (key, directory));
    keys.into_iter().filter_map(open).collect()
}

fn joined(key: &[u8], name: &[u8]) -> Vec<u8> {
    match key {
        b"" | b"." => name.to_vec(),
        _ => [key, name].join(&b'/'),
    }
}

struct Reader<'a> {
    skipped: &'a [&'a OsStr],
    found: Vec<Setting>,
    buffer: Vec<u8>,
}

impl<'a> Reader<'a> {
    fn new(skipped: &'a [&'a OsStr]) -> Self {
        Self {
            skipped,
            found: Vec::new(),
            buffer: vec![0; VALUE_BYTES],
        }
    }

    fn directory(&mut self, directory: &Directory, key: &[u8], depth: usize) -> io::Result<()> {
        for entry in directory.entries()? {
            if self.skipped.contains(&OsStr::from_bytes(&entry.name)) {
                continue;
            }
            let key = joined(key, &entry.name);
            if !entry.is_directory {
                self.file(directory, &key, &entry.name);
            } else if depth < DEPTH {
                // A directory that went away meanwhile has nothing to tell.
                let below = directory.directory(&entry.name);
                let _gone = below.and_then(|below| self.directory(&below, &key, depth + 1));
            }
        }
        Ok(())
    }

    fn file(&mut self, directory: &Directory, key: &[u8], name: &[u8]) {
        if let Ok(length) = directory.read(name, &mut self.buffer) {
            self.found.push((key.to_vec(), self.buffer[..length].to_vec()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A directory that is removed when the test ends.
    struct Scratch(std::path::PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("halfopen-settings-{name}-{}", std::process::id()));
            fs::create_dir_all(path.join("ipv4/conf/eth0.100")).expect("a directory");
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _left_behind = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn every_file_but_the_skipped() {
        let scratch = Scratch::new("all");
        fs::write(scratch.0.join("ipv4/tcp_rmem"), "1\t2\t3\n").expect("a file");
        fs::write(scratch.0.join("ipv4/tcp_fastopen_key"), "secret\n").expect("a file");
        fs::write(scratch.0.join("ipv4/conf/eth0.100/rp_filter"), b"\xff\n").expect("a file");
        let mut found = read_settings(&scratch.0, &[OsStr::new("tcp_fastopen_key")]).expect("settings");
        found.sort();
        let expected: [(&[u8], &[u8]); 2] = [
            (b"ipv4/conf/eth0.100/rp_filter", b"\xff\n"),
            (b"ipv4/tcp_rmem", b"1\t2\t3\n"),
        ];
        assert_eq!(
            found
                .iter()
                .map(|(key, value)| (&key[..], &value[..]))
                .collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn some_by_name_and_of_every_interface() {
        let scratch = Scratch::new("named");
        for name in ["ipv4/tcp_rmem", "ipv4/conf/eth0.100/rp_filter", "top", "ipv4/other"] {
            fs::write(scratch.0.join(name), name).expect("a file");
        }
        fs::create_dir(scratch.0.join("ipv4/conf/lo")).expect("a directory");
        let names: [&[u8]; 5] = [
            b"ipv4/conf/*/rp_filter",
            b"ipv4/tcp_rmem",
            b"top",
            b"ipv4/absent",
            b"ipv6/absent",
        ];
        let mut found = read_named(&scratch.0, &names).expect("settings");
        found.sort();
        let expected = ["ipv4/conf/eth0.100/rp_filter", "ipv4/tcp_rmem", "top"].map(|name| name.as_bytes().to_vec());
        assert_eq!(found, expected.map(|name| (name.clone(), name)));
        let error = read_named(Path::new("/nonesuch"), &names).expect_err("no such directory");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn the_same_of_the_kernel_by_name_and_as_a_whole() {
        let root = Path::new("/proc/sys/net/ipv4");
        let all = read_settings(root, &[]).expect("settings");
        let names: Vec<&[u8]> = vec![b"conf/*/rp_filter", b"tcp_syncookies", b"ip_local_port_range"];
        let mut named = read_named(root, &names).expect("settings");
        let is_named = |key: &[u8]| names.contains(&key) || (key.starts_with(b"conf/") && key.ends_with(b"/rp_filter"));
        let mut expected: Vec<Setting> = all.into_iter().filter(|(key, _)| is_named(key)).collect();
        named.sort();
        expected.sort();
        assert!(named.len() >= 5);
        assert_eq!(named, expected);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let scratch = Scratch::new("some");
        std::os::unix::fs::symlink("nowhere", scratch.0.join("gone")).expect("a link");
        fs::write(scratch.0.join("here"), "1\n").expect("a file");
        let found = read_settings(&scratch.0, &[]).expect("settings");
        assert_eq!(found, [(b"here".to_vec(), b"1\n".to_vec())]);
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let error = read_settings(Path::new("/nonesuch"), &[]).expect_err("no such directory");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
