//! `halfopen._core`: interfaces, routes, remembered peers and tracked connections of a network namespace.

use std::net::IpAddr;

use halfopen_kernel::network::{self, Interface, PeerMetrics, Route};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::error::failed;
use crate::sockets::list;

/// `192.0.2.0/24`
fn prefix((address, length): (IpAddr, u8)) -> String {
    format!("{address}/{length}")
}

/// See `_core.pyi`.
#[pyfunction]
pub fn network_interfaces(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let found = py.detach(network::interfaces).map_err(|failure| failed(py, &failure))?;
    list(py, &found, interface_dict)
}

fn interface_dict<'py>(py: Python<'py>, interface: &Interface) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("index", interface.index)?;
    dict.set_item("name", &interface.name)?;
    dict.set_item("up", interface.up)?;
    dict.set_item("mtu", interface.mtu)?;
    let addresses = interface.addresses.iter().map(|&one| prefix(one));
    dict.set_item("addresses", addresses.collect::<Vec<_>>())?;
    Ok(dict)
}

/// See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (most=10_000))]
pub fn network_routes(py: Python<'_>, most: usize) -> PyResult<(Bound<'_, PyList>, usize)> {
    let found = py.detach(|| network::routes(most));
    let (routes, left_out) = found.map_err(|failure| failed(py, &failure))?;
    Ok((list(py, &routes, route_dict)?, left_out))
}

fn route_dict<'py>(py: Python<'py>, route: &Route) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let destination = match route.destination {
        (_, 0) => "default".to_owned(),
        other => prefix(other),
    };
    dict.set_item("destination", destination)?;
    dict.set_item("family", if route.destination.0.is_ipv4() { 4 } else { 6 })?;
    dict.set_item("kind", route.kind)?;
    dict.set_item("interface", route.interface.as_deref())?;
    dict.set_item("gateway", route.gateway.map(|address| address.to_string()))?;
    dict.set_item("source", route.source.map(|address| address.to_string()))?;
    dict.set_item("table", route.table)?;
    dict.set_item("metric", route.metric)?;
    let attributes = PyDict::new(py);
    for (name, value) in &route.attributes {
        attributes.set_item(name, value)?;
    }
    dict.set_item("attributes", attributes)?;
    Ok(dict)
}

/// See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (most=1000))]
pub fn tcp_metrics(py: Python<'_>, most: usize) -> PyResult<(Bound<'_, PyList>, usize)> {
    let found = py.detach(|| network::peer_metrics(most));
    let (peers, left_out) = found.map_err(|failure| failed(py, &failure))?;
    Ok((list(py, &peers, peer_dict)?, left_out))
}

fn peer_dict<'py>(py: Python<'py>, peer: &PeerMetrics) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("destination", peer.destination.to_string())?;
    dict.set_item("source", peer.source.map(|address| address.to_string()))?;
    dict.set_item("age_ms", peer.age_ms)?;
    dict.set_item("rtt_us", peer.rtt_us)?;
    dict.set_item("rttvar_us", peer.rttvar_us)?;
    dict.set_item("fast_open_cookie", peer.fast_open_cookie)?;
    dict.set_item("fast_open_syn_losses", peer.fast_open_syn_losses)?;
    dict.set_item("fast_open_mss", peer.fast_open_mss)?;
    Ok(dict)
}

/// See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (most=1_000_000))]
pub fn conntrack_counts(py: Python<'_>, most: u64) -> PyResult<Option<Bound<'_, PyDict>>> {
    let found = py
        .detach(|| network::tracked(most))
        .map_err(|failure| failed(py, &failure))?;
    let Some(tracked) = found else { return Ok(None) };
    let dict = PyDict::new(py);
    dict.set_item("entries", tracked.entries)?;
    dict.set_item("assured", tracked.assured)?;
    dict.set_item("unreplied", tracked.unreplied)?;
    dict.set_item("tcp", tracked.tcp)?;
    Ok(Some(dict))
}
