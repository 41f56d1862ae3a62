"""The blocks of the ``halfopen trace`` screen, one function each: lines in, nothing where there is nothing to say."""

from __future__ import annotations

import re

from halfopen.handshakes.notices.capture import damage_words
from halfopen.handshakes.notices.scan import scanned
from halfopen.handshakes.vantage import infer
from halfopen.model.handshake import OUTCOMES
from halfopen.model.quantity import UNKNOWN, duration, endpoint, estimated, grouped, plural, share, size, span
from halfopen.model.summary import Endpoint, Latency, Summary
from halfopen.render.escape import escape_text
from halfopen.render.handshake_rows import failed_table, slowest_table
from halfopen.render.layout import Cell, Column, Paint, bar, table, wrap
from halfopen.render.words import OUTCOME_MEANING, OUTCOME_WORDS, outcome_role

_LABEL = 10
_BAR = 20
_FILES_SHOWN = 3

#: Whose work the two legs of a handshake are, by the place of capture.
_LEGS = {
    "client": ("network and server", "the client itself"),
    "server": ("the server itself", "network and client"),
    "middle": ("from here to the server", "from here to the client"),
}


def read(summary: Summary, width: int, paint: Paint) -> list[str]:
    """What was read: files, packets, time, damage, and where it was captured."""
    lines: list[str] = []
    for source in summary.inputs[:_FILES_SHOWN]:
        name = "standard input" if source.path == "-" else escape_text(source.path)
        lines += _labelled(
            "Read" if not lines else "", f"{name}: {_volume(source.packets, source.bytes)}", width, paint
        )
    if len(summary.inputs) > _FILES_SHOWN:
        more = plural(len(summary.inputs) - _FILES_SHOWN, "more file")
        lines += _labelled("", f"and {more}: {grouped(summary.packets)} packets together", width, paint)
    lines += _labelled("TCP", _tcp(summary), width, paint)
    if summary.start_ns is not None:
        lines += _labelled("Time", span(summary.start_ns, summary.end_ns), width, paint)
    elif summary.first_ns is not None:
        lines += _labelled("Time", f"attempts began {span(summary.first_ns, summary.last_ns)}", width, paint)
    if summary.filter is not None:
        lines += _labelled("Only", escape_text(summary.filter), width, paint)
    defects = [damage_words(kind, count) for kind, count in sorted(summary.defects.items()) if count]
    for words in defects:
        lines += _labelled("Defects" if words == defects[0] else "", words, width, paint)
    if summary.handshakes:
        lines += _labelled("Captured", infer(summary).reason, width, paint)
    return lines


def outcomes(summary: Summary, width: int, paint: Paint) -> list[str]:
    """Counts and shares, with bars."""
    if not summary.handshakes:
        return []
    names = [*OUTCOMES, *sorted(name for name in summary.outcomes if name not in OUTCOMES)]
    rows: list[list[Cell | str]] = []
    for name in names:
        count = summary.outcome(name)
        if count:
            role = outcome_role(name)
            words = OUTCOME_WORDS.get(name, escape_text(name))
            shown = bar(count, summary.handshakes, _BAR).ljust(_BAR)
            share_text = share(count, summary.handshakes)
            rows.append(
                [Cell(words, role), grouped(count), share_text, Cell(shown, role), OUTCOME_MEANING.get(name, "")]
            )
    columns = [Column(""), Column("", right=True), Column("", right=True), Column("", keep=2), Column("", keep=1)]
    return [_title("Outcomes", _attempts(summary), paint), *table(columns, rows, width, paint)]


def latency(summary: Summary, width: int, paint: Paint) -> list[str]:
    """Where the time goes, p50 to max."""
    times = summary.latency_us
    server_leg, client_leg = _LEGS.get(infer(summary).place or "", ("network and server", "client side"))
    waited = times.retransmit_wait if summary.retransmission.waited else Latency()
    shown = (
        ("SYN → SYN-ACK", times.syn_to_syn_ack, server_leg),
        ("  of it waiting", waited, f"for a SYN sent again, in {plural(summary.retransmission.waited, 'connect')}"),
        ("SYN-ACK → ACK", times.syn_ack_to_ack, client_leg),
        ("whole handshake", times.handshake, ""),
    )
    rows: list[list[Cell | str]] = [
        [name, *_percentiles(times), Cell(what, "dim")] for name, times, what in shown if times.count
    ]
    if not rows:
        return []
    columns = [
        Column("Latency"),
        *(Column(title, right=True) for title in ("p50", "p90", "p99", "max")),
        Column("", keep=1),
    ]
    return table(columns, rows, width, paint, indent="")


def endpoints(summary: Summary, width: int, paint: Paint, top: int) -> list[str]:
    """Server endpoints: those in trouble first, then the busiest."""
    if not summary.endpoints or top < 1:
        return []
    scans = {host.server for host in scanned(summary)}
    ranked = sorted(summary.endpoints, key=lambda row: _rank(row, row.server in scans))
    columns = [
        Column("server", shrink=15),
        Column("connects", right=True),
        Column("completed", right=True),
        Column("p50", right=True, keep=3),
        Column("p99", right=True, keep=4),
        Column("max", right=True, keep=2),
        Column("trouble", words=24),
    ]
    rows = [_endpoint_row(row) for row in ranked[:top]]
    order = "most trouble first" if any(map(_trouble, summary.endpoints)) else "busiest first"
    note = _endpoint_count(summary) if len(rows) == 1 else f"{_endpoint_count(summary)}, {order}"
    lines = [_title("Servers", note, paint)]
    lines += table(columns, rows, width, paint)
    hidden = max(summary.endpoints_total, len(summary.endpoints)) - len(rows)
    if hidden > 0:
        lines.append(paint("dim", f"  {plural(hidden, 'more endpoint')} not shown (--top)"))
    return lines


