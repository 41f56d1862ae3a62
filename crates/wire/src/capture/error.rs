//! Why an input could not be read at all. Damage after the first bytes is a [`crate::Defect`], not an error.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What stands in the way of reading an input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OpenErrorKind {
    /// No input was named.
    NoInput,
    /// There is no such file.
    NotFound,
    /// It is a directory.
    IsDirectory,
    /// This user may not read it.
    PermissionDenied,
    /// It holds no byte.
    Empty,
    /// It begins like no format that is read here.
    NotACapture,
    /// It begins like a capture and ends inside the file header.
    HeaderCutOff,
    /// It is compressed, and damaged before the first byte of the capture.
    BadCompression,
    /// It is compressed more often than [`super::MAX_COMPRESSION_DEPTH`] times.
    CompressedTooDeep,
    /// Its packets have no times, and what was asked for is made of times.
    NoTimes,
    /// Anything else that the operating system says, in its words.
    Io(String),
}

impl OpenErrorKind {
    /// Sorts an error of the operating system.
    pub(super) fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::PermissionDenied => Self::PermissionDenied,
            io::ErrorKind::IsADirectory => Self::IsDirectory,
            _ => Self::Io(error.to_string()),
        }
    }
}

impl fmt::Display for OpenErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoInput => "no input was named",
            Self::NotFound => "there is no such file",
            Self::IsDirectory => "it is a directory",
            Self::PermissionDenied => "permission denied",
            Self::Empty => "it is empty",
            Self::NotACapture => "it is not a capture (pcap or pcapng, plain or compressed with gzip or zstd)",
            Self::HeaderCutOff => "it is cut off inside its file header",
            Self::BadCompression => "its compression is damaged from the start",
            Self::CompressedTooDeep => "it is compressed too many times over",
            Self::NoTimes => {
                "its packets have no times (pcapng simple packet blocks), and it is times that are compared"
            }
            Self::Io(text) => text,
        })
    }
}

/// An input that could not be opened, or is no capture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenError {
    /// The input, as it was given.
    pub path: PathBuf,
    /// What is the matter with it.
    pub kind: OpenErrorKind,
}

impl OpenError {
    pub(super) fn new(path: &Path, kind: OpenErrorKind) -> Self {
        Self {
            path: path.to_path_buf(),
            kind,
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read {}: {}", self.path.display(), self.kind)
    }
}

impl std::error::Error for OpenError {}
