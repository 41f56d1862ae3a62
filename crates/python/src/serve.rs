//! `halfopen._core.Server`: the knobs in, what happened out.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use halfopen_kernel::serve::{Accept, Accepted, Close, Closed, Event, Options, Queue, Reply, Server as KernelServer};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::error::setup_error;
use crate::load::{address, seconds};

/// Events that wait for Python at most; more are lost, and counted.
const EVENTS_MAX: usize = 65_536;

/// Events handed over at once.
const PORTION: usize = 4096;

/// A running test server. See `_core.pyi`.
#[pyclass(frozen, module = "halfopen._core")]
pub struct Server {
    server: Mutex<Option<KernelServer>>,
    events: Option<Mutex<Receiver<Event>>>,
}

#[pymethods]
impl Server {
    #[new]
    #[pyo3(signature = (addresses, *, backlog, defer_accept=None, fast_open=None, reuse_port=1, accept_delay_s=None,
        accept_rate=None, never_accept=false, banner=None, echo=false, http=None, close="client", quickack=None,
        nodelay=false, max_connections=65_536, events=true))]
    #[allow(
        clippy::too_many_arguments,
        clippy::fn_params_excessive_bools,
        clippy::needless_pass_by_value
    )] // as for `load`
    fn new(
        addresses: Vec<String>,
        backlog: i32,
        defer_accept: Option<u32>,
        fast_open: Option<u32>,
        reuse_port: usize,
        accept_delay_s: Option<f64>,
        accept_rate: Option<u32>,
        never_accept: bool,
        banner: Option<Vec<u8>>,
        echo: bool,
        http: Option<Vec<u8>>,
        close: &str,
        quickack: Option<bool>,
        nodelay: bool,
        max_connections: usize,
        events: bool,
    ) -> PyResult<Self> {
        let options = Options {
            addresses: addresses.iter().map(|text| address(text)).collect::<PyResult<_>>()?,
            backlog,
            defer_accept,
            fast_open,
            reuse_port,
            accept: accept(accept_delay_s, accept_rate, never_accept)?,
            reply: match (banner, echo, http) {
                (Some(banner), ..) => Reply::Banner(banner),
                (None, true, _) => Reply::Echo,
                (None, false, Some(body)) => Reply::Http(body),
                (None, false, None) => Reply::Silent,
            },
            close: match close {
                "client" => Close::AfterClient,
                "fin" => Close::Fin,
                "rst" => Close::Rst,
                other => return Err(PyValueError::new_err(format!("close cannot be {other:?}"))),
            },
            quickack,
            nodelay,
            max_connections,
        };
        let (sender, receiver) = events.then(|| sync_channel(EVENTS_MAX)).unzip();
        let server = KernelServer::start(options, sender).map_err(|error| setup_error(&error))?;
        Ok(Self {
            server: Mutex::new(Some(server)),
            events: receiver.map(Mutex::new),
        })
    }

    /// Where it listens.
    #[getter]
    fn addresses(&self) -> PyResult<Vec<(String, u16)>> {
        self.with(|server| {
            let ends = server.addresses().iter();
            ends.map(|end| (end.ip().to_string(), end.port())).collect()
        })
    }

    /// The accept queues now.
    fn queues(&self, py: Python<'_>) -> PyResult<Py<PyList>> {
        let queues = self.with(KernelServer::queues)?;
        let dicts = queues.iter().map(|queue| queue_dict(py, queue));
        Ok(PyList::new(py, dicts.collect::<PyResult<Vec<_>>>()?)?.unbind())
    }

    /// What happened since the start.
    fn totals(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        let totals = self.with(KernelServer::totals)?;
        let closed = PyDict::new(py);
        closed.set_item("client", totals.by_client)?;
        closed.set_item("server", totals.by_server)?;
        closed.set_item("error", totals.failed)?;
        let dict = PyDict::new(py);
        dict.set_item("accepted", totals.accepted)?;
        dict.set_item("closed", closed)?;
        dict.set_item("received_bytes", totals.received)?;
        dict.set_item("sent_bytes", totals.sent)?;
        dict.set_item("lost_events", totals.lost_events)?;
        Ok(dict.unbind())
    }

    /// What happened; waits for the first event.
    fn events(&self, py: Python<'_>, wait_s: f64) -> PyResult<Py<PyList>> {
        let wait = seconds(wait_s)?;
        let events = py.detach(|| self.receive(wait));
        let dicts = events.iter().map(|event| match event {
            Event::Accepted(accepted) => accepted_dict(py, accepted),
            Event::Closed(closed) => closed_dict(py, closed),
        });
        Ok(PyList::new(py, dicts.collect::<PyResult<Vec<_>>>()?)?.unbind())
    }

    /// Closes everything.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        let server = self.locked()?.take();
        if let Some(server) = server {
            py.detach(|| server.stop())?;
        }
        Ok(())
    }
}

