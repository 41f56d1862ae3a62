//! `halfopen._core.probe`: arguments in, one measured connect out.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use halfopen_kernel::connect::{
    AwaitData, DataEnd, DataReport, FastOpenFailure, FastOpenReport, Negotiated, Options, Probe, WaitMethod,
    probe_until,
};
use halfopen_kernel::sys::IcmpError;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::setup_error;

/// Connects once. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (address, port, *, scope_id=0, timeout_s=5.0, source=None, source_port=None, interface=None,
    mark=None, ttl=None, mss=None, nodelay=false, quickack=None, syn_retries=None, fast_open=None, send=None,
    await_data_s=None))]
#[allow(clippy::too_many_arguments)] // the names are the interface
pub fn probe(
    py: Python<'_>,
    address: IpAddr,
    port: u16,
    scope_id: u32,
    timeout_s: f64,
    source: Option<IpAddr>,
    source_port: Option<u16>,
    interface: Option<String>,
    mark: Option<u32>,
    ttl: Option<u8>,
    mss: Option<u16>,
    nodelay: bool,
    quickack: Option<bool>,
    syn_retries: Option<u8>,
    fast_open: Option<Vec<u8>>,
    send: Option<Vec<u8>>,
    await_data_s: Option<f64>,
) -> PyResult<Py<PyDict>> {
    let await_data = await_data_s.map(|seconds| AwaitData {
        send: send.unwrap_or_default(),
        timeout: duration(seconds),
    });
    let options = Options {
        source,
        source_port,
        interface,
        mark,
        ttl,
        mss,
        nodelay,
        quickack,
        syn_retries,
        timeout: duration(timeout_s),
        fast_open,
        await_data,
        ..Options::default()
    };
    let remote = match address {
        IpAddr::V4(_) => SocketAddr::new(address, port),
        IpAddr::V6(v6) => SocketAddr::V6(SocketAddrV6::new(v6, port, 0, scope_id)),
    };
    let mut signal = None;
    let mut stop = || {
        Python::attach(|py| signal = py.check_signals().err());
        signal.is_some()
    };
    let result = py.detach(|| probe_until(remote, &options, &mut stop));
    // What Ctrl-C cut short is worth telling as far as it went; what else a handler raised is not for us.
    let interrupted = match signal {
        Some(error) if error.is_instance_of::<PyKeyboardInterrupt>(py) => true,
        Some(error) => return Err(error),
        None => false,
    };
    let dict = probe_dict(py, &result.map_err(|error| setup_error(&error))?)?;
    dict.set_item("interrupted", interrupted)?;
    Ok(dict.unbind())
}

/// Anything that is no time is no time at all.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

fn probe_dict<'py>(py: Python<'py>, probe: &Probe) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("start_ns", probe.start_ns)?;
    dict.set_item("client", probe.local.map(|local| local.ip().to_string()))?;
    dict.set_item("client_port", probe.local.map(|local| local.port()))?;
    dict.set_item("outcome", probe.outcome.name())?;
    dict.set_item("errno", probe.errno.map(|errno| errno.to_string()))?;
    dict.set_item("icmp", probe.icmp.map(|icmp| icmp_dict(py, icmp)).transpose()?)?;
    dict.set_item("connect_ns", probe.connect_ns)?;
    dict.set_item("processor_wait_ns", probe.processor_wait_ns)?;
    dict.set_item("rtt_us", probe.rtt_us)?;
    dict.set_item("rtt_validity", probe.rtt_validity.name())?;
    dict.set_item("syn_sent", probe.syn_sent)?;
    dict.set_item("retransmit_wait_ns", probe.retransmit_wait.map(|wait| wait.ns))?;
    let method = probe.retransmit_wait.map(|wait| wait.method).map(WaitMethod::name);
    dict.set_item("retransmit_wait_method", method)?;
    let negotiated = probe.negotiated.map(|agreed| negotiated_dict(py, agreed));
    dict.set_item("negotiated", negotiated.transpose()?)?;
    let fast_open = probe.fast_open.map(|report| fast_open_dict(py, report));
    dict.set_item("fast_open", fast_open.transpose()?)?;
    dict.set_item("data", probe.data.map(|report| data_dict(py, report)).transpose()?)?;
    Ok(dict)
}

fn icmp_dict(py: Python<'_>, icmp: IcmpError) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("icmp_type", icmp.icmp_type)?;
    dict.set_item("icmp_code", icmp.icmp_code)?;
    dict.set_item("icmp_from", icmp.offender.map(|from| from.to_string()))?;
    Ok(dict)
}

fn negotiated_dict(py: Python<'_>, agreed: Negotiated) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("timestamps", agreed.options.timestamps())?;
    dict.set_item("sack", agreed.options.sack())?;
    dict.set_item("ecn", agreed.options.ecn())?;
    dict.set_item("window_scaling", agreed.options.window_scale())?;
    dict.set_item("window_scale_server", agreed.snd_wscale)?;
    dict.set_item("window_scale_client", agreed.rcv_wscale)?;
    dict.set_item("send_mss", agreed.snd_mss)?;
    dict.set_item("offered_mss", agreed.offered_mss)?;
    dict.set_item("path_mtu", agreed.path_mtu)?;
    dict.set_item("rto_us", agreed.rto_us)?;
    Ok(dict)
}

fn fast_open_dict(py: Python<'_>, report: FastOpenReport) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("syn_data_bytes", report.syn_data)?;
    dict.set_item("accepted", report.accepted)?;
    dict.set_item("failure", report.failure.map(FastOpenFailure::name))?;
    dict.set_item("disabled", report.disabled)?;
    Ok(dict)
}

fn data_dict(py: Python<'_>, report: DataReport) -> PyResult<Bound<'_, PyDict>> {
    let errno = match report.end {
        DataEnd::Failed(errno) => Some(errno.to_string()),
        _ => None,
    };
    let dict = PyDict::new(py);
    dict.set_item("end", report.end.name())?;
    dict.set_item("errno", errno)?;
    dict.set_item("waited_ns", report.waited_ns)?;
    dict.set_item("sent_bytes", report.sent)?;
    dict.set_item("acknowledged_bytes", report.acknowledged)?;
    dict.set_item("received_bytes", report.received)?;
    dict.set_item("retransmissions", report.retransmissions)?;
    dict.set_item("segments_received", report.segments_received)?;
    dict.set_item("data_segments_received", report.data_segments_received)?;
    Ok(dict)
}
