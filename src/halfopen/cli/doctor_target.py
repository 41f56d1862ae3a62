"""``halfopen doctor HOST:PORT``: resolve, connect several times between two snapshots, and conclude."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.cli.doctor_capture import capturing
from halfopen.errors import ResolveError, UsageError
from halfopen.model.verdict import TargetReport
from halfopen.rules.verdicts import Facts, judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halfopen.active.resolve import Resolution
    from halfopen.cli.doctor_options import DoctorOptions
    from halfopen.cli.printer import Printer
    from halfopen.model.calls import ThreadCall
    from halfopen.model.cause import LocalCause
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
#: A SYN-ACK whose ACK the server dropped comes again after a second.
DATA_S = 1.3
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
    own, space, listening = _listener(context, addresses, target.port)
    causes = _causes(context, results) if results else ()
    place = space.name if space is not None and not space.now.own else None
    report = TargetReport(
        target=target,
        addresses=addresses,
        resolve_us=None if resolution is None else resolution.resolve_us,
        own=own,
        place=place,
        results=results,
        causes=causes,
        calls=_calls(options, now, context, listening),
        packets=capture.packets,
    )
    facts = Facts(
        target=target,
        results=results,
        causes=causes,
        own=own,
        place=place,
        listening=listening,
        drops=None if listening is None or space is None else space.drops(*listening.members[0]),
        elsewhere=tuple(one.name for space in context.spaces for one in space.listening if one.port == target.port),
        unresolved=unresolved,
        answers=tuple(_answers(results)),
    )
    report = replace(report, verdict=judge(facts))
    there = {one.name for one in (space, next((one for one in context.spaces if one.now.own), None)) if one is not None}
    return related(diagnose(now, before), report, there), report


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
    for count, options in ((ROUNDS - 1, quick), (1, listening)):
        for destination in few.destinations:
            if silent.get(destination.address, 0) >= SILENT_MAX:
                continue
            plan = ProbePlan(count=count, interval_s=INTERVAL_S, connect=options)
            for result in run([replace(few, destinations=(destination,))], plan):
                yield result
                lost = silent.get(destination.address, 0) + 1 if result.ending == "timeout" else 0
                silent[destination.address] = lost
                if lost >= SILENT_MAX:
                    break


def _causes(context: Context, results: tuple[ProbeResult, ...]) -> tuple[LocalCause, ...]:
    """Local causes for the first connect that went wrong, or the first one."""
    from halfopen.rules.local_causes import local_causes

    space = next((space for space in context.spaces if space.now.own), context.host)
    if space is None:
        return ()
    bad = [result for result in results if not result.established] or [
        one for one in results if one.syn_retransmissions
    ]
    row = (bad or results)[0].handshake
    return local_causes(
        space.now,
        row.server,
        row.server_port,
        source=row.client,
        errno=row.errno,
        before=space.before,
        interval_s=context.interval_s,
        established=row.outcome == "established",
        there=_place_of(context, (row.server,)),
    )


def _listener(context: Context, addresses: tuple[str, ...], port: int) -> tuple[bool, Space | None, Listening | None]:
    """Whether an address is this host's, and the listener that serves it, in whichever namespace."""
    from halfopen.rules.routing import is_own
    from halfopen.rules.serving import serving

    space = _place_of(context, addresses)
    if space is None:
        return False, None, None
    address = next(address for address in addresses if is_own(space.now, address))
    return True, space, serving(space, address, port)


def _place_of(context: Context, addresses: Sequence[str]) -> Space | None:
    """The namespace that has one of the addresses, the reader's own before others.

    Private addresses repeat themselves: another namespace is taken for the target's only where packets arrived in it
    while it was connected to.
    """
    from halfopen.rules.routing import is_own

    spaces = sorted(context.spaces, key=lambda space: not space.now.own)
    places = (space for space in spaces for address in addresses if is_own(space.now, address))
    return next((space for space in places if space.now.own or _received(space)), None)


def _received(space: Space) -> bool:
    """Whether IP packets of either family arrived in a namespace between the snapshots."""
    if space.before is None:
        return False
    grown = (
        (space.now.counter(group, "InReceives") or 0) > (space.before.counter(group, "InReceives") or 0)
        for group in ("Ip", "Ip6")
    )
    return any(grown)


def _answers(results: tuple[ProbeResult, ...]) -> Iterator[str]:
    """What the connect that listened for a moment saw."""
    from halfopen.handshakes.probes.data import data_headline, data_reason

    for result in results:
        if result.data is not None and result.data.end != "silent":
            reason = data_reason(result)
            yield f"After the handshake: {data_headline(result.data)}." + (f" {reason}" if reason else "")


#: What our own connects raise: counters cannot tell them from others'.
OURS = frozenset({"HO307", "HO309"})


def related(diagnosis: Diagnosis, report: TargetReport, namespaces: set[str]) -> Diagnosis:
    """The findings that concern the target: its listener, connections to it, and what hurts all connections there."""

    def concerns(finding: Finding) -> bool:
        subject = finding.subject
        if subject.port is not None:
            return subject.port == report.target.port and (report.own or subject.address in report.addresses)
        everybody = finding.harm in {"failing", "slow"} and subject.kind in {"namespace", "filter", "setting"}
        return everybody and subject.netns in namespaces and finding.code not in OURS

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
