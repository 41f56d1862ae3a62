//! `halfopen._core`: the TCP sockets of a network namespace, and who holds them.

use std::path::{Path, PathBuf};

use halfopen_kernel::diag::{
    AcceptQueue, Census, Destination, Extension, Listener, Options, Process, Query, Share, Socket, StateCounts, States,
    census, sockets,
};
use halfopen_kernel::netlink::Consistency;
use halfopen_kernel::owners::{ListenerOptions, Owners};
use halfopen_kernel::sys::{TcpInfo, TcpState};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::error::failed;

/// Who holds which socket. See `_core.pyi`.
#[pyclass(frozen, module = "halfopen._core")]
pub struct SocketOwners(Owners);

#[pymethods]
impl SocketOwners {
    #[new]
    #[pyo3(signature = (proc=None))]
    #[allow(clippy::needless_pass_by_value)] // pyo3 passes values
    fn new(py: Python<'_>, proc: Option<PathBuf>) -> PyResult<Self> {
        let owners = py.detach(|| Owners::scan(proc.as_deref().unwrap_or(Path::new("/proc"))));
        owners.map(Self).map_err(|failure| failed(py, &failure))
    }

    #[getter]
    fn processes(&self) -> u32 {
        self.0.processes
    }

    #[getter]
    fn refused(&self) -> Vec<u32> {
        self.0.refused.clone()
    }

    fn __len__(&self) -> usize {
        self.0.sockets()
    }

    #[pyo3(signature = (inode, /))]
    fn holders(&self, inode: u32) -> Vec<(u32, u32)> {
        self.0
            .holders(inode)
            .iter()
            .map(|holder| (holder.pid, holder.fd))
            .collect()
    }

    #[getter]
    fn namespaces(&self) -> Vec<(u32, u32, &str)> {
        let doors = self.0.doors().iter();
        doors.map(|door| (door.inode, door.pid, door.path.as_str())).collect()
    }

    #[pyo3(signature = (inode, /))]
    fn options<'py>(&self, py: Python<'py>, inode: u32) -> PyResult<Option<Bound<'py, PyDict>>> {
        let options = py.detach(|| self.0.options(inode));
        options.map(|options| options_dict(py, options)).transpose()
    }
}

fn options_dict(py: Python<'_>, options: ListenerOptions) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("defer_accept_s", options.defer_accept_s)?;
    dict.set_item("fast_open", options.fast_open)?;
    dict.set_item("syn_retries", options.syn_retries)?;
    dict.set_item("reuse_port", options.reuse_port)?;
    Ok(dict)
}

/// Counts the sockets. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (port_range, owners=None, *, destinations=1000, processes=100))]
pub fn tcp_census(
    py: Python<'_>,
    port_range: (u16, u16),
    owners: Option<&Bound<'_, SocketOwners>>,
    destinations: usize,
    processes: usize,
) -> PyResult<Py<PyDict>> {
    let options = Options {
        port_range,
        max_destinations: destinations,
        max_processes: processes,
        owners: owners.map(|owners| &owners.get().0),
    };
    let result = py.detach(|| census(&options)).map_err(|failure| failed(py, &failure))?;
    Ok(census_dict(py, &result)?.unbind())
}

fn census_dict<'py>(py: Python<'py>, census: &Census) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("states", states_dict(py, &census.states)?)?;
    dict.set_item("listeners", list(py, &census.listeners, listener_dict)?)?;
    dict.set_item("destinations", list(py, &census.destinations, destination_dict)?)?;
    dict.set_item("destinations_left_out", census.destinations_left_out)?;
    dict.set_item("processes", list(py, &census.processes, process_dict)?)?;
    dict.set_item("orphans", states_dict(py, &census.orphans)?)?;
    dict.set_item("stale_syn_recv", census.stale_syn_recv)?;
    dict.set_item("consistent", census.consistency == Consistency::Whole)?;
    Ok(dict)
}

/// A list of dicts.
pub fn list<'py, T>(
    py: Python<'py>,
    items: &[T],
    convert: impl Fn(Python<'py>, &T) -> PyResult<Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for item in items {
        list.append(convert(py, item)?)?;
    }
    Ok(list)
}

fn states_dict<'py>(py: Python<'py>, states: &StateCounts) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (state, count) in states.iter() {
        dict.set_item(state.name(), count)?;
    }
    Ok(dict)
}

