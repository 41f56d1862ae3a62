//! A directory of small files below `/proc/sys`, read as a whole.
//!
//! `/proc/sys/net` shows the settings of the network namespace that the calling thread is in. There are some thousand of
//! them, and what they cost is system calls: five for each, and nothing in between.

use std::ffi::OsStr;
use std::fs::{File, read_dir};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// No setting is longer: `ip_local_reserved_ports` can hold some 30 KB. The kernel gives the whole of it in one read.
const VALUE_BYTES: usize = 1 << 16;
/// Directories inside each other: there are five below `/proc/sys/net`.
const DEPTH: usize = 16;

/// A setting: its path below the directory, and what it holds.
pub type Setting = (Vec<u8>, Vec<u8>);

/// Every file below `root` that can be read, but for those called `skipped`, which are not even opened.
///
/// What cannot be read (another user's, one that only takes orders, a device's that has gone) is left out. An error is
/// only that `root` itself cannot be listed.
pub fn read_settings(root: &Path, skipped: &[&OsStr]) -> io::Result<Vec<Setting>> {
    let mut reader = Reader {
        skipped,
        found: Vec::with_capacity(2048),
        buffer: vec![0; VALUE_BYTES],
    };
    reader.directory(root, &mut Vec::new(), 0)?;
    Ok(reader.found)
}

struct Reader<'a> {
    skipped: &'a [&'a OsStr],
    found: Vec<Setting>,
    buffer: Vec<u8>,
}

impl Reader<'_> {
    fn directory(&mut self, path: &Path, key: &mut Vec<u8>, depth: usize) -> io::Result<()> {
        for entry in read_dir(path)?.flatten() {
            let name = entry.file_name();
            if self.skipped.contains(&name.as_os_str()) {
                continue;
            }
            let length = key.len();
            if length > 0 {
                key.push(b'/');
            }
            key.extend_from_slice(name.as_bytes());
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if !is_directory {
                self.file(&entry.path(), key);
            } else if depth < DEPTH {
                // A directory that went away meanwhile has nothing to tell.
                let _gone = self.directory(&entry.path(), key, depth + 1);
            }
            key.truncate(length);
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, key: &[u8]) {
        let read = File::open(path).and_then(|mut file| file.read(&mut self.buffer));
        if let Ok(length) = read {
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
