//! `halfopen._core.trace`: arguments in, a reading out.

use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::path::PathBuf;

use halfopen_table::jsonl::JsonLines;
use halfopen_table::{Names, source_name};
use halfopen_trace::outlet::{Choice, Moment, Outlet, Records};
use halfopen_trace::{Progress, Reading, Request};
use halfopen_track::summary::Limits as SummaryLimits;
use halfopen_track::summary::json::JsonLimits;
use halfopen_track::{Fetch, Handshake, Limits, Summary};
use halfopen_wire::capture::{InputStats, OpenError, OpenErrorKind};
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::results::{Handshakes, filter, sorter};

/// The tables' memory is asked for ahead by an instruction that only `kernel` may use.
struct Prefetch;

impl Fetch for Prefetch {
    #[inline]
    fn fetch<T>(place: &T) {
        halfopen_kernel::memory::prefetch(place);
    }
}

/// (nanoseconds, counted from the first frame).
type PyMoment = (i64, bool);

/// What [`trace`] found. Numbers as JSON texts: Python parses them faster than they can be converted one by one.
#[pyclass(frozen, get_all, module = "halfopen._core")]
pub struct Trace {
    /// The numbers of `docs/summary.md`, a JSON object.
    summary: String,
    /// The slowest handshakes, JSON Lines.
    slowest: String,
    /// Failed handshakes, JSON Lines.
    failed: String,
    /// One dict for each input: `path`, `packets`, `bytes`, `size`, `defects`, `failure`.
    inputs: Py<PyList>,
    /// Frames read.
    packets: u64,
    /// TCP segments among them.
    tcp_segments: u64,
    /// Connections without a handshake in the capture.
    midstream: u64,
    /// Their segments.
    midstream_segments: u64,
    /// Hosts that sent some of them, 4096 at most.
    midstream_senders: Vec<String>,
    /// Segments of connections that had ended or been evicted.
    late_segments: u64,
    /// Packets captured twice.
    captured_twice: u64,
    /// Flows pushed out of the full table.
    evicted: u64,
    /// Time of the earliest frame, nanoseconds since the epoch.
    first_frame_ns: Option<i64>,
    /// Time of the latest frame.
    last_frame_ns: Option<i64>,
    /// All handshakes, where they were to be kept.
    handshakes: Option<Py<Handshakes>>,
}

/// Reads captures to their end. See `_core.pyi`.
#[pyfunction]
#[pyo3(signature = (inputs, *, max_flows=None, verify_checksums=false, since=None, until=None, program=None,
    sort=None, top=None, slowest=10, failed=10, endpoints=1000, records="none", output=None, progress=None))]
