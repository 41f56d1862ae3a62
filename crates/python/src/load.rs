//! `halfopen._core.load`: what to open, how often and how to close it in; counts and latencies out.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use halfopen_kernel::connect::SetupError;
use halfopen_kernel::load::{
    ClientLimit, CloseMode, Counts, Exchange, Failure, Latency, Options, Pace, Progress, Report, get_request, run,
};
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::error::setup_error;

/// How often Python is asked: signals, and the caller's progress function.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// (path, value of the Host field, requests a connection).
type PyHttp = (String, String, u32);

/// (what to send, bytes of the whole answer; none: until the server closes).
type PySend = (Vec<u8>, Option<u64>);

/// Runs a load. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (target, *, sources, connections, total=None, rate=None, duration_s=None, http=None, send=None,
    close, timeout_s, threads, progress=None))]
#[allow(clippy::too_many_arguments, clippy::needless_pass_by_value)] // the names are the interface; pyo3 passes values
pub fn load(
    py: Python<'_>,
    target: &str,
    sources: Vec<IpAddr>,
    connections: usize,
    total: Option<u64>,
    rate: Option<u64>,
    duration_s: Option<f64>,
    http: Option<PyHttp>,
    send: Option<PySend>,
    close: &str,
    timeout_s: f64,
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Py<PyDict>> {
    let close = close_mode(close)?;
    let options = Options {
        target: address(target)?,
        sources,
        pace: pace(connections, total, rate, duration_s)?,
        exchange: exchange(http, send, close),
        close,
        timeout: seconds(timeout_s)?,
        threads,
    };
    let mut watch = Watch {
        callback: progress,
        interrupted: false,
        error: None,
    };
    let ended = py.detach(|| watched(&options, &mut watch));
    if let Some(error) = watch.error {
        return Err(error);
    }
    let report = ended.map_err(|error| setup_error(&error))?;
    report_dict(py, &report, watch.interrupted)
}

/// Runs it beside a thread that looks at it; that one is the caller's, so that Ctrl-C reaches it.
fn watched(options: &Options, watch: &mut Watch) -> Result<Report, SetupError> {
    let (progress, stop) = (Progress::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        let (over, ended) = sync_channel::<()>(1);
        let running = scope.spawn(|| {
            let report = run(options, &progress, &stop);
            drop(over);
            report
        });
        while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            if !watch.look(progress.counts()) {
                stop.store(true, Ordering::Relaxed);
            }
        }
        running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Asks Python how it goes.
struct Watch {
    callback: Option<Py<PyAny>>,
    interrupted: bool,
    error: Option<PyErr>,
}

impl Watch {
    /// False when the load is to end.
    fn look(&mut self, counts: Counts) -> bool {
        let asked = Python::attach(|py| {
            py.check_signals()?;
            if let Some(callback) = &self.callback {
                callback.call1(
                    py,
                    (counts.attempted, counts.established, counts.completed, counts.failed),
                )?;
            }
            Ok::<(), PyErr>(())
        });
        match asked {
            Ok(()) => return true,
            Err(error) if Python::attach(|py| error.is_instance_of::<PyKeyboardInterrupt>(py)) => {
                self.interrupted = true;
            }
            Err(error) => self.error = Some(error),
        }
        false
    }
}

pub fn address(text: &str) -> PyResult<SocketAddr> {
    text.parse()
        .map_err(|_| PyValueError::new_err(format!("{text:?} is no address with a port")))
}

pub fn seconds(value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value).map_err(|error| PyValueError::new_err(error.to_string()))
}

fn close_mode(name: &str) -> PyResult<CloseMode> {
    match name {
        "fin" => Ok(CloseMode::Fin),
        "rst" => Ok(CloseMode::Rst),
        "server-first" => Ok(CloseMode::ServerFirst),
        other => Err(PyValueError::new_err(format!("close cannot be {other:?}"))),
    }
}

fn pace(connections: usize, total: Option<u64>, rate: Option<u64>, duration_s: Option<f64>) -> PyResult<Pace> {
    let duration = duration_s.map(seconds).transpose()?;
    match (rate, duration) {
        (Some(rate), Some(duration)) => Ok(Pace::Open {
            rate,
            duration,
            max_in_flight: connections,
        }),
        (Some(_), None) => Err(PyValueError::new_err("a rate needs a duration")),
        (None, duration) => Ok(Pace::Closed {
            connections,
            total: total.unwrap_or(u64::MAX),
            duration,
        }),
    }
}

fn exchange(http: Option<PyHttp>, send: Option<PySend>, close: CloseMode) -> Exchange {
    match (http, send) {
        (Some((path, host, per_connection)), _) => Exchange::Http {
            request: get_request(&path, &host, true),
            // Who is to close first decides what the last request asks for.
            last_request: get_request(&path, &host, close != CloseMode::ServerFirst),
            per_connection,
        },
        (None, Some((payload, expect))) => Exchange::Send { payload, expect },
        (None, None) => Exchange::Connect,
    }
}

fn report_dict(py: Python<'_>, report: &Report, interrupted: bool) -> PyResult<Py<PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("interrupted", interrupted)?;
    dict.set_item("elapsed_s", report.elapsed_ns as f64 / 1e9)?;
    dict.set_item("busiest_thread", report.busiest_thread)?;
    let processor_wait = report.processor_wait_ns.map(|ns| ns as f64 / 1e9);
    dict.set_item("processor_wait_s", processor_wait)?;
    dict.set_item("attempted", report.attempted)?;
    dict.set_item("established", report.established)?;
    dict.set_item("completed", report.completed)?;
    dict.set_item("closed_by_server", report.closed_by_server)?;
    dict.set_item("reset_by_server", report.reset_by_server)?;
    dict.set_item("abandoned", report.abandoned)?;
    dict.set_item("unstarted", report.unstarted)?;
    dict.set_item("connections_per_s", report.connections_per_s())?;
    dict.set_item("client_limit", report.client_limit().map(ClientLimit::name))?;
    dict.set_item("late", report.late().map(|(many, ns)| (many, ns as f64 / 1e3)))?;
    dict.set_item("failures", failures(py, report)?)?;
    dict.set_item("statuses", &report.statuses)?;
    dict.set_item("retransmitted", report.retransmitted)?;
    dict.set_item("retransmissions", report.retransmissions)?;
    dict.set_item("received_bytes", report.received_bytes)?;
    dict.set_item("no_descriptor", report.no_descriptor)?;
    dict.set_item("no_memory", report.no_memory)?;
    for (name, latency) in [
        ("connect", &report.connect),
        ("first_byte", &report.first_byte),
        ("response", &report.response),
        ("reused_response", &report.reused_response),
        ("lag", &report.lag),
        ("own_lag", &report.own_lag),
        ("kernel_rtt", &report.kernel_rtt),
    ] {
        dict.set_item(name, latency_dict(py, latency)?)?;
    }
    Ok(dict.unbind())
}

fn failures<'py>(py: Python<'py>, report: &Report) -> PyResult<Bound<'py, PyList>> {
    let row = |(&failure, &count): (&Failure, &u64)| {
        let phase = if failure.outcome().is_some() {
            "connect"
        } else {
            "exchange"
        };
        (
            phase,
            failure.name(),
            failure.errno().map(|errno| errno.to_string()),
            count,
        )
    };
    PyList::new(py, report.failures.iter().map(row))
}

fn latency_dict<'py>(py: Python<'py>, latency: &Latency) -> PyResult<Bound<'py, PyDict>> {
    let us = |ns: u64| ns as f64 / 1e3;
    let dict = PyDict::new(py);
    dict.set_item("count", latency.count())?;
    dict.set_item("mean", latency.mean_ns().map(|ns| ns / 1e3))?;
    for (name, quantile) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)] {
        dict.set_item(name, latency.quantile_ns(quantile).map(us))?;
    }
    dict.set_item("max", latency.max_ns().map(us))?;
    let buckets: Vec<(f64, u64)> = latency.buckets().map(|(ns, count)| (us(ns), count)).collect();
    dict.set_item("buckets", buckets)?;
    Ok(dict)
}
