//! `halfopen._core.Handshakes`: records that are kept, as Arrow columns and as lines; and the texts that choose them.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatchReader;
use arrow_array::ffi::FFI_ArrowSchema;
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use halfopen_table::jsonl::JsonLines;
use halfopen_table::parquet::ParquetFile;
use halfopen_table::{Collection, FIELDS, Filter, FilterError, Get, OPTION_FIELDS, SortKey, Sorter, csv};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule};

use crate::error::raised;

/// Bytes of lines that are collected before they are written.
const BUFFER_BYTES: usize = 1 << 20;

/// Records whose lines are made between two looks at the buffer.
const PORTION: usize = 512;

/// Records of a reading. See `_core.pyi`.
#[pyclass(frozen, module = "halfopen._core")]
pub struct Handshakes(Arc<Collection>);

impl Handshakes {
    /// Of one reading.
    pub fn new(collection: Collection) -> Self {
        Self(Arc::new(collection))
    }
}

#[pymethods]
impl Handshakes {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The protocol leaves it to the producer whether it converts, and to the consumer to cast what it got.
        drop(requested_schema);
        let stream = FFI_ArrowArrayStream::new(Box::new(self.0.batches()));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.0.batches().schema().as_ref());
        let schema = schema.map_err(|error| PyValueError::new_err(error.to_string()))?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    #[pyo3(signature = (start=0, stop=None))]
    fn to_jsonl<'py>(&self, py: Python<'py>, start: usize, stop: Option<usize>) -> Bound<'py, PyBytes> {
        let bytes = py.detach(|| {
            let (mut writer, mut bytes) = (JsonLines::new(), Vec::new());
            for slice in self.0.slices(range(start, stop)) {
                writer.write_batch(slice, &self.0.names(), &mut bytes);
            }
            bytes
        });
        PyBytes::new(py, &bytes)
    }

    #[allow(clippy::needless_pass_by_value)] // pyo3 passes values
    fn write_jsonl(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let mut writer = JsonLines::new();
        let file = create(&path)?;
        py.detach(|| {
            self.write_lines(file, Vec::new(), |records, bytes| {
                writer.write_batch(records, &self.0.names(), bytes);
            })
        })?;
        Ok(())
    }

    #[allow(clippy::needless_pass_by_value)] // pyo3 passes values
    fn write_csv(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let mut header = Vec::new();
        csv::write_header(&mut header);
        let file = create(&path)?;
        py.detach(|| {
            self.write_lines(file, header, |records, bytes| {
                csv::write_batch(records, &self.0.names(), bytes);
            })
        })?;
        Ok(())
    }

    #[allow(clippy::needless_pass_by_value)] // pyo3 passes values
    fn write_parquet(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let file = create(&path)?;
        py.detach(|| self.write_columns(file))?;
        Ok(())
    }
}

impl Handshakes {
    fn write_lines(
        &self,
        mut file: File,
        mut bytes: Vec<u8>,
        mut write: impl FnMut(&[halfopen_track::Handshake], &mut Vec<u8>),
    ) -> io::Result<()> {
        for portion in self.0.slices(range(0, None)).flat_map(|slice| slice.chunks(PORTION)) {
            write(portion, &mut bytes);
            if bytes.len() >= BUFFER_BYTES {
                file.write_all(&bytes)?;
                bytes.clear();
            }
        }
        file.write_all(&bytes)
    }

    fn write_columns(&self, file: File) -> io::Result<()> {
        let output = BufWriter::with_capacity(BUFFER_BYTES, file);
        let mut parquet = ParquetFile::new(output).map_err(io::Error::other)?;
        for slice in self.0.slices(range(0, None)) {
            parquet.write_batch(slice, &self.0.names()).map_err(io::Error::other)?;
        }
        parquet.finish().map_err(io::Error::other)?.flush()
    }
}

fn range(start: usize, stop: Option<usize>) -> Range<usize> {
    start..stop.unwrap_or(usize::MAX)
}

/// The fields of a record: (name, type, meaning); members of structures as `client_options.mss`.
#[pyfunction]
pub fn handshake_fields() -> Vec<(String, &'static str, &'static str)> {
    let mut all = Vec::new();
    for field in FIELDS {
        all.push((field.name.to_owned(), field.get.type_name(), field.about));
        if matches!(field.get, Get::Options(_)) {
            let member = |name| format!("{}.{name}", field.name);
            all.extend(
                OPTION_FIELDS
                    .iter()
                    .map(|m| (member(m.name), m.get.type_name(), m.about)),
            );
        }
    }
    all
}

/// The condition of a program that `halfopen.handshakes.where` made of `text`.
pub fn filter(py: Python<'_>, program: Option<(String, String)>) -> PyResult<Option<Filter>> {
    let Some((text, program)) = program else {
        return Ok(None);
    };
    Filter::compile(&program)
        .map(Some)
        .map_err(|error| where_error(py, &error, &text))
}

/// The order of `--sort`, and how many of `--top`. Without a field, the earliest come first.
pub fn sorter(py: Python<'_>, sort: Option<&str>, top: Option<usize>) -> PyResult<Option<Sorter>> {
    let key = match (sort, top) {
        (None, None) => return Ok(None),
        (None, Some(_)) => SortKey::by_start(),
        (Some(text), _) => SortKey::parse(text).map_err(|error| sort_error(py, &error, text))?,
    };
    Ok(Some(Sorter::new(key, top)))
}

/// `halfopen.errors.WhereError`.
fn where_error(py: Python<'_>, error: &FilterError, text: &str) -> PyErr {
    raised(py, "WhereError", (error.message.as_str(), text, error.column))
}

/// `halfopen.errors.UsageError`.
fn sort_error(py: Python<'_>, error: &FilterError, text: &str) -> PyErr {
    raised(py, "UsageError", ("cannot sort by", text, error.message.as_str()))
}

/// Creates a file; the error names it, as Python's own do.
fn create(path: &Path) -> io::Result<File> {
    File::create(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}
