//! `halfopen._core`: interfaces, routes, remembered peers and tracked connections of a network namespace.

use std::net::IpAddr;

use halfopen_kernel::network::{self, Interface, PeerMetrics, Route, Rule};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

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
    dict.set_item("carrier", interface.carrier)?;
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
pub fn network_rules(py: Python<'_>, most: usize) -> PyResult<(Bound<'_, PyList>, usize)> {
    let rules = py.detach(network::rules).map_err(|failure| failed(py, &failure))?;
    let kept = &rules[..most.min(rules.len())];
    Ok((list(py, kept, rule_dict)?, rules.len() - kept.len()))
}

fn rule_dict<'py>(py: Python<'py>, rule: &Rule) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("priority", rule.priority)?;
    dict.set_item("family", if rule.v6 { 6 } else { 4 })?;
    dict.set_item("action", rule.action)?;
    dict.set_item("table", rule.table)?;
    dict.set_item("goto", rule.goto)?;
    dict.set_item("inverted", rule.inverted)?;
    dict.set_item("source", rule.source.map(prefix))?;
    dict.set_item("destination", rule.destination.map(prefix))?;
    dict.set_item("mark", rule.mark.map(|(mark, _)| mark))?;
    dict.set_item("mark_mask", rule.mark.map(|(_, mask)| mask))?;
    dict.set_item("input", rule.iif.as_deref())?;
    dict.set_item("output", rule.oif.as_deref())?;
    dict.set_item("l3mdev", rule.l3mdev)?;
    dict.set_item("protocol", rule.protocol)?;
    dict.set_item("ports", rule.ports)?;
    dict.set_item("suppress_prefix_length", rule.suppress_prefix_length)?;
    dict.set_item("other", PyTuple::new(py, &rule.other)?)?;
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
