"""The sentences of the ``halfopen load`` screen: plain text, laid out and coloured by ``render.load``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import duration, endpoint, grouped, listed, plural, share, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.load import Failures, LoadReport, Plan

_CONNECT_FAILURES = {
    "refused": "RST, or an ICMP port unreachable, in answer to the SYN",
    "unreachable": "an ICMP error, or no route",
    "timeout": "no answer to the SYN in time",
    "not_sent": "the kernel sent no SYN",
    "failed": "the connect failed",
}
_ERRNO_MEANINGS = {
    "EADDRNOTAVAIL": "no local port was left for this destination",
    "EPERM": "a local packet filter forbade the SYN",
    "EACCES": "a route, a routing rule or a security policy of this host forbids it",
    "ECONNRESET": "the server reset the open connection",
    "EPIPE": "the server had closed",
}
_EXCHANGE_FAILURES = {
    "timeout": "connected, and no whole answer in time",
    "silent": "connected, and no byte in time: the server's kernel has the connection, its program does not answer",
    "unclosed": "connected, and the server did not close in time, which --close server-first waits for",
    "closed_early": "the server closed before its answer was complete",
    "bad_response": "the answer was not HTTP/1.x",
    "failed": "the open connection failed",
}


def headline(report: LoadReport) -> tuple[str, str]:
    """What came of it, and its colour."""
    where = endpoint(report.plan.address, report.plan.port)
    if not report.attempted:
        return f"{where}: no connection was begun", "bad"
    if not report.established:
        return f"{where}: none of {plural(report.attempted, 'connect')} succeeded", "bad"
    done = f"{plural(report.established, 'connection')} in {duration(report.elapsed_s * 1e6)}"
    text = f"{where}: {done}, {grouped(round(report.connections_per_s))} a second"
    if report.interrupted:
        text += f", interrupted with {grouped(report.abandoned)} under way"
    failed = _failed(report)
    return f"{text}{failed}", "bad" if failed else "good"


def _failed(report: LoadReport) -> str:
    """How many failed beside the connections, and how many of these."""
    counts = {
        phase: sum(each.count for each in report.failures if each.phase == phase) for phase in ("connect", "exchange")
    }
    words = f"; {plural(counts['connect'], 'more connect')} failed" if counts["connect"] else ""
    return words + (
        f"; {grouped(counts['exchange'])} of the {grouped(report.established)} failed later"
        if counts["exchange"]
        else ""
    )


def limit_words(report: LoadReport) -> Iterator[str]:
    """The client's own limit, if it met one."""
    limit = report.client_limit
    if limit is not None:
        yield f"The client is the limit ({limit.kind}), not the server: {limit.why}. More: {limit.remedy}."
    elif report.unstarted and (not report.interrupted or report.abandoned >= report.plan.connections):
        yield (
            f"{plural(report.unstarted, 'connection')} {'was' if report.unstarted == 1 else 'were'} due and never "
            "begun: the server held all "
            f"{grouped(report.plan.connections)} that may be open at a time (-c)."
        )


def facts(report: LoadReport) -> list[tuple[str, str]]:
    """(label, words): what was done, and what it left behind."""
    rows = [("Load", _pace(report.plan)), ("Each", f"{_exchange(report.plan)}; {_closed(report)}")]
    if report.plan.sources:
        rows.append(("From", _sources(report.plan.sources)))
    if report.requests:
        rows.append(("Answers", _answers(report)))
    if report.attempted:
        rows.append(("SYNs", _retransmissions(report)))
    if report.time_wait is not None:
        rows.append(("TIME_WAIT", _time_wait(report)))
    return rows


def _sources(sources: tuple[str, ...]) -> str:
    if len(sources) == 1:
        return sources[0]
    return f"{plural(len(sources), 'source address', 'source addresses')} in turn: {listed(list(sources))}"


def _pace(plan: Plan) -> str:
    if plan.rate is not None:
        rate = f"open loop: {grouped(plan.rate)} a second for {duration((plan.duration_s or 0) * 1e6)}"
        return f"{rate}, {grouped(plan.connections)} at a time at most, on {plural(plan.threads, 'thread')}"
    ends = [] if plan.total is None else [plural(plan.total, "connection")]
    ends += [] if plan.duration_s is None else [f"for {duration(plan.duration_s * 1e6)}"]
    what = " or ".join(ends)
    return f"closed loop: {what}, {grouped(plan.connections)} at a time, on {plural(plan.threads, 'thread')}"


