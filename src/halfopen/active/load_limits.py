"""Why it was the client that could not do more: the numbers of this host behind a verdict of the engine.

Source: ``net.ipv4.ip_local_port_range`` of the caller's namespace, ``RLIMIT_NOFILE``, and the processors that it may
use.
"""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path

from halfopen.model.load import ClientLimit, LimitKind, Plan
from halfopen.model.quantity import duration, grouped, plural

#: Busy for so much of its time, a thread has nothing left to give, as the engine judges (``CPU_LIMIT``).
_BUSY = 0.95

#: A thread that waited for a processor for so much of its time had to share one.
_SHARED = 0.05


@dataclass(frozen=True, slots=True)
class Strain:
    """How hard the load was for the threads that made it."""

    busiest_thread: float
    """The part of its time that the busiest thread had work, 0 to 1."""
    late: tuple[int, float] | None
    """So many connections of an open loop began so late, microseconds, or later, though there was room for them; None
    where what they did took far longer."""
    processor_wait_s: float | None
    """How long the thread that had to wait longest for a processor did; None where the kernel does not tell."""
    elapsed_s: float
    """How long the load took."""


def client_limit(kind: LimitKind | None, plan: Plan, strain: Strain, unavailable: int) -> ClientLimit | None:
    """The verdict with its numbers.

    Args:
        kind: the engine's verdict; None where the client could have done more.
        plan: what was asked for.
        strain: how hard it was.
        unavailable: connections that could not be opened for want of what ``kind`` names.
    """
    if kind is None:
        return None
    if kind == "ports":
        return _ports(plan, unavailable)
    if kind == "descriptors":
        return _descriptors(plan)
    if kind == "memory":
        why = "the kernel had no memory for more sockets (ENOMEM, ENOBUFS)"
        return ClientLimit("memory", why, "fewer connections at a time (-c)")
    return _cpu(plan, strain)


def _ports(plan: Plan, unavailable: int) -> ClientLimit:
    sources = max(1, len(plan.sources))
    size = _port_range_size()
    where = "from one source address" if sources == 1 else f"from each of {sources} source addresses"
    range_ = f"{_every_port(size)} (ip_local_port_range)"
    why = (
        f"{plural(unavailable, 'connect')} found {range_} to this destination {where} in use or in TIME_WAIT "
        "(EADDRNOTAVAIL)"
    )
    remedies = ["more --source addresses"]
    if plan.close == "fin":
        remedies.append("--close rst or server-first, which leave no TIME_WAIT here")
    if size is not None and plan.connections > size * sources:
        remedies.append(f"at most {grouped(size * sources)} connections at a time (-c)")
    remedies.append("a wider ip_local_port_range")
    return ClientLimit("ports", why, ", or ".join(remedies))


def _every_port(size: int | None) -> str:
    if size is None:
        return "every local port"
    return "the one local port" if size == 1 else f"all {grouped(size)} local ports"


def _descriptors(plan: Plan) -> ClientLimit:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    many = plural(plan.connections, "connection")
    why = f"{many} at a time need as many descriptors, and the limit is {grouped(hard)} (EMFILE)"
    return ClientLimit("descriptors", why, "a higher hard limit (ulimit -Hn), or fewer connections (-c)")


def _cpu(plan: Plan, strain: Strain) -> ClientLimit:
    cores = len(os.sched_getaffinity(0))
    why = f"{_work(plan, strain)}; this machine lends it {plural(cores, 'processor')}"
    if strain.busiest_thread < _BUSY and strain.late is not None:
        many, late_us = strain.late
        why = (
            f"{plural(many, 'connection')} began {duration(late_us)} or more after they were due, though fewer than "
            f"{grouped(plan.connections)} were open, and their latencies count that; {why}"
        )
    busy = strain.busiest_thread >= _BUSY
    more = f"--threads {cores}" if busy and plan.threads < cores else "a second machine"
    if (strain.processor_wait_s or 0) > _SHARED * strain.elapsed_s:
        more = f"less other work on this machine, or {more}"
    return ClientLimit("cpu", why, f"{more}; on the same machine the server competes for the processors")


def _work(plan: Plan, strain: Strain) -> str:
    what = "its thread" if plan.threads == 1 else f"the busiest of {plan.threads} threads"
    words = f"{what} had work {100 * strain.busiest_thread:.0f} % of the time"
    waited = strain.processor_wait_s
    if waited is None or waited <= _SHARED * strain.elapsed_s:
        return words
    who = "it" if plan.threads == 1 else "one of them"
    return f"{words}, and {who} waited {duration(waited * 1e6)} of {duration(strain.elapsed_s * 1e6)} for a processor"


def _port_range_size() -> int | None:
    try:
        low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return None
    return high - low + 1
