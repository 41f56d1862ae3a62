"""SYNs that nothing answered: silent hosts, silent ports, clients that one server ignores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.handshakes.notices.direction import shows_no_answers
from halfopen.handshakes.notices.notice import AtEndpoints, Notice, connects_to, judged, one_a_row, over, where
from halfopen.handshakes.notices.ordinary import ordinary_endpoints, ordinary_silent_hosts
from halfopen.model.quantity import grouped, listed, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halfopen.model.summary import Endpoint, Host, SilentPair, Summary

#: Without a repeated SYN, this long must pass before silence means anything: the first retransmission timeout of a SYN
#: (RFC 6298 section 2.1; Linux waits it too).
PATIENCE_NS = 1_000_000_000

#: Silent addresses from which on they are told as one sweep, when each was tried by one client a few times only.
SWEEP_HOSTS_MIN = 16
SWEEP_ATTEMPTS_MAX = 3

#: Attempts of one client that one endpoint left unanswered, from which on chance is no good explanation: each attempt
#: in a pair has at least two lost SYNs already.
PAIR_ATTEMPTS_MIN = 2

_FULL_QUEUE = "or a listener's accept queue is full: `nstat -az TcpExtListenOverflows` on the server tells."
NO_ANSWER = f"No RST and no ICMP error came back either: the host is down, a firewall drops silently, {_FULL_QUEUE}"
NO_ANSWER_HERE = f"No RST and no ICMP error came back either: a firewall drops silently, {_FULL_QUEUE}"
ONE_CLIENT = f"A rule or route that concerns this client (a firewall, rp_filter, the way back), {_FULL_QUEUE}"
#: The endpoint has no other client: what it answered, it answered this one.
NO_LONGER = f"It answered this client's other connects: a rule or rate limit stops some of them, {_FULL_QUEUE}"


#: Fewer clients than this fill no table of a sensible size by forged addresses.
FLOOD_CLIENTS_MIN = 1000


def check(summary: Summary) -> Iterator[Notice]:
    """Whole hosts first, then single ports, single clients, and single attempts."""
    if summary.evicted and (summary.clients or 0) < FLOOD_CLIENTS_MIN:
        return  # The table was too small for an honest load: attempts left it before their answers came.
    if shows_no_answers(summary):
        return
    sum_up = AtEndpoints(summary, "unanswered", _unanswered, "got no answer")
    if summary.filter is not None:
        # Of a host whose other attempts were left out nobody can say that it never answers.
        chosen = [row for row in ordinary_endpoints(summary) if _unanswered(row)]
        yield from one_a_row(chosen, _unanswered, _say_some, sum_up)
        return
    alive = {host.server for host in summary.silent_hosts if host.sent_midstream}
    silent = [host for host in ordinary_silent_hosts(summary) if host.server not in alive]
    names = {host.server for host in silent}
    unseen = _unseen(summary)
    rows = [row for row in ordinary_endpoints(summary) if row.server not in names | unseen and _silent(row)]
    # A silent host that the list of silent hosts had no room for is among the unlisted ones there.
    answering = {row.server for row in summary.endpoints if row.answered} | alive
    mute = [row for row in rows if row.answered == 0 and row.server in answering]
    partly = [row for row in rows if row.answered > 0]
    yield from _hosts(summary, [host for host in silent if _had_time(summary, host)])
    yield from one_a_row([row for row in mute if _had_time(summary, row)], _silent, _say_port, sum_up)
    only_client = {(row.server, row.server_port) for row in partly if row.clients == 1}
    yield from one_a_row(
        _pairs(summary, partly),
        lambda pair: pair.unanswered,
        lambda pair: _say_pair(pair, alone=(pair.server, pair.server_port) in only_client),
        _sum_up_pairs,
    )
    yield from one_a_row(partly, _unanswered, _say_some, sum_up)
    silent = [host for host in silent if host.server not in unseen]
    yield from _too_short(
        {host.server: host.handshakes for host in silent if not _had_time(summary, host)}
        | {where(row): row.handshakes for row in mute if not _had_time(summary, row)}
    )


def _hosts(summary: Summary, silent: list[Host]) -> Iterator[Notice]:
    unlisted = summary.silent_hosts_total - len(summary.silent_hosts)
    if _is_sweep(silent):
        yield _say_sweep(silent, unlisted)
        return

    def sum_up(hosts: Sequence[Host], *, more: bool) -> Notice:
        total, count = sum(host.handshakes for host in hosts), len(hosts) + unlisted
        many = f"{grouped(count)} {'more ' if more else ''}"
        many += "address never answers" if count == 1 else "addresses never answer"
        connects = f"{'at least ' if unlisted else ''}{plural(total, 'connect')}"
        names = "" if more else f" to {listed([host.server for host in hosts] + ['…'] * unlisted)}"
        return Notice("never-answers", "trouble", f"{many}: {connects}{names}.", NO_ANSWER, weight=total)

    yield from one_a_row(silent, lambda host: host.handshakes, lambda host: _say_host(summary, host), sum_up)


def _say_host(summary: Summary, host: Host) -> Notice:
    what = f"{_tries(host.handshakes, host.syn_sent)} to {_ports(summary, host)}{_from(host.clients)}"
    text = f"{host.server} never answers: {what}{over(host.first_ns, host.last_ns)}."
    return Notice("never-answers", "trouble", text, NO_ANSWER, weight=host.handshakes)


def _say_port(row: Endpoint) -> Notice:
    what = f"{_tries(row.handshakes, row.syn_sent)}{_from(row.clients)}"
    text = f"{where(row)} never answers: {what}{over(row.first_ns, row.last_ns)}; other ports of the host do."
    return Notice("never-answers", "trouble", text, NO_ANSWER_HERE, weight=row.handshakes)


def _too_short(waiting: dict[str, int]) -> Iterator[Notice]:
    """Silence that says nothing: the capture ended before a SYN would have been repeated."""
    if not waiting:
        return
    names, total = listed(list(waiting)), sum(waiting.values())
    text = f"{names} had not answered when the capture ended: {plural(total, 'connect')}, no SYN was repeated yet."
    yield Notice("capture-too-short", "caveat", text, weight=total)


def _say_pair(pair: SilentPair, *, alone: bool) -> Notice:
    target = f"{pair.client} gets no answer from {_target(pair)}"
    what = f"{_tries(pair.unanswered, pair.syn_sent)}{over(pair.first_ns, pair.last_ns)}"
    text = f"{target}, which answers other connects: {what}."
    return Notice("client-ignored", "trouble", text, NO_LONGER if alone else ONE_CLIENT, weight=pair.unanswered)


def _target(pair: SilentPair) -> str:
    host = f"[{pair.server}]" if ":" in pair.server else pair.server
    return f"{host}:{pair.server_port}"


def _sum_up_pairs(pairs: Sequence[SilentPair], *, more: bool) -> Notice:
    total = sum(pair.unanswered for pair in pairs)
    many = plural(len(pairs), "more pair" if more else "pair")
    text = (
        f"{many} of client and endpoint never connect, though the endpoint answers others: {plural(total, 'connect')}."
    )
    return Notice("client-ignored", "trouble", text, weight=total)


def _say_some(row: Endpoint) -> Notice:
    count = _unanswered(row)
    text = f"{connects_to(count, judged(row), row)} got no answer."
    return Notice("unanswered", "trouble", text, weight=count)


def _say_sweep(silent: list[Host], unlisted: int) -> Notice:
    ports = {host.server_port for host in silent}
    on = f" on port {ports.pop()}" if len(ports) == 1 and None not in ports else ""
    names = listed([host.server for host in silent] + ["…"] * unlisted)
    total = sum(host.handshakes for host in silent)
    many = grouped(len(silent) + unlisted)
    text = f"Looks like a network scan: {many} addresses that never answer were tried{on}: {names}."
    return Notice("network-scan", "trouble", text, "Or a client with a list of peers that are gone.", weight=total)


def _is_sweep(silent: list[Host]) -> bool:
    if len(silent) < SWEEP_HOSTS_MIN:
        return False
    brief = [host for host in silent if host.clients == 1 and host.handshakes <= SWEEP_ATTEMPTS_MAX]
    return len(brief) * 5 >= len(silent) * 4


def _pairs(summary: Summary, rows: list[Endpoint]) -> list[SilentPair]:
    known = {(row.server, row.server_port) for row in rows}
    return [
        pair
        for pair in summary.silent_pairs
        if pair.unanswered >= PAIR_ATTEMPTS_MIN
        and not pair.answered_before
        and pair.answered_later == 0
        and (pair.server, pair.server_port) in known
    ]


def _had_time(summary: Summary, row: Host | Endpoint) -> bool:
    if row.syn_sent > row.handshakes:
        return True
    end = summary.end_ns if summary.end_ns is not None else row.last_ns
    return row.first_ns is not None and end is not None and end - row.first_ns >= PATIENCE_NS


def _unseen(summary: Summary) -> set[str]:
    """Servers whose packets were not captured: their clients acknowledge SYN-ACKs that are not there."""
    return {row.server for row in summary.endpoints if row.outcomes.get("established") and not row.syn_ack_sent}


def _silent(row: Endpoint) -> int:
    return row.outcomes.get("unanswered", 0)


def _unanswered(row: Endpoint) -> int:
    """Attempts that had the time to be answered."""
    return _silent(row) - row.undecided.get("unanswered", 0)


def _tries(attempts: int, syns: int) -> str:
    return plural(attempts, "connect") if syns <= attempts else f"{plural(attempts, 'connect')} ({plural(syns, 'SYN')})"


def _from(clients: int | None) -> str:
    return f" from {plural(clients, 'client')}" if clients is not None and clients > 1 else ""


def _ports(summary: Summary, host: Host) -> str:
    if host.server_port is not None:
        return f"port {host.server_port}"
    known = [str(row.server_port) for row in summary.endpoints if row.server == host.server]
    if host.ports is not None and len(known) < host.ports:
        return plural(host.ports, "port")
    return f"ports {listed(known)}"
