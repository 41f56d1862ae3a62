//! `halfopen._core.Capture`: packets of handshakes into a file.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use halfopen_kernel::capture::{self, Filter, Limits, What};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::failed;

/// A running capture. See `_core.pyi`.
#[pyclass(module = "halfopen._core")]
pub struct Capture(capture::Capture);

#[pymethods]
impl Capture {
    #[new]
    #[pyo3(signature = (path, interface=None, *, everything=false, addresses=None, ports=None, snaplen=256,
        time_max_s=None, packets_max=1_000_000))]
    #[allow(clippy::too_many_arguments)] // the names are the interface
    #[allow(clippy::needless_pass_by_value)] // pyo3 passes values
    fn new(
        py: Python<'_>,
        path: PathBuf,
        interface: Option<String>,
        everything: bool,
        addresses: Option<Vec<IpAddr>>,
        ports: Option<Vec<u16>>,
        snaplen: u16,
        time_max_s: Option<f64>,
        packets_max: u64,
    ) -> PyResult<Self> {
        let filter = Filter {
            what: if everything { What::Everything } else { What::Handshakes },
            addresses: addresses.unwrap_or_default(),
            ports: ports.unwrap_or_default(),
            snaplen: u32::from(snaplen),
        };
        filter
            .check()
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        let time = time_max_s.map(Duration::try_from_secs_f64).transpose();
        let limits = Limits {
            time: time.map_err(|error| PyValueError::new_err(error.to_string()))?,
            packets: packets_max,
        };
        let started = py.detach(|| capture::Capture::start(&path, interface.as_deref(), &filter, limits));
        started.map(Self).map_err(|failure| failed(py, &failure))
    }

    #[getter]
    fn packets(&self) -> u64 {
        self.0.written()
    }

    #[getter]
    fn is_over(&self) -> bool {
        self.0.is_over()
    }

    fn stop<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let report = py.detach(|| self.0.stop())?;
        let dict = PyDict::new(py);
        dict.set_item("packets", report.packets)?;
        dict.set_item("dropped", report.dropped)?;
        dict.set_item("limited", report.limited)?;
        Ok(dict)
    }
}
