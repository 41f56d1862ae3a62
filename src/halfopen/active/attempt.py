"""One connect: the native engine's answer as typed values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from halfopen import _core
from halfopen.active.setup import setup_error
from halfopen.active.sources import chosen_source, source_address
from halfopen.model.handshake import FastOpen, Handshake, Outcome, SideOptions
from halfopen.model.probe import DataReport, Ending, FastOpenReport, Negotiated, ProbeResult

if TYPE_CHECKING:
    from halfopen.active.options import ConnectOptions
    from halfopen.active.resolve import Destination
    from halfopen.model.target import Target

#: The record has no outcome for «this host sent nothing»: an error ended the attempt, not silence and not the server
#: (docs/adr/0020-not-sent.md). ``errno`` and ``syn_sent`` 0 tell it from an ICMP error.
OUTCOMES: dict[Ending, Outcome] = {
    "established": "established",
    "refused": "refused",
    "unreachable": "unreachable",
    "timeout": "timeout",
    "not_sent": "unreachable",
    "failed": "unreachable",
}

#: Bytes that Fast Open puts into the SYN when nothing else was given: an empty line, which HTTP servers skip.
FAST_OPEN_DATA = b"\r\n"

_PORT_IN_USE = "`ss -tanp` shows by whom; without a source port the kernel takes a free one"


@dataclass(frozen=True, slots=True)
class Whom:
    """To whom, and when in the run."""

    target: Target
    """As it was asked."""
    destination: Destination
    """Its address."""
    round: int = 1
    """The round, from 1."""
    number: int = 1
    """The connect's own number in the run, from 1."""
    resolve_us: float | None = None
    """What finding the address took, microseconds."""


def attempt(whom: Whom, options: ConnectOptions, *, fast_open: bool = False) -> ProbeResult:
    """Connect once, and close.

    Args:
        whom: to whom.
        options: how to connect.
        fast_open: put the data (``options.send``, or an empty line) into the SYN.

    Raises:
        UsageError: the socket cannot be made as asked: no such interface, not our address.
        PrivilegeError: it may not be.
        NotAvailableError: this kernel has no such option, or too few descriptors or memory.
    """
    destination = whom.destination
    source = options.source and source_address(options.source, ipv6=destination.is_ipv6)
    try:
        found = _core.probe(
            destination.address,
            destination.port,
            scope_id=destination.scope_id,
            source=source,
            **_arguments(options, fast_open=fast_open),
        )
    except _core.SocketSetupError as error:
        raise setup_error(*error.args, in_use=_PORT_IN_USE) from None
    client = found["client"] or source or chosen_source(destination.address, destination.scope_id)
    return _result(found, whom, client)


def _arguments(options: ConnectOptions, *, fast_open: bool) -> dict[str, Any]:
    data_timeout_s = options.timeout_s if options.data_timeout_s is None else options.data_timeout_s
    same = ("timeout_s", "source_port", "interface", "mark", "ttl", "mss", "nodelay", "quickack", "syn_retries")
    return {
        **{name: getattr(options, name) for name in same},
        "fast_open": (options.send or FAST_OPEN_DATA) if fast_open else None,
        "send": None if fast_open else options.send,
        "await_data_s": data_timeout_s if options.await_data else None,
    }


def _result(found: dict[str, Any], whom: Whom, client: str | None) -> ProbeResult:
    fast_open = found["fast_open"] and FastOpenReport(**found["fast_open"])
    data = found["data"] and _data(found["data"])
    negotiated = found["negotiated"] and Negotiated(**found["negotiated"])
    client_options, server_options = _sides(negotiated) if negotiated else (None, None)
    handshake = Handshake(
        source="probe",
        start_ns=found["start_ns"],
        client=client,
        client_port=found["client_port"],
        server=whom.destination.address,
        server_port=whom.destination.port,
        # An RST in answer to the SYN gives ECONNREFUSED; ECONNRESET means that the handshake was over (tcp_reset()).
        outcome="reset_by_server" if found["errno"] == "ECONNRESET" else OUTCOMES[found["outcome"]],
        number=whom.number,
        syn_sent=found["syn_sent"],
        syn_to_syn_ack_us=_float(found["rtt_us"]),
        retransmit_wait_us=_us(found["retransmit_wait_ns"]),
        client_options=client_options,
        server_options=server_options,
        syn_data_bytes=fast_open.syn_data_bytes if fast_open else None,
        connect_us=_us(found["connect_ns"]),
        errno=found["errno"],
        resolve_us=whom.resolve_us,
        first_byte_us=data.waited_us if data and data.end == "first_byte" else None,
        **(found["icmp"] or {}),
    )
    result = ProbeResult(
        handshake=handshake,
        target=whom.target,
        round=whom.round,
        ending=found["outcome"],
        rtt_us=_float(found["rtt_us"]),
        rtt_validity=found["rtt_validity"],
        processor_wait_us=_us(found["processor_wait_ns"]),
        retransmit_wait_method=found["retransmit_wait_method"] if handshake.retransmit_wait_us else None,
        negotiated=negotiated,
        fast_open=fast_open,
        data=data,
        interrupted=found["interrupted"],
    )
    return replace(result, handshake=replace(handshake, fast_open=_fast_open(result)))


def _us(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1000


def _float(value: int | None) -> float | None:
    return None if value is None else float(value)


def _data(found: dict[str, Any]) -> DataReport:
    rest = {name: value for name, value in found.items() if name != "waited_ns"}
    return DataReport(waited_us=found["waited_ns"] / 1000, **rest)


def _sides(agreed: Negotiated) -> tuple[SideOptions, SideOptions]:
    """What both offered, as far as an agreement proves it; of what was not agreed on it is unknown who lacked it."""
    sack, timestamps, ecn = agreed.sack or None, agreed.timestamps or None, agreed.ecn or None
    both = agreed.window_scaling
    client = SideOptions(
        mss=agreed.offered_mss,
        window_scale=agreed.window_scale_client if both else None,
        sack_permitted=sack,
        timestamps=timestamps,
        ecn=ecn,
    )
    server = SideOptions(
        window_scale=agreed.window_scale_server if both else None, sack_permitted=sack, timestamps=timestamps, ecn=ecn
    )
    return client, server


def _fast_open(result: ProbeResult) -> FastOpen | None:
    """The record's word: what the SYN asked for, and what came of it as far as one connect shows."""
    report = result.fast_open
    if report is None or report.disabled or result.fast_open_withheld or not result.handshake.syn_sent:
        return None
    if report.accepted:
        return "accepted"
    # Data that nobody answered was not ignored either.
    return "ignored" if report.syn_data_bytes is not None and result.established else "requested"