#[allow(clippy::too_many_arguments, clippy::needless_pass_by_value)] // the names are the interface; pyo3 passes values
pub fn trace(
    py: Python<'_>,
    inputs: Vec<PathBuf>,
    max_flows: Option<usize>,
    verify_checksums: bool,
    since: Option<PyMoment>,
    until: Option<PyMoment>,
    program: Option<(String, String)>,
    sort: Option<&str>,
    top: Option<usize>,
    slowest: usize,
    failed: usize,
    endpoints: usize,
    records: &str,
    output: Option<PathBuf>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Trace> {
    let request = request(inputs, max_flows, verify_checksums);
    let sources: Vec<String> = request.inputs.iter().map(|p| source_name(p)).collect();
    let choice = Choice {
        since: since.map(moment),
        until: until.map(moment),
        filter: filter(py, program)?,
    };
    let sorter = sorter(py, sort, top)?;
    let records = destination(records, output.as_ref())?;
    let limits = SummaryLimits {
        slowest,
        failed,
        ..SummaryLimits::default()
    };
    let mut outlet = Outlet::new(choice, sources.clone(), limits, records, sorter);
    let mut watch = Watch {
        callback: progress,
        error: None,
    };
    let read = py.detach(|| halfopen_trace::run::<Prefetch, _>(&request, &mut outlet, &mut |p| watch.look(p)));
    if let Some(error) = watch.error {
        return Err(error);
    }
    let reading = read.map_err(|e| open_error(&e))?;
    let (summary, kept) = py.detach(|| outlet.finish()).map_err(PyErr::from)?;
    let names = Names {
        sources: &sources,
        encaps: &reading.encaps,
    };
    let handshakes = kept
        .map(|collection| Py::new(py, Handshakes::new(collection)))
        .transpose()?;
    build(py, &reading, &summary, &names, endpoints, handshakes)
}

fn build(
    py: Python<'_>,
    reading: &Reading,
    summary: &Summary,
    names: &Names<'_>,
    endpoints: usize,
    handshakes: Option<Py<Handshakes>>,
) -> PyResult<Trace> {
    Ok(Trace {
        summary: summary.to_json(JsonLimits {
            endpoints,
            end_ns: reading.last_ns,
        }),
        slowest: lines(&summary.slowest(), names),
        failed: lines(&summary.failed(), names),
        inputs: input_list(py, &reading.inputs)?,
        packets: reading.packets,
        tcp_segments: reading.track.tcp_segments,
        midstream: reading.track.midstream,
        midstream_segments: reading.track.midstream_segments,
        midstream_senders: reading.midstream_senders.iter().map(ToString::to_string).collect(),
        late_segments: reading.track.late_segments,
        captured_twice: reading.track.captured_twice,
        evicted: reading.track.evicted,
        first_frame_ns: reading.first_ns,
        last_frame_ns: reading.last_ns,
        handshakes,
    })
}

pub fn request(inputs: Vec<PathBuf>, max_flows: Option<usize>, verify_checksums: bool) -> Request {
    let limits = max_flows.map_or_else(Limits::default, |max_flows| Limits { max_flows });
    Request {
        inputs,
        limits,
        verify_checksums,
    }
}

const fn moment((ns, relative): PyMoment) -> Moment {
    Moment { ns, relative }
}

fn destination(records: &str, output: Option<&PathBuf>) -> PyResult<Records> {
    let open = || -> PyResult<Box<dyn Write + Send>> {
        Ok(Box::new(match output {
            Some(path) => File::create(path)?,
            // The descriptor itself: `std::io::Stdout` would look for line ends.
            None => File::from(std::io::stdout().as_fd().try_clone_to_owned()?),
        }))
    };
    Ok(match records {
        "none" => Records::None,
        "columns" => Records::Kept,
        "jsonl" => Records::JsonLines(open()?),
        "csv" => Records::Csv(open()?),
        "parquet" => Records::Parquet(open()?),
        other => return Err(PyValueError::new_err(format!("records cannot be {other:?}"))),
    })
}

pub fn lines(records: &[&Handshake], names: &Names<'_>) -> String {
    let mut writer = JsonLines::new();
    let mut bytes = Vec::new();
    for record in records {
        writer.write(record, names, &mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One dict for each input.
pub fn input_list(py: Python<'_>, inputs: &[InputStats]) -> PyResult<Py<PyList>> {
    let list = PyList::empty(py);
    for input in inputs {
        let defects = PyDict::new(py);
        for (defect, count) in input.defects.nonzero() {
            defects.set_item(defect.name(), count)?;
        }
        let dict = PyDict::new(py);
        dict.set_item("path", source_name(&input.path))?;
        dict.set_item("packets", input.packets)?;
        dict.set_item("bytes", input.bytes)?;
        dict.set_item("size", input.size)?;
        dict.set_item("defects", defects)?;
        dict.set_item("failure", input.failure.as_ref().map(|f| f.kind.to_string()))?;
        list.append(dict)?;
    }
    Ok(list.unbind())
}

/// Asks Python how it goes: signals, and the caller's progress function.
pub struct Watch {
    pub callback: Option<Py<PyAny>>,
    pub error: Option<PyErr>,
}

impl Watch {
    pub fn look(&mut self, progress: Progress) -> ControlFlow<()> {
        let asked = Python::attach(|py| {
            py.check_signals()?;
            if let Some(callback) = &self.callback {
                callback.call1(py, (progress.packets, progress.bytes, progress.total))?;
            }
            Ok(())
        });
        match asked {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

/// The kind of the failure is the first argument of the exception, as `OpenErrorKind` names it; Python words the rest.
pub fn open_error(error: &OpenError) -> PyErr {
    let kind = match &error.kind {
        OpenErrorKind::NoInput => "no_input",
        OpenErrorKind::NotFound => "not_found",
        OpenErrorKind::IsDirectory => "is_directory",
        OpenErrorKind::PermissionDenied => "permission_denied",
        OpenErrorKind::Empty => "empty",
        OpenErrorKind::NotACapture => "not_a_capture",
        OpenErrorKind::HeaderCutOff => "header_cut_off",
        OpenErrorKind::BadCompression => "bad_compression",
        OpenErrorKind::CompressedTooDeep => "compressed_too_deep",
        OpenErrorKind::NoTimes => "no_times",
        OpenErrorKind::Io(_) => "io",
    };
    CaptureError::new_err((kind, source_name(&error.path), error.kind.to_string()))
}

pyo3::create_exception!(
    halfopen._core,
    CaptureError,
    // Not OSError, which takes the third of its arguments for a file name.
    PyException,
    "No input can be read as a capture: (kind, path, why)."
);