impl Server {
    fn locked(&self) -> PyResult<std::sync::MutexGuard<'_, Option<KernelServer>>> {
        self.server
            .lock()
            .map_err(|_| PyRuntimeError::new_err("a thread of this server panicked"))
    }

    fn with<T>(&self, look: impl FnOnce(&KernelServer) -> T) -> PyResult<T> {
        self.locked()?
            .as_ref()
            .map(look)
            .ok_or_else(|| PyValueError::new_err("the server was stopped"))
    }

    fn receive(&self, wait: Duration) -> Vec<Event> {
        let Some(receiver) = self.events.as_ref().and_then(|events| events.lock().ok()) else {
            std::thread::sleep(wait);
            return Vec::new();
        };
        let begin = Instant::now();
        match receiver.recv_timeout(wait) {
            Ok(first) => std::iter::once(first)
                .chain(receiver.try_iter())
                .take(PORTION)
                .collect(),
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            // The server was stopped: what comes is nothing, but not at once, or a caller's loop would spin.
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(wait.saturating_sub(begin.elapsed()));
                Vec::new()
            }
        }
    }
}

fn accept(delay_s: Option<f64>, rate: Option<u32>, never: bool) -> PyResult<Accept> {
    Ok(match (never, delay_s, rate) {
        (true, ..) => Accept::Never,
        (false, Some(delay), _) => Accept::After(seconds(delay)?),
        (false, None, Some(rate)) => Accept::PerSecond(rate),
        (false, None, None) => Accept::AtOnce,
    })
}

fn queue_dict<'py>(py: Python<'py>, queue: &Queue) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("address", queue.address.ip().to_string())?;
    dict.set_item("port", queue.address.port())?;
    dict.set_item("depth", queue.depth)?;
    dict.set_item("limit", queue.limit)?;
    Ok(dict)
}

fn accepted_dict<'py>(py: Python<'py>, event: &Accepted) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("event", "accepted")?;
    dict.set_item("id", event.id)?;
    dict.set_item("at_ns", event.at_ns)?;
    dict.set_item("peer", event.peer.ip().to_string())?;
    dict.set_item("peer_port", event.peer.port())?;
    dict.set_item("address", event.local.ip().to_string())?;
    dict.set_item("port", event.local.port())?;
    dict.set_item("rtt_us", event.rtt_us)?;
    dict.set_item("syn_ack_retransmissions", event.syn_ack_retransmissions)?;
    dict.set_item("timestamps", event.options.timestamps())?;
    dict.set_item("sack_permitted", event.options.sack())?;
    dict.set_item("window_scale", event.options.window_scale())?;
    dict.set_item("ecn", event.options.ecn())?;
    dict.set_item("syn_data", event.syn_data)?;
    dict.set_item("syn_cookie", event.syn_cookie)?;
    dict.set_item("bytes_at_accept", event.bytes_at_accept)?;
    dict.set_item("accept_wait_ms", event.accept_wait.ms)?;
    dict.set_item("accept_wait_precision_ms", event.accept_wait.precision_ms)?;
    dict.set_item("queue_depth", event.queue.map(|queue| queue.depth))?;
    dict.set_item("queue_limit", event.queue.map(|queue| queue.limit))?;
    Ok(dict)
}

fn closed_dict<'py>(py: Python<'py>, event: &Closed) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("event", "closed")?;
    dict.set_item("id", event.id)?;
    dict.set_item("peer", event.peer.ip().to_string())?;
    dict.set_item("peer_port", event.peer.port())?;
    dict.set_item("closed_by", event.ending.name())?;
    dict.set_item("errno", event.ending.errno().map(|errno| errno.to_string()))?;
    dict.set_item("received_bytes", event.received)?;
    dict.set_item("sent_bytes", event.sent)?;
    dict.set_item("open_us", event.open_ns as f64 / 1e3)?;
    Ok(dict)
}
