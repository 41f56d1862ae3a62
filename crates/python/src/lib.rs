//! # python: the only crate that knows pyo3
//!
//! **Architecture Invariant:** no logic. It converts arguments, releases the interpreter lock, calls, and converts back.

use pyo3::prelude::*;

#[pymodule]
mod _core {}
