//! `halfopen._core.exchanges`: which handshakes in, their packets out.

use std::net::IpAddr;
use std::path::PathBuf;

use halfopen_table::{Names, source_name};
use halfopen_trace::exchange::{self, Event, Exchange, Wanted};
use halfopen_trace::states::{self, Ends};
use halfopen_track::{Side, SideOptions, Step};
use halfopen_wire::{Address, IcmpError, Segment};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::trace::{Watch, lines, open_error, request};

/// Address and port of both ends.
type PyEnds = (IpAddr, u16, IpAddr, u16);

/// Which handshakes: their numbers, or two ends.
#[derive(FromPyObject)]
pub enum PyWanted {
    /// By order of the first packet, from 1.
    Numbers(Vec<u64>),
    /// All between them.
    Ends(PyEnds),
}

impl From<PyWanted> for Wanted {
    fn from(wanted: PyWanted) -> Self {
        match wanted {
            PyWanted::Numbers(numbers) => Self::Numbers(numbers),
            PyWanted::Ends((a, a_port, b, b_port)) => {
                Self::Ends((Address::from(a), a_port), (Address::from(b), b_port))
            }
        }
    }
}

/// Reads captures and gives the packets of chosen handshakes. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (inputs, wanted, *, max_flows=None, verify_checksums=false, progress=None))]
pub fn exchanges(
    py: Python<'_>,
    inputs: Vec<PathBuf>,
    wanted: PyWanted,
    max_flows: Option<usize>,
    verify_checksums: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Py<PyDict>> {
    let request = request(inputs, max_flows, verify_checksums);
    let sources: Vec<String> = request.inputs.iter().map(|p| source_name(p)).collect();
    let mut watch = Watch {
        callback: progress,
        error: None,
    };
    let found = py.detach(|| exchange::collect(&request, wanted.into(), &mut |p| watch.look(p)));
    if let Some(error) = watch.error {
        return Err(error);
    }
    let found = found.map_err(|e| open_error(&e))?;
    let names = Names {
        sources: &sources,
        encaps: &found.encaps,
    };
    let list = PyList::empty(py);
    for exchange in &found.exchanges {
        list.append(exchange_dict(py, exchange, &names)?)?;
    }
    let dict = PyDict::new(py);
    dict.set_item("exchanges", list)?;
    dict.set_item("left_out", found.left_out)?;
    dict.set_item("handshakes", found.handshakes)?;
    Ok(dict.unbind())
}

fn exchange_dict<'py>(py: Python<'py>, exchange: &Exchange, names: &Names<'_>) -> PyResult<Bound<'py, PyDict>> {
    let events = PyList::empty(py);
    for (event, ends) in exchange.events.iter().zip(states::ends(exchange)) {
        events.append(match event {
            Event::Segment(segment, step) => segment_dict(py, segment, step, ends)?,
            Event::Icmp(error) => icmp_dict(py, error, exchange)?,
        })?;
    }
    let dict = PyDict::new(py);
    dict.set_item("handshake", lines(&[&exchange.handshake], names))?;
    dict.set_item("events", events)?;
    dict.set_item("omitted", exchange.omitted)?;
    dict.set_item("omitted_after", exchange.omitted_after)?;
    Ok(dict)
}

fn segment_dict<'py>(
    py: Python<'py>,
    segment: &Segment,
    step: &Step,
    (client_state, server_state): Ends,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("time_ns", segment.timed.then_some(segment.time_ns))?;
    dict.set_item("frame", segment.frame)?;
    dict.set_item("file", segment.file)?;
    dict.set_item("from_client", step.from == Side::Client)?;
    dict.set_item("flags", segment.flags.0)?;
    dict.set_item("seq", segment.seq)?;
    dict.set_item("ack", segment.ack)?;
    dict.set_item("window", segment.window)?;
    dict.set_item("payload_len", segment.payload_len)?;
    dict.set_item("ttl", segment.ttl)?;
    dict.set_item("client_state", client_state)?;
    dict.set_item("server_state", server_state)?;
    dict.set_item("verdict", if step.copy { "copy" } else { step.row.cell.name() })?;
    dict.set_item("note", step.row.why)?;
    dict.set_item("rule", step.row.source)?;
    if let Some(options) = SideOptions::of(segment) {
        dict.set_item("options", options_dict(py, &options)?)?;
    }
    Ok(dict)
}

/// An ICMP error travels towards the sender of the segment that it quotes.
fn icmp_dict<'py>(py: Python<'py>, error: &IcmpError, exchange: &Exchange) -> PyResult<Bound<'py, PyDict>> {
    let handshake = &exchange.handshake;
    let to_client = (error.src, error.src_port) == (handshake.client, handshake.client_port);
    let dict = PyDict::new(py);
    dict.set_item("time_ns", error.timed.then_some(error.time_ns))?;
    dict.set_item("frame", error.frame)?;
    dict.set_item("file", error.file)?;
    dict.set_item("to_client", to_client)?;
    dict.set_item("icmp_type", error.kind)?;
    dict.set_item("icmp_code", error.code)?;
    dict.set_item("icmp_from", error.reporter.to_string())?;
    dict.set_item("seq", error.seq)?;
    Ok(dict)
}

fn options_dict<'py>(py: Python<'py>, options: &SideOptions) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let tcp = &options.tcp;
    dict.set_item("mss", tcp.mss)?;
    dict.set_item("window_scale", tcp.window_scale)?;
    dict.set_item("sack_permitted", tcp.sack_permitted)?;
    dict.set_item("timestamps", tcp.timestamps.is_some())?;
    dict.set_item("fast_open", options.fast_open_name())?;
    dict.set_item("mptcp", tcp.mptcp)?;
    dict.set_item("md5", tcp.md5)?;
    dict.set_item("ao", tcp.ao)?;
    dict.set_item("unknown_options", tcp.unknown)?;
    dict.set_item("incomplete", tcp.incomplete)?;
    dict.set_item("ecn", options.ecn)?;
    Ok(dict)
}
