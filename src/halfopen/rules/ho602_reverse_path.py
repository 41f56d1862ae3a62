"""HO602: reverse path filtering drops packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence
from halfopen.rules.reverse_path import ALL, repair
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space

#: Now and then a forged or stray packet arrives anywhere.
DROPPED_MIN = 5


class ReversePath(Rule):
    """Reverse path filtering drops packets that come in over another interface than answers would go out.

    ## What it finds
    `IPReversePathFilter` that moves.

    ## Why it matters
    On a host with several interfaces, or behind asymmetric routes, strict filtering (1) drops the SYNs, or the
    SYN-ACKs, of real peers. No counter of TCP and no log tells of it: the peer sees silence.

    ## Evidence
    The counter; the mode in force, which is the larger of `conf.all` and the interface's.

    ## Confirm by hand
    `nstat -az TcpExtIPReversePathFilter`, twice; `sysctl -w net.ipv4.conf.all.log_martians=1` names the packets in the
    log.

    ## Remedy
    Repair the route back; or loosen the filter to 2, which drops only sources that have no route at all.

    ## When it is wrong
    Forged packets are what it is for: a few a second on a host that faces the Internet are its work.

    ## References
    RFC 3704; Linux `net/ipv4/fib_frontend.c` `__fib_validate_source`; Documentation/networking/ip-sysctl.rst,
    rp_filter.
    """

    code = "HO602"
    name = "reverse-path-filter-strict"
    severity = "warning"
    harm = "failing"
    proof = "filters"
    needs = ("counters",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            growth = space.growth("IPReversePathFilter")
            if growth is None or not growth.recent or growth.count < DROPPED_MIN:
                continue
            yield self.finding(
                space.key(ALL),
                "Packets were dropped because answers to them would leave by another interface.",
                (
                    space.counted("IPReversePathFilter", "packets dropped", "packets"),
                    space.setting(ALL),
                    *_strict(space),
                ),
                remedy=repair(space),
                confirm=space.command("nstat -az TcpExtIPReversePathFilter"),
                severity=None if growth.measured else "notice",
                harm=None if growth.measured else "risk",
                confidence="likely",
            )


def _strict(space: Space) -> list[Evidence]:
    """The interfaces with strict filtering of their own, a few of them."""
    names = sorted(
        key.split(".")[3]
        for key, value in space.now.sysctls.items()
        if key.startswith("net.ipv4.conf.") and key.endswith(".rp_filter") and value == "1"
    )
    found = [name for name in names if name not in {"all", "default"}][:5]
    return [Evidence("strict on", ", ".join(found), None, "/proc/sys/net/ipv4/conf")] if found else []
