//! What the kernel refused: on what, and whether a privilege or a newer kernel would help.

use std::fmt;
use std::io;

/// What would have to be different.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailureKind {
    /// A permission or capability is missing.
    Privilege,
    /// This kernel, or its configuration, does not have it.
    NotAvailable,
    /// Anything else: what was asked about has vanished, memory is short…
    Other,
}

/// A request to the kernel that failed.
#[derive(Debug)]
pub struct Failure {
    /// What failed, as a verb phrase: `cannot read the routes`.
    pub what: &'static str,
    /// On what: a path, a process; empty when there is none.
    pub subject: String,
    /// The kernel's answer.
    pub error: io::Error,
}

impl Failure {
    /// A failure without a subject.
    pub fn new(what: &'static str, error: io::Error) -> Self {
        Self::of(what, String::new(), error)
    }

    /// A failure on something that has a name.
    pub fn of(what: &'static str, subject: impl Into<String>, error: io::Error) -> Self {
        Self {
            what,
            subject: subject.into(),
            error,
        }
    }

    /// Sorted by the error number.
    pub fn kind(&self) -> FailureKind {
        match self.error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => FailureKind::Privilege,
            Some(
                libc::ENOSYS
                | libc::EOPNOTSUPP
                | libc::EPROTONOSUPPORT
                | libc::ESOCKTNOSUPPORT
                | libc::EAFNOSUPPORT
                | libc::ENOPROTOOPT
                | libc::EINVAL
                | libc::ENOENT,
            ) => FailureKind::NotAvailable,
            _ => FailureKind::Other,
        }
    }

    /// The kernel's words, without Rust's `(os error n)`.
    pub fn why(&self) -> String {
        let text = self.error.to_string();
        match text.find(" (os error ") {
            Some(end) => text[..end].to_owned(),
            None => text,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.subject.is_empty() { "" } else { " " };
        write!(f, "{}{space}{}: {}", self.what, self.subject, self.why())
    }
}

impl std::error::Error for Failure {}
