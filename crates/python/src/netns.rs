//! `halfopen._core.enter_netns`.

use std::path::PathBuf;

use halfopen_kernel::netns;
use pyo3::prelude::*;

use crate::error::failed;

/// A descriptor, or a path.
#[derive(FromPyObject)]
pub enum Namespace {
    /// An open file.
    Descriptor(i32),
    /// Where it lies.
    Path(PathBuf),
}

/// Moves the calling thread. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (namespace, /))]
pub fn enter_netns(py: Python<'_>, namespace: Namespace) -> PyResult<()> {
    let entered = match namespace {
        Namespace::Path(path) => netns::enter_path(&path),
        Namespace::Descriptor(number) => netns::enter_number(number),
    };
    entered.map_err(|failure| failed(py, &failure))
}
