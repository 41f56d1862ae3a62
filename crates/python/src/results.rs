//! `halfopen._core.Handshakes`: finished records as Arrow columns.

use arrow_array::RecordBatch;
use pyo3::prelude::*;

/// Records as columns.
#[pyclass(frozen, module = "halfopen._core")]
pub struct Handshakes {
    batches: Vec<RecordBatch>,
}

impl Handshakes {
    /// Of one schema.
    pub fn new(batches: Vec<RecordBatch>) -> Self {
        Self { batches }
    }
}

#[pymethods]
impl Handshakes {
    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}
