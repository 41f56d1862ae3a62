"""The lines of ``halfopen probe``: one a connect as it ends, and the numbers below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.handshakes.probes.counts import ended, syns_lost
from halfopen.handshakes.probes.data import data_headline, data_reason
from halfopen.handshakes.probes.ending import headline, reason
from halfopen.handshakes.probes.fast_open import fast_open_headline, fast_open_verdict, gain
from halfopen.model.quantity import duration, endpoint, grouped, listed
from halfopen.render.causes import cause_lines
from halfopen.render.escape import escape_text
from halfopen.render.layout import Cell, Column, Paint, clamp, table, wrap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from halfopen.model.cause import LocalCause
    from halfopen.model.probe import ProbeResult, ProbeSummary, TargetReport
    from halfopen.model.summary import Latency

_NUMBER = 4
_INDENT = " " * (_NUMBER + 2)
#: Reasons that are remembered so as not to be said twice: there are not many different ones.
_SAID_MAX = 1000


class ProbeLines:
    """Turns events into lines; remembers what it has explained already.

    Args:
        places: addresses that are probed; with more than one, every line names its own.
        width: columns of the terminal.
        color: whether to use ANSI colours.
        fixed_port: the local port was asked for.
    """

    def __init__(self, places: int, *, width: int = 100, color: bool = False, fixed_port: bool = False) -> None:
        self._width, self._paint = clamp(width), Paint(color)
        self._several, self._fixed_port = places > 1, fixed_port
        self._said: set[tuple[str, str]] = set()

    def opening(self, report: TargetReport) -> list[str]:
        """What a target's name stands for."""
        name = escape_text(str(report.target))
        if report.error is not None:
            return [self._paint("bad", line) for line in wrap(f"{name}: {escape_text(report.error)}", self._width)]
        literal = report.addresses == (report.target.host.partition("%")[0],)
        if literal and self._several:
            return []  # every line names it
        known = "" if literal else f" is {listed(list(report.addresses), 4)}"
        took = "" if report.resolve_us is None else f" (resolved in {duration(report.resolve_us)})"
        return [self._paint("head", line) for line in wrap(f"{name}{known}{took}", self._width)]

    def sentences(self, sentences: list[str]) -> list[str]:
        """What is to be said before anything is measured."""
        return [self._paint("warn", line) for text in sentences for line in wrap(text, self._width)]

    def result(self, result: ProbeResult) -> list[str]:
        """The line of a connect, and why it ended so, the first time that this is the reason."""
        row = result.handshake
        parts = [headline(result), fast_open_headline(result), result.data and data_headline(result.data)]
        text = "; ".join(part for part in parts if part)
        if row.client_port is not None:
            text += f"  from {endpoint(row.client, row.client_port)}"
        place = f"{endpoint(row.server, row.server_port)}  " if self._several else ""
        first = f"{result.round:>{_NUMBER}}  {place}"
        lines = wrap(escape_text(text), self._width, first, _INDENT)
        role = "" if result.satisfied and not result.syn_retransmissions else "warn" if result.satisfied else "bad"
        lines = [self._paint(role, line) for line in lines]
        for why in (reason(result, fixed_port=self._fixed_port), data_reason(result)):
            if why is not None and (row.server, why) not in self._said and len(self._said) < _SAID_MAX:
                self._said.add((row.server, why))
                lines += [self._paint("dim", line) for line in wrap(escape_text(why), self._width, _INDENT, _INDENT)]
        return lines

    def closing(self, reports: list[TargetReport]) -> list[str]:
        """The numbers of every address that was probed more than once, and of each target with several."""
        shown = [
            (endpoint(address, report.target.port), summary, report.fast_open.get(address))
            for report in reports
            for address, summary in report.summaries.items()
            if summary.attempts > 1 or self._several or address in report.fast_open
        ]
        blocks = [self._numbers(*each) for each in shown]
        # One line each needs no space between them.
        apart = any(len(block) > 1 for block in blocks)
        lines = [line for block in blocks for line in ([""] if apart else []) + block]
        return lines if apart or not lines else ["", *lines]

    def causes(self, found: Mapping[tuple[str, str], Sequence[LocalCause]]) -> list[str]:
        """What on this host may be behind the connects that went wrong, by target and address."""
        lines: list[str] = []
        for (target, address), causes in found.items():
            place = target if address in target else f"{target} at {address}"
            head = _causes_title(place, causes)
            lines += ["", *(self._paint("head", line) for line in wrap(escape_text(head), self._width))]
            lines += cause_lines(causes, self._width, self._paint)
        return lines or ["", "Nothing to explain: every connect was answered at its first SYN."]

    def _numbers(self, name: str, summary: ProbeSummary, fast_open: ProbeSummary | None) -> list[str]:
        good = summary.satisfied == summary.attempts
        lines = [self._paint("good" if good else "bad", line) for line in wrap(_verdict(name, summary), self._width)]
        # Where it is off here they were ordinary ones.
        if fast_open is not None and fast_open.fast_open is not None and fast_open.fast_open.tried:
            lines += wrap(_verdict("with Fast Open", fast_open), self._width, "  ")
        rows = [_row("connect", summary.connect_us), _row("SYN round trip", summary.rtt_us)]
        rows += [_row("first byte", summary.first_byte_us)]
        if fast_open is not None:
            rows += [
                _row("connect, data in SYN", fast_open.connect_us),
                _row("its first byte", fast_open.first_byte_us),
            ]
        known = [row for row in rows if row is not None]
        if known and (summary.attempts > 1 or fast_open is not None):
            columns = [Column("")] + [Column(title, right=True) for title in ("n", "p50", "p90", "p99", "max")]
            lines += table(columns, known, self._width, self._paint)
            if summary.jitter_us is not None:
                lines.append(self._paint("dim", f"  jitter {duration(summary.jitter_us)} from one connect to the next"))
        if fast_open is not None and fast_open.fast_open is not None:
            for sentence in (fast_open_verdict(fast_open.fast_open), gain(summary, fast_open)):
                lines += wrap(sentence, self._width, "  ") if sentence else []
        return lines


def _causes_title(place: str, causes: Sequence[LocalCause]) -> str:
    verdicts = {cause.verdict for cause in causes}
    if all(cause.kind == "listener" for cause in causes):
        if verdicts & {"cause", "possible"}:
            return f"What this host knows of the time after the handshake, for {place}:"
        return (
            f"Nothing on this host explains what came after the handshake, for {place}: every connect was answered at "
            "its first SYN. What the server did, or did not, is said above."
        )
    if verdicts & {"cause", "possible"}:
        return f"What on this host may be behind it, for {place}, the most likely first:"
    return f"Nothing {'seen ' if 'unknown' in verdicts else ''}on this host explains it, for {place}:"


def _verdict(name: str, summary: ProbeSummary) -> str:
    return f"{name}: {', '.join(ended(summary))}; {syns_lost(summary)}"


def _row(name: str, latency: Latency | None) -> list[Cell | str] | None:
    if latency is None:
        return None
    times = (latency.p50, latency.p90, latency.p99, latency.max)
    return [name, grouped(latency.count), *(duration(time) for time in times)]
