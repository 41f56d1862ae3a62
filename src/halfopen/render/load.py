"""What ``halfopen load`` prints: the screen, and the object ``halfopen.load/1``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from halfopen.model.load import SCHEMA, Latencies, LoadReport
from halfopen.model.quantity import duration, endpoint, grouped, plural, share
from halfopen.render.counters import moved_counters
from halfopen.render.escape import escape_text
from halfopen.render.histogram import histogram
from halfopen.render.layout import Cell, Column, Paint, clamp, table, wrap
from halfopen.render.load_lines import facts, failure_rows, headline, limit_words, pool_words

if TYPE_CHECKING:
    from halfopen.model.load import Plan

_PERCENTILES = ("p50", "p90", "p99", "p999", "max")


def render_load(report: LoadReport, *, width: int = 100, color: bool = False) -> str:
    """The screen as text that ends in a line end; read from the top: rate, verdict on the client, outcomes, times."""
    paint, width = Paint(color), clamp(width)
    blocks = [
        _head(report, width, paint),
        _facts(report, width, paint),
        _failures(report, width, paint),
        _latency(report, width, paint),
        _distribution("Handshake", report.connect, width, paint),
        _distribution("First byte", report.first_byte, width, paint, "after the handshake"),
        [line for words in pool_words(report) for line in wrap(words, width)],
        moved_counters(report.kernel_deltas, width, paint),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _head(report: LoadReport, width: int, paint: Paint) -> list[str]:
    text, role = headline(report)
    lines = [paint(role, line) for line in wrap(escape_text(text), width)]
    for words in limit_words(report):
        lines += [paint("warn", line) for line in wrap(words, width)]
    return lines


def _facts(report: LoadReport, width: int, paint: Paint) -> list[str]:
    lines: list[str] = []
    rows = facts(report)
    indent = max(len(label) for label, _ in rows) + 2
    for label, words in rows:
        head = label.ljust(indent)
        folded = wrap(words, width, head, " " * indent)
        lines += [paint("dim", head) + folded[0][indent:], *folded[1:]]
    return lines


def _failures(report: LoadReport, width: int, paint: Paint) -> list[str]:
    rows = [
        (name, grouped(count), share(count, report.attempted), errno, meaning)
        for name, count, errno, meaning in failure_rows(report)
    ]
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [paint("head", "Failed")]
    for name, count, part, errno, meaning in rows:
        head = f"  {name.ljust(widths[0])}  {count.rjust(widths[1])}  {part.rjust(widths[2])}  "
        head += f"{errno.ljust(widths[3])}  " if widths[3] else ""
        folded = wrap(meaning, width, head, " " * (len(head) if len(head) <= width // 2 else 6))
        lines += [folded[0].replace(name, paint("bad", name), 1), *folded[1:]]
    return lines


def _latency(report: LoadReport, width: int, paint: Paint) -> list[str]:
    since = "" if report.plan.rate is None else "from when it was due"
    most = report.plan.connections
    shown = (
        ("handshake", report.connect, since),
        ("first byte", report.first_byte, "after the handshake"),
        ("connect and answer", report.response, since),
        ("answer on an open connection", report.reused_response, ""),
        ("kernel's SYN round trip", report.kernel_rtt, "of every 64th connection"),
        ("begun late by", report.own_lag, "this side's own delay"),
        ("and in all by", report.lag if _waited(report) else Latencies(), f"the wait for one of {grouped(most)} too"),
    )
    rows: list[list[Cell | str]] = [
        [name, *(duration(getattr(times, each)) for each in _PERCENTILES), Cell(what, "dim")]
        for name, times, what in shown
        if times.count
    ]
    if not rows:
        return []
    titles = ("p50", "p90", "p99", "p99.9", "max")
    numbers = [Column(title, right=True, keep=2 if title == "p99.9" else 0) for title in titles]
    columns = [Column("Latency", shrink=14), *numbers, Column("", keep=1)]
    return table(columns, rows, width, paint, indent="")


def _waited(report: LoadReport) -> bool:
    """Whether connections of an open loop waited for a place among those that may be open."""
    return report.lag != report.own_lag


def _distribution(title: str, times: Latencies, width: int, paint: Paint, what: str = "") -> list[str]:
    lines = histogram(times.buckets, width, paint)
    return [paint("head", title) + paint("dim", f"  {what}" if what else ""), *lines] if lines else []


def load_object(report: LoadReport) -> dict[str, Any]:
    """The object that ``--format json`` prints."""
    plan, limit, time_wait = report.plan, report.client_limit, report.time_wait
    return {
        "schema": SCHEMA,
        "target": plan.target,
        "address": plan.address,
        "port": plan.port,
        "plan": _plan_object(plan),
        "interrupted": report.interrupted,
        "attempted": report.attempted,
        "established": report.established,
        "completed": report.completed,
        "closed_by_server": report.closed_by_server,
        "reset_by_server": report.reset_by_server,
        "abandoned": report.abandoned,
        "unstarted": report.unstarted,
        "outcomes": report.outcomes,
        "failures": [asdict(failure) for failure in report.failures],
        "http_statuses": {str(status): count for status, count in report.statuses.items()},
        "requests": report.requests,
        "elapsed_s": report.elapsed_s,
        "connections_per_s": report.connections_per_s,
        "connect_us": _latency_object(report.connect),
        "first_byte_us": _latency_object(report.first_byte),
        "response_us": _latency_object(report.response),
        "reused_response_us": _latency_object(report.reused_response),
        "kernel_rtt_us": _latency_object(report.kernel_rtt),
        "lag_us": _latency_object(report.lag),
        "own_lag_us": _latency_object(report.own_lag),
        "syn_retransmitted_connections": report.retransmitted,
        "syn_retransmissions": report.retransmissions,
        "received_bytes": report.received_bytes,
        "busiest_thread": report.busiest_thread,
        "processor_wait_s": report.processor_wait_s,
        "client_limit": None if limit is None else limit.kind,
        "client_limit_why": None if limit is None else limit.why,
        "time_wait": None if time_wait is None else asdict(time_wait),
        "kernel_deltas": report.kernel_deltas,
    }


def _plan_object(plan: Plan) -> dict[str, Any]:
    return {name: value for name, value in asdict(plan).items() if name not in {"target", "address", "port"}}


def _latency_object(times: Latencies) -> dict[str, Any]:
    """The percentiles and the whole distribution; ``halfopen.load/1`` promises p50, p90, p99 and max."""
    buckets = [{"up_to": upper, "count": count} for upper, count in times.buckets]
    return {**asdict(times), "buckets": buckets}


def plan_words(plan: Plan) -> str:
    """«127.0.0.1:80 (localhost:80)»."""
    address = endpoint(plan.address, plan.port)
    return address if address == plan.target else f"{address} ({plan.target})"


def counted(count: int) -> str:
    """«12 connections»."""
    return plural(count, "connection")
