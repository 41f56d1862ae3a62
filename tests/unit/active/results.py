"""Results of probes as literals, with what a test does not care about filled in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from halfopen.model.handshake import Handshake
from halfopen.model.probe import DataReport, FastOpenReport, ProbeResult
from halfopen.model.target import Target

TARGET = Target("web", 80)


def established(connect_us: float = 300.0, **more: Any) -> ProbeResult:  # noqa: ANN401
    """A connect that worked."""
    row = Handshake(
        source="probe",
        start_ns=1,
        client="10.0.0.1",
        client_port=40000,
        server="10.0.0.2",
        server_port=80,
        outcome="established",
        number=1,
        syn_sent=1,
        connect_us=connect_us,
        retransmit_wait_us=0.0,
    )
    return changed(ProbeResult(row, TARGET, 1, "established", connect_us - 20, "valid"), **more)


def retransmitted(count: int = 1, wait_us: float = 1e6, rest_us: float = 31_000.0, **more: Any) -> ProbeResult:  # noqa: ANN401
    """A connect whose first SYNs were lost."""
    result = established(wait_us + rest_us, syn_sent=count + 1, retransmit_wait_us=wait_us)
    result = replace(result, rtt_us=None, rtt_validity="syn_retransmitted", retransmit_wait_method="timestamp")
    return changed(result, **more)


def failed(ending: Any, errno: str | None = None, **more: Any) -> ProbeResult:  # noqa: ANN401
    """A connect that did not work."""
    outcome = ending if ending in {"refused", "unreachable", "timeout"} else "unreachable"
    sent = 0 if ending == "not_sent" else 1
    result = established(syn_sent=sent, outcome=outcome, errno=errno, retransmit_wait_us=None)
    return changed(replace(result, ending=ending, rtt_us=None, rtt_validity="not_measured"), **more)


def changed(result: ProbeResult, **more: Any) -> ProbeResult:  # noqa: ANN401
    """The same with other values; those of the record go there."""
    own = {name: more.pop(name) for name in list(more) if name in ProbeResult.__dataclass_fields__}
    return replace(result, handshake=replace(result.handshake, **more), **own)


def data(end: Any = "silent", **more: Any) -> DataReport:  # noqa: ANN401
    """The time after the handshake."""
    report = DataReport(
        end=end,
        errno=None,
        waited_us=5e6,
        sent_bytes=0,
        acknowledged_bytes=0,
        received_bytes=0,
        retransmissions=0,
        segments_received=0,
    )
    return replace(report, **more)


def fast_open(syn_data_bytes: int | None = None, **more: Any) -> FastOpenReport:  # noqa: ANN401
    """What became of Fast Open."""
    report = FastOpenReport(syn_data_bytes=syn_data_bytes, accepted=False, failure=None, disabled=False)
    return replace(report, **more)
