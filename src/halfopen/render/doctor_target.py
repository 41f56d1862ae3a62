"""What became of the connects to a target: verdict first, then its evidence, the attempts, the local causes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from halfopen.handshakes.probes.ending import headline, reason
from halfopen.model.quantity import duration, endpoint, listed, plural
from halfopen.render.causes import WORDS, cause_objects
from halfopen.render.escape import escape_text
from halfopen.render.findings import SEVERITY_ROLES, evidence_words
from halfopen.render.layout import Paint, clamp, wrap
from halfopen.render.records import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.calls import ThreadCall
    from halfopen.model.cause import LocalCause
    from halfopen.model.probe import ProbeResult
    from halfopen.model.verdict import Packets, TargetReport, Verdict

_INDENT = " " * 10
#: Threads that are listed; of the rest, how many there are in which call.
THREADS_SHOWN = 8


def render_target(report: TargetReport, width: int, paint: Paint) -> str:
    """The part of the screen above the findings."""
    width = clamp(width)
    lines = [*wrap(_headline(report), width), "", *_verdict(report, width, paint)]
    lines += ["", paint("head", "Attempts"), *_attempts(report, width)]
    if report.packets is not None:
        lines += ["", paint("head", "Packets"), *_packets(report.packets, width)]
    waited = any(result.syn_retransmissions for result in report.results)
    causes = [cause for cause in report.causes if cause.kind != "retries" or waited]
    if causes:
        lines += [
            "",
            paint("head", "On this host"),
            *(line for cause in causes for line in _cause(cause, width, paint)),
        ]
    if report.calls:
        lines += [
            "",
            paint("head", _whose(report.calls)),
            *_calls(report.calls, width),
        ]
    return "\n".join(lines)


def _headline(report: TargetReport) -> str:
    name = escape_text(str(report.target))
    literal = report.addresses in {(report.target.host,), ()}
    known = "" if literal else f" is {listed(list(report.addresses), 4)}"
    took = "" if report.resolve_us is None else f" (resolved in {duration(report.resolve_us)})"
    place = "" if report.place is None else f"network namespace {escape_text(report.place)} of "
    return f"{name}{known}{took}{f'; an address of {place}this host' if report.own else ''}."


def _verdict(report: TargetReport, width: int, paint: Paint) -> Iterator[str]:
    verdict = report.verdict
    if verdict is None:
        return
    severity = verdict.severity
    role = "good" if severity is None else SEVERITY_ROLES[severity]
    title = wrap(verdict_sentence(verdict), width, f"{verdict.kind.replace('_', ' ').upper()}: ", "  ")
    yield from (paint(role, line) for line in title)
    check = () if verdict.check is None else (f"`{verdict.check}`",)
    labels = {"because": verdict.evidence, "do": verdict.steps, "check": check, "disproof": (verdict.falsified_by,)}
    for label, texts in labels.items():
        for index, text in enumerate(text for text in texts if text):
            first, *rest = wrap(escape_text(text), width, _INDENT)
            words = (label if index == 0 else "").rjust(len(_INDENT) - 2)
            yield paint("dim", words) + first[len(_INDENT) - 2 :]
            yield from rest


def verdict_sentence(verdict: Verdict) -> str:
    """With the rules whose findings say the same: `halfopen rules CODE` prints their pages."""
    codes = f" ({', '.join(verdict.told)})" if verdict.told else ""
    return f"{escape_text(verdict.sentence)}{codes}"


def _attempts(report: TargetReport, width: int) -> Iterator[str]:
    """Attempts that ended alike and at nearly the same time are one line."""
    if not report.results:
        yield "  none: there is no address"
        return
    several = len({result.handshake.server for result in report.results}) > 1
    for result, count in _alike(report.results):
        place = f"{endpoint(result.handshake.server, result.handshake.server_port)}  " if several else ""
        times = f" ({plural(count, 'time')})" if count > 1 else ""
        yield from wrap(f"{place}{headline(result)}{times}", width, "  ")
    if why := next((why for result in report.results if (why := reason(result))), None):
        yield from wrap(escape_text(why), width, "    ")


def _packets(packets: Packets, width: int) -> Iterator[str]:
    """What was captured, in a sentence or two."""
    outcomes = listed([f"{count} {name.replace('_', ' ')}" for name, count in packets.outcomes.items()], 6)
    lost = f"; {plural(packets.dropped, 'packet')} lost by the capture" if packets.dropped else ""
    seen = (
        f"{plural(packets.packets, 'packet')}: {plural(packets.syn_sent, 'SYN')} out, "
        f"{plural(packets.syn_ack_sent, 'SYN-ACK')} back{lost}."
    )
    yield from wrap(f"{seen} As the packets tell it: {outcomes or 'no handshake'}.", width, "  ")
    for sentence in packets.sentences:
        yield from wrap(escape_text(sentence), width, "  ")
    if packets.file is not None:
        yield from wrap(f"`halfopen trace {escape_text(packets.file)}` shows them.", width, "  ")


def _alike(results: tuple[ProbeResult, ...]) -> Iterator[tuple[ProbeResult, int]]:
    def kind(result: ProbeResult) -> tuple[Any, ...]:
        row = result.handshake
        return (
            row.server,
            result.ending,
            row.errno,
            result.syn_retransmissions,
            row.icmp_type,
            row.icmp_code,
            row.icmp_from,
        )

    counts = Counter(map(kind, results))
    for key, count in counts.items():
        yield next(result for result in results if kind(result) == key), count


def _cause(cause: LocalCause, width: int, paint: Paint) -> Iterator[str]:
    mark, role = WORDS[cause.verdict]
    evidence = "; ".join(map(evidence_words, cause.evidence)) if cause.verdict in {"cause", "possible"} else ""
    text = escape_text(cause.sentence) + (f" ({evidence})" if evidence else "")
    first, *rest = wrap(text, width, f"{mark:>8}  ", _INDENT)
    yield paint(role, first)
    yield from rest


def _whose(calls: tuple[ThreadCall, ...]) -> str:
    pids = list(dict.fromkeys(str(call.pid) for call in calls))
    return f"What process {pids[0]} does" if len(pids) == 1 else f"What processes {listed(pids, THREADS_SHOWN)} do"


def _calls(calls: tuple[ThreadCall, ...], width: int) -> Iterator[str]:
    for call in calls[:THREADS_SHOWN]:
        yield from wrap(call_words(call), width, "  ")
    rest = Counter(call.call or call.waits_in or call.state for call in calls[THREADS_SHOWN:])
    if rest:
        yield from wrap(
            f"and {listed([f'{count} in {escape_text(name)}' for name, count in rest.most_common()], 6)}", width, "  "
        )


def call_words(call: ThreadCall) -> str:
    """``thread 812 (nginx) sleeps in epoll_wait``, ``… waits in accept4 on 0.0.0.0:80 (nginx)``."""
    states = {
        "R": "runs",
        "D": "waits for a device",
        "T": "is stopped",
        "t": "is stopped by a debugger",
        "Z": "has ended",
    }
    where = "" if call.inode is None else f" on {escape_text(call.on or f'socket {call.inode}')}"
    inside = "" if call.call in {None, "running"} else f" in {escape_text(call.call or '')}{where}"
    kernel = "" if call.waits_in is None else f" ({escape_text(call.waits_in)})"
    return f"thread {call.tid} ({escape_text(call.comm)}) {states.get(call.state, 'sleeps')}{inside}{kernel}"


def target_object(report: TargetReport) -> dict[str, Any]:
    """The fields that a target adds to ``halfopen.doctor/1``; ``verdict`` is a word of ``VERDICT_KINDS``."""
    from dataclasses import asdict

    verdict = report.verdict
    return {
        "target": str(report.target),
        "addresses": list(report.addresses),
        "resolve_us": report.resolve_us,
        "own": report.own,
        "own_netns": report.place,
        "verdict": None if verdict is None else verdict.kind,
        "explanation": None
        if verdict is None
        else {name: value for name, value in asdict(verdict).items() if name != "kind"},
        "attempts": [record(result.handshake) for result in report.results],
        "local_causes": cause_objects(report.causes),
        "calls": [asdict(call) for call in report.calls],
        "packets": None if report.packets is None else asdict(report.packets),
    }
