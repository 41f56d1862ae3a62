"""Where a SYN can be dropped, and by what: the cases of the experiment ``filters``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.lab.programs import nft
from halfopen.lab.topology import add_addresses
from halfopen.lab.traffic import Attempt, close_all, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from halfopen.lab.topology import Pair


@dataclass(frozen=True, slots=True)
class Drop:
    """Where a SYN gets lost, and what tells."""

    name: str
    error: str | None
    """What the client is told while it waits."""
    arrived: bool
    """Whether the server's IP layer saw the SYN (InReceives)."""
    counter: str | None
    """The server's counters that move, if there are any."""
    seen: str = "1 unanswered"
    """What `halfopen trace` makes of the packets on the client's wire."""
    code: str | None = None
    """What the doctor of the server calls it."""


def _chain(hook: str, verdict: str) -> str:
    rule = f"tcp dport 8000 tcp flags syn {verdict}"
    return f"table inet t {{\n chain c {{\n type filter hook {hook} priority 0\n {rule}\n }}\n}}\n"


def _input(net: Pair) -> None:
    nft(net.server, _chain("input", "counter drop"))


def _reject(net: Pair) -> None:
    nft(net.server, _chain("input", "reject with tcp reset"))


def _prohibit(net: Pair) -> None:
    nft(net.server, _chain("input", "reject with icmpx type admin-prohibited"))


def _limit(net: Pair) -> None:
    """The first SYN takes what there is for a minute."""
    nft(net.server, _chain("input", "limit rate over 1/minute burst 1 packets counter drop"))
    close_all(connect(net.client, net.server_address))


def _count(net: Pair) -> list[Attempt]:
    """One connection that stays open is all that the rule lets be."""
    nft(net.server, _chain("input", "ct state new ct count over 1 counter drop"))
    return connect(net.client, net.server_address)


def _output(net: Pair) -> None:
    nft(net.client, _chain("output", "counter drop"))


def _rp_filter(net: Pair) -> None:
    """The client sends from an address that the server would not answer on this link."""
    net.client.run(add_addresses, net.link.ends[0].interface, [(STRANGER, 32)])
    for place in ("all", net.link.ends[1].interface):
        net.server.set_sysctl(f"net.ipv4.conf.{place}.rp_filter", 1)


def _no_route(net: Pair) -> None:
    net.client.run(add_addresses, net.link.ends[0].interface, [(STRANGER, 32)])


STRANGER = "203.0.113.7"
CASES: tuple[tuple[Drop, Callable[[Pair], object], str | None], ...] = (
    (Drop("the server's INPUT chain drops the SYN", None, arrived=True, counter=None, code="HO605"), _input, None),
    (Drop("a rate limit for all SYNs is used up", None, arrived=True, counter=None), _limit, None),
    (Drop("a limit on connections at a time is reached", None, arrived=True, counter=None), _count, None),
    (
        Drop(
            "the server's INPUT chain rejects it with RST",
            "ECONNREFUSED",
            arrived=True,
            counter=None,
            seen="1 refused",
        ),
        _reject,
        None,
    ),
    (
        Drop(
            "the server's INPUT chain rejects it with ICMP",
            "EHOSTUNREACH",
            arrived=True,
            counter=None,
            seen="1 unreachable",
        ),
        _prohibit,
        None,
    ),
    (Drop("the client's own OUTPUT chain drops it", None, arrived=False, counter=None, seen="none"), _output, None),
    (
        Drop("strict rp_filter, and no route back", None, arrived=True, counter="IPReversePathFilter", code="HO602"),
        _rp_filter,
        STRANGER,
    ),
    (
        Drop("no rp_filter, and no route back", None, arrived=True, counter="ListenDrops, OutNoRoutes"),
        _no_route,
        STRANGER,
    ),
)
