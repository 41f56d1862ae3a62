"""``halfopen doctor HOST:PORT``: resolve, connect several times between two snapshots, and conclude."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.cli.doctor_capture import capturing
from halfopen.errors import ResolveError, UsageError
from halfopen.model.verdict import TargetReport
from halfopen.rules.attempt import Attempt, Served
from halfopen.rules.verdicts import Facts, by_capture, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.active.resolve import Resolution
    from halfopen.cli.doctor_options import DoctorOptions
    from halfopen.cli.printer import Printer
    from halfopen.model.calls import ThreadCall
    from halfopen.model.diagnosis import Diagnosis
    from halfopen.model.finding import Finding
    from halfopen.model.probe import ProbeResult
    from halfopen.model.snapshot import Snapshot
    from halfopen.model.target import Target
    from halfopen.rules.context import Context
    from halfopen.rules.listening import Listening
    from halfopen.rules.space import Space

ROUNDS = 5
INTERVAL_S = 0.2
#: Long enough for three SYNs (at 0, 1 and 2 s), so that a slow connect is told from none.
TIMEOUT_S = 3.0
#: So many in a row without an answer settle it.
SILENT_MAX = 2
#: A SYN-ACK whose ACK the server dropped comes again after a second, and once more after three. One that comes again
#: only once is of a server that defers accept() for a second, as nginx does with ``deferred`` (facts F12, F67).
DATA_S = 1.3
DATA_AGAIN_S = 3.4
#: Of a name with more addresses, these are tried.
ADDRESSES_MAX = 4


def examine(printer: Printer, options: DoctorOptions, target: Target) -> tuple[Diagnosis, TargetReport]:
    """The host's findings that concern ``target``, and what became of the connects to it."""
    from halfopen.active.resolve import resolve
    from halfopen.collect import take
    from halfopen.rules.context import Context
    from halfopen.rules.diagnose import diagnose

    try:
        resolution: Resolution | None = resolve(target)
        unresolved = None
    except ResolveError as error:
        resolution, unresolved = None, error.why or str(error)
    before = take(netns=options.netns)
    with printer.progress(f"connecting to {target}"), capturing(options, resolution) as capture:
        results = tuple(_connect(resolution)) if resolution is not None else ()
    now = take(netns=options.netns)
    context = Context.of(now, before)
    addresses = () if resolution is None else resolution.addresses
    here = next((space for space in context.spaces if space.now.own), context.host)
    attempt = Attempt.of(results, context, here)
    served = Served.of(here, attempt, addresses, target.port)
    found = related(diagnose(now, before), target, addresses, served, here)
    packets = capture.of(results)
    facts = Facts(
        target=target,
        results=results,
        causes=attempt.causes,
        accused_by_address=attempt.accused_by_address,
        own=served.there is not None,
        there=served.there,
        address=served.address,
        listening=served.listening,
        drops=served.drops,
        findings=found.findings,
        unresolved=unresolved,
        elsewhere=tuple(_elsewhere(context, served.there, target.port)),
        answers=tuple(_answers(results)),
        gateway=attempt.gateway,
        packets=packets,
    )
    report = TargetReport(
        target=target,
        addresses=addresses,
        resolve_us=None if resolution is None else resolution.resolve_us,
        own=facts.own,
        place=facts.place,
        results=results,
        causes=by_capture(facts),
        verdict=judge(facts),
        calls=_calls(options, now, context, served.listening),
        packets=packets,
    )
    return found, report