def _exchange(plan: Plan) -> str:
    if plan.exchange == "http":
        return "connect and one HTTP request" if plan.reuse == 1 else f"connect and {plan.reuse} HTTP requests"
    return "connect, send, and wait for the answer" if plan.exchange == "send" else "connect only"


def _closed(report: LoadReport) -> str:
    """Who ended the connections, and keeps TIME_WAIT: whoever closed first, whatever was asked for."""
    if 0 < report.completed == report.reset_by_server:
        return "closed by the server's RST: nobody keeps TIME_WAIT"
    if report.plan.close == "rst":
        return "closed by this side's RST: nobody keeps TIME_WAIT"
    if _unclosed(report):
        return (
            f"the server was to close first and did so with {grouped(report.completed)} of "
            f"{grouped(report.established)}: this side closed the others, and keeps their TIME_WAIT"
        )
    if report.plan.close == "server-first" or 0 < report.completed == report.closed_by_server:
        reset = f", but of {grouped(report.reset_by_server)} that it reset" if report.reset_by_server else ""
        return f"closed by the server's FIN first: the server keeps TIME_WAIT{reset}"
    words = "closed by this side's FIN first: this side keeps TIME_WAIT"
    if report.closed_by_server:
        words += f", but of {grouped(report.closed_by_server)} that the server closed first"
    return words


def _unclosed(report: LoadReport) -> bool:
    """Whether a server that was to close first did not."""
    waited = any(each.phase == "exchange" and each.name == "timeout" for each in report.failures)
    return report.plan.close == "server-first" and waited


def _answers(report: LoadReport) -> str:
    rate = grouped(round(report.requests / report.elapsed_s)) if report.elapsed_s else "—"
    text = f"{grouped(report.requests)}, {rate} a second, {size(report.received_bytes)}"
    if report.statuses:
        text += "; HTTP " + listed([f"{status}: {grouped(count)}" for status, count in sorted(report.statuses.items())])
    return text


def _retransmissions(report: LoadReport) -> str:
    if not report.retransmissions:
        return "none was sent again"
    many = plural(report.retransmitted, "connection")
    times = plural(report.retransmissions, "time")
    return f"{many} ({share(report.retransmitted, report.attempted)}) sent theirs again, {times} in all"


def _time_wait(report: LoadReport) -> str:
    assert report.time_wait is not None
    state = report.time_wait
    made = "" if state.created is None else f"{grouped(state.created)} created, "
    words = f"{made}{grouped(state.left)} left in this namespace ({grouped(state.before)} before)"
    own = report.plan.close == "fin" and report.closed_by_server < report.completed
    if state.created and (own or _unclosed(report)):
        # What the server sends to a connection that is closed already ends TIME_WAIT by an RST.
        words += "; each holds a local port to this destination for 60 s" if state.left else "; the server ended them"
    return words


def failure_rows(report: LoadReport) -> list[tuple[str, int, str, str]]:
    """(what, count, errno, meaning), most first."""
    rows = []
    for each in sorted(report.failures, key=lambda failure: -failure.count):
        name = each.name.replace("_", " ")
        what = name if each.phase == "connect" else f"answer: {name}"
        rows.append((what, each.count, each.errno or "", _meaning(report, each)))
    return rows


def _meaning(report: LoadReport, failure: Failures) -> str:
    if failure.phase == "connect":
        if (failure.name, failure.errno) == ("unreachable", "EACCES"):
            return "an ICMPv6 error: prohibited on the way, or by a filter that answers so"
        return _ERRNO_MEANINGS.get(failure.errno or "", _CONNECT_FAILURES.get(failure.name, ""))
    if failure.name == "timeout":
        return _EXCHANGE_FAILURES[_overdue(report)]
    return _ERRNO_MEANINGS.get(failure.errno or "", _EXCHANGE_FAILURES.get(failure.name, ""))


def _overdue(report: LoadReport) -> str:
    """What did not come in time to a connection that was open."""
    if report.plan.close == "server-first" and (report.plan.exchange == "connect" or report.response.count):
        return "unclosed"
    return "timeout" if report.first_byte.count else "silent"


def pool_words(report: LoadReport) -> Iterator[str]:
    """What keeping connections open saves, where that was measured."""
    new, old = report.response.p50, report.reused_response.p50
    if new is None or old is None:
        return
    yield (
        f"Keep-alive: a request on a new connection took {duration(new)} at the median, on an open one {duration(old)}."
    )
    if new > old:
        yield (
            f"A connection pool would save {duration(new - old)} of it ({share(round(new - old), round(new))}), "
            "and one handshake, for each request but the first."
        )
    else:
        yield "A connection pool would save no time here: the handshake costs less than the answer varies."
