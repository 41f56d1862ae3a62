//! `halfopen._core.Records`: records that were made in Python, as Arrow columns and as Parquet.

use arrow_array::RecordBatch;
use arrow_array::RecordBatchIterator;
use arrow_array::RecordBatchReader;
use arrow_array::ffi::FFI_ArrowSchema;
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use halfopen_table::made::{Cells, batch};
use halfopen_table::parquet::ParquetFile;
use halfopen_table::{FIELDS, Get, OPTION_FIELDS};
use pyo3::conversion::FromPyObjectOwned;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict};

/// Records of `halfopen.handshake/1`. See `_core.pyi`.
#[pyclass(frozen, module = "halfopen._core")]
pub struct Records(RecordBatch);

#[pymethods]
impl Records {
    #[new]
    #[allow(clippy::needless_pass_by_value)] // pyo3 passes values
    fn new(rows: Vec<Bound<'_, PyDict>>) -> PyResult<Self> {
        let rows: Vec<_> = rows.into_iter().map(Some).collect();
        let columns = FIELDS
            .iter()
            .map(|field| match field.get {
                Get::Options(_) => options(&rows, field.name),
                _ => cells(&rows, field.name, field.get.type_name()),
            })
            .collect::<PyResult<_>>()?;
        let made = batch(columns).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Self(made))
    }

    fn __len__(&self) -> usize {
        self.0.num_rows()
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let reader: Box<dyn RecordBatchReader + Send> =
            Box::new(RecordBatchIterator::new([Ok(self.0.clone())], self.0.schema()));
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(reader), c"arrow_array_stream")
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.0.schema().as_ref());
        let schema = schema.map_err(|error| PyValueError::new_err(error.to_string()))?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    fn to_parquet<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| {
            let mut file = ParquetFile::new(Vec::new())?;
            file.write_record_batch(&self.0)?;
            file.finish()
        });
        let bytes = bytes.map_err(|error| PyOSError::new_err(error.to_string()))?;
        Ok(PyBytes::new(py, &bytes))
    }
}

type Rows<'py> = [Option<Bound<'py, PyDict>>];

fn options(rows: &Rows<'_>, name: &str) -> PyResult<Cells> {
    let inner: Vec<Option<Bound<'_, PyDict>>> = column(rows, name)?;
    let members = OPTION_FIELDS
        .iter()
        .map(|member| cells(&inner, member.name, member.get.type_name()))
        .collect::<PyResult<_>>()?;
    Ok(Cells::Record(inner.iter().map(Option::is_some).collect(), members))
}

fn cells(rows: &Rows<'_>, name: &str, kind: &str) -> PyResult<Cells> {
    Ok(match kind {
        "int" => Cells::Int(column(rows, name)?),
        "float" => Cells::Float(column(rows, name)?),
        "bool" => Cells::Bool(column(rows, name)?),
        "list[int]" => Cells::Ints(lists(rows, name)?),
        "list[str]" => Cells::Texts(lists(rows, name)?),
        _ => Cells::Text(column(rows, name)?),
    })
}

/// A missing key is null, as None is.
fn column<'py, T: FromPyObjectOwned<'py>>(rows: &Rows<'py>, name: &str) -> PyResult<Vec<Option<T>>> {
    rows.iter()
        .map(|row| {
            let Some(row) = row else { return Ok(None) };
            let value = row.get_item(name)?.filter(|value| !value.is_none());
            value.map(|value| value.extract().map_err(Into::into)).transpose()
        })
        .collect()
}

fn lists<'py, T: FromPyObjectOwned<'py>>(rows: &Rows<'py>, name: &str) -> PyResult<Vec<Vec<T>>> {
    Ok(column(rows, name)?.into_iter().map(Option::unwrap_or_default).collect())
}
