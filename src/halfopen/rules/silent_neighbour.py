"""A neighbour that does not answer ARP or ND, behind the ICMP error that this host sends itself then."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.rules.routing import route_to

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halfopen.model.probe import ProbeResult
    from halfopen.rules.policy_routing import Flow
    from halfopen.rules.space import Space


def silent_neighbour(space: Space, result: ProbeResult, flow: Flow, causes: Iterable[LocalCause]) -> LocalCause | None:
    """Who does not answer, as far as the route tells; None where the connect did not end so.

    Args:
        space: where the connect was made.
        result: the connect.
        flow: what it sent.
        causes: the others: whether it can have been a rule.
    """
    row = result.handshake
    if not row.neighbour_is_silent:
        return None
    lookup = route_to(space.now, flow)
    known = lookup.route if lookup.is_sure else None
    whom = row.server if known is None else known.gateway or row.server
    gateway = f", the gateway to {row.server}" if whom != row.server else ""
    who = f"for {whom}{gateway}" if known is not None else f"for {whom}, or for the gateway to it"
    acquitted = any(cause.kind == "filter" and cause.verdict == "exonerated" for cause in causes)
    rule = "" if acquitted else ", or a rule of the packet filter here rejects it"
    protocol = "ND" if ":" in row.server else "ARP"
    sentence = f"Nobody on the link answers {protocol} {who}: the SYN never left{rule}."
    return LocalCause("route", "possible", sentence, confirm=space.command(f"ip neigh show {shlex.quote(whom)}"))
