"""Many connections, as fast as asked, and what came of them. The engine is ``crates/kernel/src/load``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from halfopen import _core
from halfopen.active.counters import Counters, moved, read_counters
from halfopen.active.load_aim import aim, literal
from halfopen.active.load_limits import Strain, client_limit
from halfopen.active.load_options import CONNECTIONS, IN_FLIGHT, TOTAL, LoadOptions, check
from halfopen.active.setup import setup_error
from halfopen.model.load import Failures, Latencies, LoadReport, Plan, TimeWait

if TYPE_CHECKING:
    from halfopen.active.resolve import Destination

Progress = Callable[[int, int, int, int], None]

#: Longest wait for the last connections to enter TIME_WAIT, and how often to look, seconds.
_SETTLE_S, _LOOK_S = 0.5, 0.02

#: What of the core's result is in the report as it is, and as a distribution.
_KEPT = (
    *("interrupted", "elapsed_s", "attempted", "established", "completed", "abandoned", "unstarted", "statuses"),
    *(
        "closed_by_server",
        "reset_by_server",
        "connections_per_s",
        "retransmitted",
        "retransmissions",
        "received_bytes",
        "busiest_thread",
    ),
    "processor_wait_s",
)
_DISTRIBUTIONS = ("connect", "first_byte", "response", "reused_response", "lag", "own_lag", "kernel_rtt")


def run_load(options: LoadOptions, started: Callable[[Plan], None], progress: Progress) -> LoadReport:
    """Load the target until the plan is fulfilled or Ctrl-C.

    Args:
        options: what to do.
        started: called with the plan before the first packet of the load.
        progress: called ten times a second with connects begun, handshakes completed, connections done, and failed.

    Raises:
        UsageError: the options do not fit, or the target may be somebody else's.
        ResolveError: the target has no address.
        PrivilegeError, NotAvailableError: the kernel refused a socket.
    """
    check(options)
    destination = aim(options)
    plan = _plan(options, destination)
    started(plan)
    before = read_counters()
    result = _run(options, plan, literal(destination), progress)
    return _report(plan, result, before, _settled(plan))


def _settled(plan: Plan) -> Counters:
    """The counters once the last FINs have been answered; under the load's own weight that takes some milliseconds."""
    now = read_counters()
    deadline = time.monotonic() + _SETTLE_S
    while plan.close != "rst" and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
        earlier, now = now, read_counters()
        if earlier.values.get("TW") == now.values.get("TW"):
            break
    return now


def _plan(options: LoadOptions, destination: Destination) -> Plan:
    total, duration_s = options.total, options.duration_s
    if options.rate is not None and total is not None:
        duration_s = total / options.rate
    elif total is None and duration_s is None:
        total = TOTAL
    most = IN_FLIGHT if options.rate is not None else CONNECTIONS
    return Plan(
        target=str(options.target),
        address=destination.address,
        port=destination.port,
        connections=options.connections or (most if total is None else min(most, total)),
        total=total,
        rate=options.rate,
        duration_s=duration_s,
        exchange="http" if options.http is not None else "send" if options.send is not None else "connect",
        reuse=options.reuse or 1,
        close=options.close_mode(),
        threads=options.threads,
        sources=options.sources,
        timeout_s=options.timeout_s,
    )


def _run(options: LoadOptions, plan: Plan, target: str, progress: Progress) -> dict[str, Any]:
    http = None if options.http is None else (options.http, _host(options), plan.reuse)
    send = None if options.send is None else (options.send, _expected(options))
    try:
        return _core.load(
            target,
            sources=plan.sources,
            connections=plan.connections,
            total=plan.total if plan.rate is None else None,
            rate=plan.rate,
            duration_s=plan.duration_s,
            http=http,
            send=send,
            close=plan.close,
            timeout_s=plan.timeout_s,
            threads=plan.threads,
            progress=progress,
        )
    except _core.SocketSetupError as error:
        raise setup_error(*error.args) from None


def _host(options: LoadOptions) -> str:
    """The Host field, RFC 9110 section 7.2: the port only where it is not that of the scheme."""
    text = str(options.target)
    return text.removesuffix(":80") if options.target.port == 80 else text


def _expected(options: LoadOptions) -> int | None:
    if options.expect == "eof":
        return None
    return 1 if options.expect is None else options.expect


def _report(plan: Plan, result: dict[str, Any], before: Counters, after: Counters) -> LoadReport:
    deltas = moved(before, after)
    failures = tuple(Failures(*row) for row in result["failures"])
    no_port = sum(each.count for each in failures if each.errno == "EADDRNOTAVAIL")
    values: dict[str, Any] = {name: result[name] for name in _KEPT}
    values |= {name: _latencies(result[name]) for name in _DISTRIBUTIONS}
    strain = Strain(result["busiest_thread"], result["late"], result["processor_wait_s"], result["elapsed_s"])
    return LoadReport(
        plan=plan,
        failures=failures,
        client_limit=client_limit(result["client_limit"], plan, strain, no_port),
        time_wait=_time_wait(before, after, deltas),
        kernel_deltas=deltas,
        **values,
    )


def _latencies(result: dict[str, Any]) -> Latencies:
    return Latencies(**{**result, "buckets": tuple(result["buckets"])})


def _time_wait(before: Counters, after: Counters, deltas: dict[str, int]) -> TimeWait | None:
    if before.time_wait is None or after.time_wait is None:
        return None
    return TimeWait(before.time_wait, deltas.get("TW", 0) if "TW" in after.values else None, after.time_wait)