fn listener_dict<'py>(py: Python<'py>, listener: &Listener) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("address", listener.address.to_string())?;
    dict.set_item("port", listener.port)?;
    dict.set_item("accept_queue", listener.accept_queue)?;
    dict.set_item("accept_queue_limit", listener.accept_queue_limit)?;
    dict.set_item("family", if listener.address.is_ipv4() { 4 } else { 6 })?;
    dict.set_item("only_v6", listener.only_v6)?;
    dict.set_item("inode", listener.inode)?;
    dict.set_item("cookie", listener.cookie)?;
    dict.set_item("uid", listener.uid)?;
    dict.set_item("interface", listener.interface)?;
    dict.set_item("drops", listener.drops)?;
    dict.set_item("syn_queue", listener.syn_queue)?;
    dict.set_item("syn_queue_retransmitted", listener.syn_queue_retransmitted)?;
    let queued = listener.queued.map(|queued| queued_dict(py, &queued)).transpose()?;
    dict.set_item("queued", queued)?;
    dict.set_item("group", listener.group)?;
    dict.set_item("cgroup_id", listener.cgroup_id)?;
    dict.set_item("pids", &listener.pids)?;
    Ok(dict)
}

fn queued_dict<'py>(py: Python<'py>, queued: &AcceptQueue) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("established", queued.established)?;
    dict.set_item("close_wait", queued.close_wait)?;
    dict.set_item("oldest_ms", queued.oldest_ms)?;
    dict.set_item("unread_bytes_max", queued.unread_bytes_max)?;
    Ok(dict)
}

fn destination_dict<'py>(py: Python<'py>, destination: &Destination) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("source", destination.source.to_string())?;
    dict.set_item("destination", destination.destination.to_string())?;
    dict.set_item("port", destination.port)?;
    dict.set_item("states", states_dict(py, &destination.states)?)?;
    dict.set_item("in_range", destination.in_range)?;
    dict.set_item("low_parity", destination.low_parity)?;
    dict.set_item("time_wait_ages", PyTuple::new(py, destination.time_wait_ages)?)?;
    dict.set_item("retransmitting", destination.retransmitting)?;
    dict.set_item("oldest_syn_ms", destination.oldest_syn_ms)?;
    dict.set_item("bound", destination.bound)?;
    let shares = destination.shares.iter().map(|&Share { pid, sockets }| (pid, sockets));
    dict.set_item("pids", shares.collect::<Vec<_>>())?;
    Ok(dict)
}

fn process_dict<'py>(py: Python<'py>, process: &Process) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("pid", process.pid)?;
    dict.set_item("states", states_dict(py, &process.states)?)?;
    dict.set_item("close_wait_oldest_ms", process.close_wait_oldest_ms)?;
    Ok(dict)
}

/// Every socket by itself. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (states=None, *, info=false, memory=false))]
#[allow(clippy::needless_pass_by_value)] // pyo3 passes values
pub fn tcp_sockets(
    py: Python<'_>,
    states: Option<Vec<String>>,
    info: bool,
    memory: bool,
) -> PyResult<Bound<'_, PyList>> {
    let mut query = Query::new(states.map_or(Ok(States::ALL), |names| parse_states(&names))?);
    if info {
        query = query.and(Extension::Info);
    }
    if memory {
        query = query.and(Extension::Memory);
    }
    let (found, _) = py.detach(|| sockets(&query)).map_err(|failure| failed(py, &failure))?;
    list(py, &found, socket_dict)
}

fn parse_states(names: &[String]) -> PyResult<States> {
    let state = |name: &String| {
        let state = TcpState::from_name(name);
        state.ok_or_else(|| PyValueError::new_err(format!("no state of TCP: {name}")))
    };
    let states: Vec<TcpState> = names.iter().map(state).collect::<PyResult<_>>()?;
    Ok(States::of(&states))
}

fn socket_dict<'py>(py: Python<'py>, socket: &Socket) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("family", if socket.v6 { 6 } else { 4 })?;
    dict.set_item("state", socket.state.name())?;
    dict.set_item("timer", socket.timer)?;
    dict.set_item("retransmissions", socket.retransmissions)?;
    dict.set_item("expires_ms", socket.expires_ms)?;
    dict.set_item("local", socket.local.to_string())?;
    dict.set_item("local_port", socket.local_port)?;
    dict.set_item("remote", socket.remote.to_string())?;
    dict.set_item("remote_port", socket.remote_port)?;
    dict.set_item("interface", socket.interface)?;
    dict.set_item("cookie", socket.cookie)?;
    dict.set_item("receive_queue", socket.receive_queue)?;
    dict.set_item("send_queue", socket.send_queue)?;
    dict.set_item("uid", socket.uid)?;
    dict.set_item("inode", socket.inode)?;
    dict.set_item("drops", socket.drops)?;
    dict.set_item("only_v6", socket.only_v6)?;
    dict.set_item("cgroup_id", socket.cgroup_id)?;
    dict.set_item("bind_address_no_port", socket.bind_address_no_port)?;
    dict.set_item("defer_connect", socket.defer_connect)?;
    let info = socket.info.as_ref();
    dict.set_item("last_data_sent_ms", info.map(TcpInfo::last_data_sent_ms))?;
    dict.set_item("last_ack_recv_ms", info.map(TcpInfo::last_ack_recv_ms))?;
    dict.set_item("total_retrans", info.map(TcpInfo::total_retrans))?;
    dict.set_item("rtt_us", info.map(TcpInfo::rtt_us))?;
    Ok(dict)
}