def failed(summary: Summary, width: int, paint: Paint, top: int) -> list[str]:
    """Single attempts that did not complete."""
    count = summary.handshakes - summary.outcome("established", "partial")
    rows = summary.failed[:top]
    if not rows:
        return []
    note = (
        plural(count, "attempt") if count <= len(rows) else f"{len(rows)} of {plural(count, 'attempt')}, of every kind"
    )
    return [_title("Failed", note, paint), *failed_table(rows, summary.start_ns or summary.first_ns, width, paint)]


def slowest(summary: Summary, width: int, paint: Paint, top: int) -> list[str]:
    """Single handshakes that took longest."""
    rows = summary.slowest[:top]
    if len(rows) < 2:  # the only handshake is in the latency table already
        return []
    return [_title("Slowest", "", paint), *slowest_table(rows, width, paint)]


def footnotes(summary: Summary, width: int, paint: Paint) -> list[str]:
    """How connections closed, who holds TIME_WAIT, anomalies by name."""
    lines: list[str] = []
    closing = [f"first by the {side} {grouped(count)}" for side, count in summary.closed_by.items() if count]
    closing += [f"by {how.upper()} {grouped(count)}" for how, count in summary.close.items() if count]
    if closing:
        lines += _labelled("Closed", ", ".join(closing), width, paint)
    holders = {"client": "clients", "server": "servers", "both": "both sides"}
    held = [
        f"{holders[side]} in {grouped(count)}" for side, count in summary.time_wait.items() if count and side in holders
    ]
    if held:
        lines += _labelled("TIME_WAIT", "left with " + ", ".join(held), width, paint)
    odd = sorted((item for item in summary.anomalies.items() if item[1]), key=lambda item: -item[1])
    if odd:
        text = ", ".join(f"{escape_text(name)} {grouped(count)}" for name, count in odd)
        lines += _labelled("Anomalies", text, width, paint)
    return lines


def ladder_hint(summary: Summary, paint: Paint, number: int | None = None) -> list[str]:
    """The command that draws a handshake packet by packet: ``number``, or the first one listed."""
    listed = [row.number for row in (*summary.failed, *summary.slowest)]
    numbers = [each for each in (number, *listed) if each is not None]
    if not numbers:
        return []
    path = summary.inputs[0].path if len(summary.inputs) == 1 else ""
    name = path if re.fullmatch(r"[\w./+][\w./+:=@-]*", path, re.ASCII) else "FILE"
    return [paint("dim", f"hint: halfopen trace {name} --ladder {numbers[0]}")]


def _title(text: str, note: str, paint: Paint) -> str:
    return paint("head", text) + (paint("dim", f"  {note}") if note else "")


def _labelled(label: str, text: str, width: int, paint: Paint) -> list[str]:
    lines = wrap(text, width, first=" " * _LABEL)
    return [paint("head", label.ljust(_LABEL)) + lines[0][_LABEL:], *lines[1:]]


def _volume(packets: int, count: int) -> str:
    return f"{plural(packets, 'packet')}, {size(count)}" if count else plural(packets, "packet")


def _tcp(summary: Summary) -> str:
    text = plural(summary.tcp_segments, "segment")
    if summary.midstream:
        text += f"; {plural(summary.midstream, 'connection')} had begun before the capture"
    return text


def _attempts(summary: Summary) -> str:
    text = plural(summary.handshakes, "attempt")
    if summary.clients:
        many = grouped(summary.clients) if summary.clients_exact else f"about {estimated(summary.clients)}"
        text += f" by {many} {'client' if summary.clients == 1 else 'clients'}"
    return text


def _endpoint_count(summary: Summary) -> str:
    total = max(summary.endpoints_total, len(summary.endpoints))
    folded = summary.other_endpoints is not None and summary.other_endpoints.folded
    return f"at least {plural(total, 'endpoint')}" if folded else plural(total, "endpoint")


def _percentiles(times: Latency) -> list[str]:
    return [duration(value) for value in (times.p50, times.p90, times.p99, times.max)]


def _trouble(row: Endpoint) -> int:
    return row.failed + row.retransmission.waited


def _rank(row: Endpoint, is_scanned: bool) -> tuple[int, ...]:
    """Most trouble first; of a scan, the few ports that were found open come before the others."""
    if is_scanned:
        opened = sum(row.outcomes.get(name, 0) for name in ("established", "half_open", "reset_by_client"))
        return 0, -opened, -row.handshakes
    return -_trouble(row), -row.handshakes


def _endpoint_row(row: Endpoint) -> list[Cell | str]:
    whole = row.handshakes - row.outcomes.get("partial", 0)
    times = row.latency_us.handshake
    troubles = [
        f"{estimated(count)} {OUTCOME_WORDS.get(name, escape_text(name))}"
        for name, count in sorted(row.outcomes.items(), key=lambda item: -item[1])
        if count and name not in ("established", "partial")
    ]
    if row.retransmission.waited:
        troubles.append(f"{estimated(row.retransmission.waited)} waited")
    return [
        endpoint(row.server, row.server_port),
        grouped(row.handshakes),
        share(row.outcomes.get("established", 0), whole) if whole else UNKNOWN,
        *(duration(value) for value in (times.p50, times.p99, times.max)),
        Cell(", ".join(troubles), "bad" if row.failed else "warn"),
    ]
