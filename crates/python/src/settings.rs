//! `halfopen._core.read_settings`, `read_named_settings`, `private_proc`.

use std::ffi::{OsStr, OsString};
use std::os::fd::IntoRawFd;
use std::path::PathBuf;

use halfopen_kernel::settings::{self, Setting};
use halfopen_kernel::sys;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::error::os_error;

/// See `_core.pyi`.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)] // pyo3 passes values
pub fn read_settings(py: Python<'_>, root: PathBuf, skipped: Vec<OsString>) -> PyResult<Bound<'_, PyDict>> {
    let names: Vec<&OsStr> = skipped.iter().map(OsString::as_os_str).collect();
    match py.detach(|| settings::read_settings(&root, &names)) {
        Ok(found) => as_dict(py, &found),
        Err(error) => Err(os_error(root, error)),
    }
}

/// See `_core.pyi`.
#[pyfunction]
#[allow(clippy::needless_pass_by_value)] // pyo3 passes values
pub fn read_named_settings(py: Python<'_>, root: PathBuf, names: Vec<Vec<u8>>) -> PyResult<Bound<'_, PyDict>> {
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    match py.detach(|| settings::read_named(&root, &names)) {
        Ok(found) => as_dict(py, &found),
        Err(error) => Err(os_error(root, error)),
    }
}

/// A descriptor that the caller closes. See `_core.pyi`.
#[pyfunction]
pub fn private_proc() -> PyResult<i32> {
    let own = sys::private_proc().map_err(|error| os_error(PathBuf::from("a procfs of its own"), error))?;
    Ok(own.into_raw_fd())
}

fn as_dict<'py>(py: Python<'py>, found: &[Setting]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in found {
        dict.set_item(PyBytes::new(py, key), PyBytes::new(py, value))?;
    }
    Ok(dict)
}
