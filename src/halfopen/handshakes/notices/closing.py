"""Who closes first, and is left with TIME_WAIT.

On the server TIME_WAIT costs next to nothing and stands in nobody's way: a new SYN reopens it (RFC 1122 section
4.2.2.13, RFC 6191). On the side that connects it holds a port for 60 s (TCP_TIMEWAIT_LEN, a compile-time constant).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.handshakes.notices.notice import Notice, where
from halfopen.model.quantity import estimated, grouped, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.summary import Endpoint, Summary

TIME_WAIT_S = 60

#: Ports of Linux's default range, 32768 to 60999.
DEFAULT_PORTS = 28232

#: Half of them: from here on connect() has to search the ports of the other parity and becomes slow (about 800 µs).
PORTS_MIN = DEFAULT_PORTS // 2

#: Share of the connections that closed, from which on one side may be called the one that closes first.
MOSTLY = 0.9


def check(summary: Summary) -> Iterator[Notice]:
    """Clients near the end of their ports, then who holds TIME_WAIT."""
    for row in summary.endpoints:
        ports = _ports_in_time_wait(summary, row)
        if ports >= PORTS_MIN:
            yield _say_ports(row, ports)
    held = sum(summary.time_wait.values())
    server = summary.time_wait.get("server", 0)
    if server and server >= MOSTLY * held:
        part = "all" if server == held else f"{grouped(server)} of"
        place = "" if held == 1 else f" in {part} {plural(held, 'closed connection')}"
        text = f"The server closed first and holds TIME_WAIT{place}."
        hint = "Harmless there: it blocks no client, and each costs about 256 bytes for 60 s."
        yield Notice("server-holds-time-wait", "fact", text, hint, weight=server)


def _ports_in_time_wait(summary: Summary, row: Endpoint) -> float:
    """Ports that one client of average activity holds towards this endpoint at the worst, as an estimate."""
    established, clients = summary.outcome("established"), row.clients
    if not established or not clients or row.first_ns is None or row.last_ns is None:
        return 0.0
    by_client = (summary.time_wait.get("client", 0) + summary.time_wait.get("both", 0)) / established
    if by_client < MOSTLY and row.outcomes.get("established", 0) < MOSTLY * established:
        return 0.0  # Who closes is known of the capture as a whole: at this endpoint it may be the server.
    seconds = max((row.last_ns - row.first_ns) / 1e9, 1.0)
    return row.outcomes.get("established", 0) * by_client / clients * min(1.0, TIME_WAIT_S / seconds)


def _say_ports(row: Endpoint, ports: float) -> Notice:
    text = (
        f"Clients of {where(row)} close first and come to hold about {estimated(round(ports))} ports each "
        f"in TIME_WAIT, of {grouped(DEFAULT_PORTS)} in Linux's default range."
    )
    hint = (
        "connect() slows down from half of the range on; keep connections open, or set net.ipv4.tcp_tw_reuse=1 there."
    )
    return Notice("clients-running-out-of-ports", "trouble", text, hint, weight=row.handshakes)
