//! Exceptions: the classes of `halfopen.errors`, so that there is one tree of them.

use halfopen_kernel::failure::{Failure, FailureKind};
use pyo3::call::PyCallArgs;
use pyo3::exceptions::PyOSError;
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
