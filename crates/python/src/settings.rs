//! `halfopen._core.read_settings`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use halfopen_kernel::settings;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

/// See `_core.pyi`.
#[pyfunction]
pub fn read_settings(py: Python<'_>, root: PathBuf, skipped: Vec<OsString>) -> PyResult<Bound<'_, PyDict>> {
    let found = py.detach(move || {
        let (root, skipped) = (root, skipped);
        let names: Vec<&OsStr> = skipped.iter().map(OsString::as_os_str).collect();
        settings::read_settings(&root, &names)
    })?;
    let dict = PyDict::new(py);
    for (key, value) in &found {
        dict.set_item(PyBytes::new(py, key), PyBytes::new(py, value))?;
    }
    Ok(dict)
}