def _connect(resolution: Resolution) -> Iterator[ProbeResult]:
    """Several quick connects to each address, then one that listens: a server that does not accept shows then."""
    from halfopen.active.options import ConnectOptions
    from halfopen.active.runner import ProbePlan, run

    quick, listening = (
        ConnectOptions(timeout_s=TIMEOUT_S),
        ConnectOptions(timeout_s=TIMEOUT_S, await_data=True, data_timeout_s=DATA_S),
    )
    few = replace(resolution, destinations=resolution.destinations[:ADDRESSES_MAX])
    silent: dict[str | None, int] = {}
    repeated: set[str] = set()
    for count, options in ((ROUNDS - 1, quick), (1, listening), (1, replace(listening, data_timeout_s=DATA_AGAIN_S))):
        for destination in few.destinations:
            again = options.data_timeout_s == DATA_AGAIN_S
            if silent.get(destination.address, 0) >= SILENT_MAX or (again and destination.address not in repeated):
                continue
            plan = ProbePlan(count=count, interval_s=INTERVAL_S, connect=options)
            for result in run([replace(few, destinations=(destination,))], plan):
                yield result
                if result.data is not None and result.data.end == "silent" and result.data.syn_acks_received == 1:
                    repeated.add(destination.address)
                lost = silent.get(destination.address, 0) + 1 if result.ending == "timeout" else 0
                silent[destination.address] = lost
                if lost >= SILENT_MAX:
                    break


def _elsewhere(context: Context, there: Space | None, port: int) -> Iterator[str]:
    """``0.0.0.0:80 (nginx) in network namespace blue``: what listens on a port, but not where the target is."""
    for space in context.spaces:
        if space is not there:
            for one in space.listening:
                if one.port == port and not one.is_local:
                    yield f"{one.name} in network namespace {space.name}"


def _answers(results: tuple[ProbeResult, ...]) -> Iterator[str]:
    """What the connect that listened for a moment saw."""
    from halfopen.handshakes.probes.data import data_headline, data_reason

    for result in results:
        if result.data is not None and result.data.end != "silent":
            reason = data_reason(result)
            yield f"After the handshake: {data_headline(result.data)}." + (f" {reason}" if reason else "")


#: What our own connects raise: counters cannot tell them from others'. And what the verdict itself is about.
OURS = frozenset({"HO306", "HO307", "HO309"})


def related(
    diagnosis: Diagnosis, target: Target, addresses: tuple[str, ...], served: Served, here: Space | None
) -> Diagnosis:
    """The findings that concern the target: its listener, connections to it, and what hurts all connections there."""
    namespaces = {space.name for space in (here, served.there) if space is not None}

    def concerns(finding: Finding) -> bool:
        subject = finding.subject
        if finding.code in OURS or subject.netns not in namespaces:
            return False
        if subject.kind == "listener":
            return served.has(subject)
        if subject.port is not None:
            return subject.port == target.port and subject.address in addresses
        return finding.harm in {"failing", "slow"} and subject.kind in {"namespace", "filter", "setting"}

    return replace(diagnosis, findings=tuple(filter(concerns, diagnosis.findings)))


def _calls(
    options: DoctorOptions, now: Snapshot, context: Context, listening: Listening | None
) -> tuple[ThreadCall, ...]:
    """What the threads of the process do that --strace names, and on which listener of this host."""
    if options.strace is None:
        return ()
    from halfopen.collect.calls import thread_calls
    from halfopen.rules.listening import listener_name

    rows = (listener for space in context.spaces for one in space.listening for listener, _ in one.members)
    names = {listener.inode: listener_name(listener) for listener in rows if listener.inode}
    calls = (call for pid in _pids(options.strace, listening) for call in thread_calls(pid, now.host.machine))
    return tuple(replace(call, on=None if call.inode is None else names.get(call.inode)) for call in calls)


def _pids(wanted: str, listening: Listening | None) -> list[int]:
    """The process of that number, or those that call accept() for the target: the workers, not their master."""
    from halfopen.rules.accepting import acceptors

    if wanted.isdigit():
        return [int(wanted)]
    members = () if listening is None else listening.members
    pids = dict.fromkeys(owner.pid for listener, _ in members for owner in acceptors(listener))
    if not pids:
        raise UsageError("--strace listener: the target is no listener of this host whose process may be known")
    return list(pids)
