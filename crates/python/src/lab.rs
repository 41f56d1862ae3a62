//! `halfopen._core`: what the laboratory needs of the kernel. See `_core.pyi`.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::IntoRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use halfopen_kernel::lab::flood::{self, FloodError, Options, Sent};
use halfopen_kernel::relay::{self, Event, Fault, Link, Report, SpecError};
use pyo3::exceptions::{PyPermissionError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::error::numbered_error;

/// A new network namespace, as a descriptor that the caller owns.
#[pyfunction]
pub fn create_namespace(py: Python<'_>) -> PyResult<i32> {
    let made = py.detach(halfopen_kernel::lab::create_namespace);
    Ok(made.map_err(numbered_error)?.into_raw_fd())
}

/// Become the root of a user namespace.
#[pyfunction]
pub fn unshare_user() -> PyResult<()> {
    halfopen_kernel::lab::unshare_user().map_err(numbered_error)
}

/// A TUN device.
#[pyclass]
pub struct Tun(Option<relay::Tun>);

#[pymethods]
impl Tun {
    #[new]
    fn new(name: &str) -> PyResult<Self> {
        Ok(Self(Some(relay::Tun::create(name)?)))
    }
}

impl Tun {
    fn take(&mut self) -> PyResult<relay::Tun> {
        self.0
            .take()
            .ok_or_else(|| PyValueError::new_err("this device belongs to a relay already"))
    }
}

/// A running relay.
#[pyclass]
pub struct Relay(relay::Relay);

#[pymethods]
impl Relay {
    #[new]
    fn new(first: &mut Tun, second: &mut Tun, seed: u64) -> PyResult<Self> {
        Ok(Self(relay::Relay::start(first.take()?, second.take()?, seed)?))
    }

    fn set_links(&self, forward: &str, backward: &str) -> PyResult<()> {
        let parse = |text: &str| text.parse::<Link>().map_err(|e| spec_error(&e));
        self.0.set_links(parse(forward)?, parse(backward)?);
        Ok(())
    }

    fn set_faults(&self, faults: Vec<String>) -> PyResult<()> {
        let parse = |text: String| text.parse::<Fault>().map_err(|e| spec_error(&e));
        self.0
            .set_faults(faults.into_iter().map(parse).collect::<PyResult<_>>()?);
        Ok(())
    }

    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        report_dict(py, &self.0.report())
    }

    fn stop(&mut self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| self.0.stop())?)
    }
}

fn spec_error(error: &SpecError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn report_dict<'py>(py: Python<'py>, report: &Report) -> PyResult<Bound<'py, PyDict>> {
    let events = PyList::empty(py);
    for event in &report.events {
        events.append(event_dict(py, event, report)?)?;
    }
    let dict = PyDict::new(py);
    dict.set_item("received", report.received)?;
    dict.set_item("delivered", report.delivered)?;
    dict.set_item("events", events)?;
    dict.set_item("events_left_out", report.events_left_out)?;
    dict.set_item("faults", &report.faults)?;
    Ok(dict)
}

fn event_dict<'py>(py: Python<'py>, event: &Event, report: &Report) -> PyResult<Bound<'py, PyDict>> {
    let fault = match event.deed {
        relay::Deed::Fault(index) => report.faults.get(index).map(|(text, _)| text.as_str()),
        _ => None,
    };
    let dict = PyDict::new(py);
    dict.set_item("time_ns", event.time_ns)?;
    dict.set_item("direction", event.direction.name())?;
    dict.set_item("kind", event.kind.name())?;
    dict.set_item("deed", event.deed.name())?;
    dict.set_item("fault", fault)?;
    dict.set_item("source", event.tcp.map(|tcp| tcp.source.to_string()))?;
    dict.set_item("destination", event.tcp.map(|tcp| tcp.destination.to_string()))?;
    dict.set_item("seq", event.tcp.map(|tcp| tcp.seq))?;
    Ok(dict)
}

/// A running source of SYNs.
#[pyclass]
pub struct Flood {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Sent, FloodError>>>,
}

#[pymethods]
impl Flood {
    #[new]
    #[pyo3(signature = (target, sources, *, rate, count, time_max_s, seed=0))]
    fn new(
        target: (IpAddr, u16),
        sources: (IpAddr, u8),
        rate: u64,
        count: u64,
        time_max_s: f64,
        seed: u64,
    ) -> PyResult<Self> {
        let time_max =
            Duration::try_from_secs_f64(time_max_s).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let target = SocketAddr::from(target);
        let (sources, prefix) = sources;
        let options = Options {
            target,
            sources,
            prefix,
            rate,
            count,
            time_max,
            seed,
        };
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("flood".into())
            .spawn(move || flood::flood(&options, &flag))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }

    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn wait<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let thread = self
            .thread
            .take()
            .ok_or_else(|| PyValueError::new_err("it has been waited for"))?;
        let sent = py
            .detach(|| thread.join())
            .map_err(|_| PyRuntimeError::new_err("the source of SYNs died"))?
            .map_err(flood_error)?;
        let dict = PyDict::new(py);
        dict.set_item("syns", sent.syns)?;
        dict.set_item("refused", sent.refused)?;
        dict.set_item("elapsed_s", sent.elapsed.as_secs_f64())?;
        Ok(dict)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop();
    }
}

fn flood_error(error: FloodError) -> PyErr {
    match error {
        FloodError::NotOurs(_) => PyPermissionError::new_err(error.to_string()),
        FloodError::Options(why) => PyValueError::new_err(why),
        FloodError::Socket(error) => error.into(),
    }
}
