//! Exceptions: the classes of `halfopen.errors`, so that there is one tree of them.

use std::io;
use std::path::PathBuf;

use halfopen_kernel::connect::SetupError;
use halfopen_kernel::failure::{Failure, FailureKind};
use halfopen_kernel::sys::Errno;
use pyo3::call::PyCallArgs;
use pyo3::exceptions::{PyException, PyOSError};
use pyo3::prelude::*;

/// An error of a class of `halfopen.errors`.
pub fn raised<'py>(py: Python<'py>, class: &str, arguments: impl PyCallArgs<'py>) -> PyErr {
    let made = || py.import("halfopen.errors")?.getattr(class)?.call1(arguments);
    made().map_or_else(|failure| failure, PyErr::from_value)
}

/// `PrivilegeError`, `NotAvailableError`, or else `OSError`.
pub fn failed(py: Python<'_>, failure: &Failure) -> PyErr {
    let arguments = (failure.what, failure.subject.as_str(), failure.why());
    match failure.kind() {
        FailureKind::Privilege => raised(py, "PrivilegeError", arguments),
        FailureKind::NotAvailable => raised(py, "NotAvailableError", arguments),
        FailureKind::Other => match failure.error.raw_os_error() {
            Some(number) => PyOSError::new_err((number, failure.to_string())),
            None => PyOSError::new_err(failure.to_string()),
        },
    }
}

/// `OSError` as Python's own functions raise it: with the number, the system's words, and the path.
pub fn os_error(path: PathBuf, error: io::Error) -> PyErr {
    let number = error.raw_os_error().unwrap_or(0);
    PyOSError::new_err((number, Failure::new("", error).why(), path))
}

/// `OSError` that is about no path: with the number, which an `io::Error` that `?` converts loses.
pub fn numbered_error(error: io::Error) -> PyErr {
    let number = error.raw_os_error();
    let words = Failure::new("", error).why();
    match number {
        Some(number) => PyOSError::new_err((number, words)),
        None => PyOSError::new_err(words),
    }
}

/// What failed, the error's name, the system's words for it.
pub fn setup_error(error: &SetupError) -> PyErr {
    let errno = Errno::of(&error.source);
    SocketSetupError::new_err((error.operation.clone(), errno.to_string(), error.source.to_string()))
}

pyo3::create_exception!(
    halfopen._core,
    SocketSetupError,
    PyException,
    "The socket could not be made as asked, so nothing was sent: (operation, errno, why)."
);
