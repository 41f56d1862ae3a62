"""sock_diag: every TCP socket of the namespace, counted by the core; owners from ``/proc/<pid>`` (facts 100-105).

Needs no privilege for the sockets themselves. Who holds them is known for processes that this user may look into.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen._core import tcp_census
from halfopen.collect.framework import Collector, NamespaceContext, reason
from halfopen.errors import HalfopenError
from halfopen.model.sockets import AcceptQueue, Destination, Listener, ListenerOptions, ProcessSockets, Sockets

if TYPE_CHECKING:
    from halfopen._core import CensusDict, DestinationDict, ListenerDict, ListenerOptionsDict, SocketOwners
    from halfopen.collect.process_table import ProcessTable

RANGE, SYN_RETRIES = "ipv4/ip_local_port_range", "ipv4/tcp_syn_retries"
DEFAULT_RANGE = (32768, 60999)
LISTENER_OWNERS = 8
"""Processes named of one listener: a server may have hundreds of workers that hold it."""


def collect(context: NamespaceContext) -> Sockets:
    """Count them."""
    settings = _settings(context)
    processes = context.host.processes
    census = tcp_census(parse_range(settings.get(RANGE, "")), _holders(context))
    if not census["consistent"]:
        context.missing("an exact count of TCP sockets", "they changed while they were read")
    return as_sockets(census, processes, settings.get(SYN_RETRIES, ""))


def _holders(context: NamespaceContext) -> SocketOwners | None:
    try:
        return context.host.processes.holders
    except (OSError, HalfopenError) as error:
        context.missing("owners of sockets", reason(error))
        return None


def _settings(context: NamespaceContext) -> dict[str, str]:
    try:
        return context.settings(RANGE, SYN_RETRIES)
    except OSError as error:  # a masked /proc; the sockets are the kernel's to tell
        context.missing(
            "the range of local ports", f"{reason(error)}; {DEFAULT_RANGE[0]} to {DEFAULT_RANGE[1]} is assumed"
        )
        return {}


def parse_range(text: str) -> tuple[int, int]:
    """``32768	60999``; the kernel's default for text of another form."""
    words = text.split()
    return (int(words[0]), int(words[1])) if len(words) == 2 and "".join(words).isdecimal() else DEFAULT_RANGE


def as_sockets(census: CensusDict, processes: ProcessTable, syn_retries: str) -> Sockets:
    """The core's numbers as the record, with process numbers turned into owners.

    ``syn_retries`` is the namespace's ``tcp_syn_retries``.
    """
    return Sockets(
        states=census["states"],
        listeners=tuple(_listener(listener, processes, syn_retries) for listener in census["listeners"]),
        destinations=tuple(_destination(destination, processes) for destination in census["destinations"]),
        destinations_left_out=census["destinations_left_out"],
        processes=tuple(
            ProcessSockets(processes.owner(one["pid"]), one["states"], one["close_wait_oldest_ms"])
            for one in census["processes"]
        ),
        orphans=census["orphans"],
        stale_syn_recv=census["stale_syn_recv"],
    )


def _listener(listener: ListenerDict, processes: ProcessTable, syn_retries: str) -> Listener:
    queued = listener["queued"]
    return Listener(
        address=listener["address"],
        port=listener["port"],
        accept_queue=listener["accept_queue"],
        accept_queue_limit=listener["accept_queue_limit"],
        family=listener["family"],
        only_v6=listener["only_v6"],
        inode=listener["inode"],
        cookie=listener["cookie"],
        uid=listener["uid"],
        interface=listener["interface"],
        drops=listener["drops"],
        syn_queue=listener["syn_queue"],
        syn_queue_retransmitted=listener["syn_queue_retransmitted"],
        queued=None if queued is None else AcceptQueue(**queued),
        group=listener["group"],
        owners=tuple(processes.owner(pid) for pid in sorted(set(listener["pids"]))[:LISTENER_OWNERS]),
        options=_options(processes.options(listener["inode"]), syn_retries),
    )


def _options(options: ListenerOptionsDict | None, syn_retries: str) -> ListenerOptions | None:
    if options is None:
        return None
    own = options["syn_retries"]
    return ListenerOptions(
        defer_accept_s=options["defer_accept_s"],
        fast_open=options["fast_open"],
        syn_retries=0 if str(own) == syn_retries else own,
        reuse_port=options["reuse_port"],
    )


def _destination(destination: DestinationDict, processes: ProcessTable) -> Destination:
    return Destination(
        source=destination["source"],
        destination=destination["destination"],
        port=destination["port"],
        states=destination["states"],
        in_range=destination["in_range"],
        low_parity=destination["low_parity"],
        time_wait_ages=destination["time_wait_ages"],
        retransmitting=destination["retransmitting"],
        oldest_syn_ms=destination["oldest_syn_ms"],
        bound=destination["bound"],
        owners=tuple(processes.owner(pid) for pid, _sockets in destination["pids"]),
    )


COLLECTOR = Collector("sockets", "sockets", "TCP sockets", collect)
