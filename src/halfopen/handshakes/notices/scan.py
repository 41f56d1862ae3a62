"""Port scans: one server address tried on many ports, few of which answer with a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.handshakes.notices.notice import Notice, one_a_row, over
from halfopen.model.quantity import estimated, grouped, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halfopen.model.summary import Host, Summary

#: Ports of one address from which on trying them is called a scan: a host with so many services of its own would
#: complete most of the connections.
PORTS_MIN = 20

#: Share of attempts that complete, above which many ports are services (passive FTP, RPC, a test), not a scan.
COMPLETED_MAX = 0.2

#: Attempts a port: a scanner tries a port once or twice.
ATTEMPTS_A_PORT_MAX = 3


def check(summary: Summary) -> Iterator[Notice]:
    """One notice for each scanned address."""
    yield from one_a_row(scanned(summary), lambda host: host.handshakes, _say, _sum_up)


def scanned(summary: Summary) -> list[Host]:
    """The addresses that were scanned."""
    return [host for host in summary.hosts if _is_scan(host)]


def _is_scan(host: Host) -> bool:
    return (
        host.ports is not None
        and host.ports >= PORTS_MIN
        and host.handshakes <= ATTEMPTS_A_PORT_MAX * host.ports
        and host.outcomes.get("established", 0) <= COMPLETED_MAX * host.handshakes
    )


def _say(host: Host) -> Notice:
    sources = "" if host.clients is None else f" by {_clients(host)}"
    ended = ", ".join(
        f"{grouped(host.outcomes[name])} {words}"
        for name, words in (
            ("refused", "refused"),
            ("unanswered", "unanswered"),
            ("unreachable", "unreachable"),
            ("reset_by_client", "reset by the client after a SYN-ACK"),
            ("half_open", "half-open"),
            ("established", "established"),
        )
        if host.outcomes.get(name)
    )
    tried = f"{plural(host.ports or 0, 'port')} of {host.server} tried{sources}{over(host.first_ns, host.last_ns)}"
    return Notice("port-scan", "trouble", f"Looks like a port scan: {tried}: {ended}.", weight=host.handshakes)


def _clients(host: Host) -> str:
    if host.clients == 1:
        return "one client"
    return f"{(grouped if host.clients_exact else estimated)(host.clients)} clients"


def _sum_up(hosts: Sequence[Host], *, more: bool) -> Notice:
    total = sum(host.handshakes for host in hosts)
    many = f"{grouped(len(hosts))} {'more ' if more else ''}{'address' if len(hosts) == 1 else 'addresses'}"
    text = f"Looks like port scans of {many}: {plural(total, 'connect')}, most to {hosts[0].server}."
    return Notice("port-scan", "trouble", text, weight=total)
