//! `halfopen._core.against`: two captures in, a comparison out.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;

use halfopen_trace::against::{Comparison, Options, compare};
use halfopen_track::Limits;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::trace::{Watch, input_list, open_error};

/// What [`against`] found.
#[pyclass(frozen, get_all, module = "halfopen._core")]
pub struct Against {
    /// The numbers of `docs/against.md`, a JSON object.
    document: String,
    /// One dict for each input of the first capture, as in [`crate::trace::Trace`].
    inputs_a: Py<PyList>,
    /// Of the second.
    inputs_b: Py<PyList>,
}

/// Compares two captures of the same traffic. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (a, b, *, max_flows=None, verify_checksums=false, top=10, lines=false, output=None, progress=None))]
#[allow(clippy::too_many_arguments, clippy::needless_pass_by_value)] // the names are the interface; pyo3 passes values
pub fn against(
    py: Python<'_>,
    a: Vec<PathBuf>,
    b: Vec<PathBuf>,
    max_flows: Option<usize>,
    verify_checksums: bool,
    top: usize,
    lines: bool,
    output: Option<PathBuf>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Against> {
    let defaults = Options::default();
    let options = Options {
        limits: max_flows.map_or(defaults.limits, |max_flows| Limits { max_flows }),
        verify_checksums,
        ..defaults
    };
    let mut watch = Watch {
        callback: progress,
        error: None,
    };
    let compared = py.detach(|| compare(&a, &b, &options, &mut |p| watch.look(p)));
    if let Some(error) = watch.error {
        return Err(error);
    }
    let compared = compared.map_err(|e| open_error(&e))?;
    if lines {
        py.detach(|| write_lines(&compared, output.as_ref()))?;
    }
    Ok(Against {
        document: py.detach(|| compared.to_json(top)),
        inputs_a: input_list(py, &compared.a.inputs)?,
        inputs_b: input_list(py, &compared.b.inputs)?,
    })
}

fn write_lines(compared: &Comparison, output: Option<&PathBuf>) -> std::io::Result<()> {
    let file = match output {
        Some(path) => File::create(path)?,
        None => File::from(std::io::stdout().as_fd().try_clone_to_owned()?),
    };
    let mut out: Box<dyn Write> = Box::new(BufWriter::with_capacity(1 << 20, file));
    compared.write_lines(&mut out)
}
