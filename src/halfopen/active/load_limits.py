"""Why it was the client that could not do more: the numbers of this host behind a verdict of the engine.

Source: ``net.ipv4.ip_local_port_range`` of the caller's namespace, ``RLIMIT_NOFILE``, and the processors that it may
use.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path

from halfopen.model.load import ClientLimit, LimitKind, Plan
from halfopen.model.quantity import grouped, plural


def client_limit(kind: LimitKind | None, plan: Plan, busiest_thread: float, unavailable: int) -> ClientLimit | None:
    """The verdict with its numbers.

    Args:
        kind: the engine's verdict; None where the client could have done more.
        plan: what was asked for.
        busiest_thread: the part of its time that the busiest thread had work.
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
    return _cpu(plan, busiest_thread)


def _ports(plan: Plan, unavailable: int) -> ClientLimit:
    sources = max(1, len(plan.sources))
    where = "from one source address" if sources == 1 else f"from each of {sources} source addresses"
    size = _port_range_size()
    range_ = "every local port" if size is None else f"all {plural(size, 'local port')} (ip_local_port_range)"
    why = (
        f"{plural(unavailable, 'connect')} found {range_} to this destination {where} in use or in TIME_WAIT "
        "(EADDRNOTAVAIL)"
    )
    remedies = ["more --source addresses"]
    if plan.close == "fin":
        remedies.append("--close rst or server-first, which leave no TIME_WAIT here")
    remedies.append("a wider ip_local_port_range")
    return ClientLimit("ports", why, ", or ".join(remedies))


def _descriptors(plan: Plan) -> ClientLimit:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    many = plural(plan.connections, "connection")
    why = f"{many} at a time need as many descriptors, and the limit is {grouped(hard)} (EMFILE)"
    return ClientLimit("descriptors", why, "a higher hard limit (ulimit -Hn), or fewer connections (-c)")


def _cpu(plan: Plan, busiest_thread: float) -> ClientLimit:
    cores = len(os.sched_getaffinity(0))
    busy = f"{100 * busiest_thread:.0f} %"
    what = "its thread" if plan.threads == 1 else f"the busiest of {plan.threads} threads"
    why = f"{what} had work {busy} of the time; this machine lends it {plural(cores, 'processor')}"
    more = f"--threads {cores}" if plan.threads < cores else "a second machine"
    return ClientLimit("cpu", why, f"{more}; on the same machine the server competes for the processors")


def _port_range_size() -> int | None:
    try:
        low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return None
    return high - low + 1
