"""Where a SYN can be dropped, and by what: the cases of the experiment ``filters``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.lab.programs import nft, run_program
from halfopen.lab.topology import add_addresses

if TYPE_CHECKING:
    from collections.abc import Callable

    from halfopen.lab.namespace import Namespace
    from halfopen.lab.topology import Pair

#: So many clients come one after the other, and so many at once.
CLIENTS = 4
#: What a limit lets in: so many of either.
ALLOWED = 2
STRANGER = "203.0.113.7"


@dataclass(frozen=True, slots=True)
class Drop:
    """Where a SYN gets lost, and what tells."""

    name: str
    told: str = "no answer"
    """What the client is told while it waits."""
    seen: str = "1 unanswered"
    """What `halfopen trace` makes of the packets on the client's wire."""
    arrived: bool = True
    """Whether the server's IP layer saw the SYN (InReceives)."""
    one_by_one: int = 0
    """How many of ``CLIENTS`` get in that come one after the other, each gone before the next."""
    at_once: int = 0
    """How many of as many that come together and stay."""
    counters: str = "none"
    """Those of ``TELLING`` that move on the server."""
    rule: str | None = None
    """What is in the rule that counts the drops."""
    on_client: bool = False
    """Whether that rule is the client's."""
    found: str = "none"
    """What the doctor of the server makes of it, of ``CODES``."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of nft that counts."""

    expression: str
    """Without its counter."""
    packets: int


def rules(host: Namespace) -> list[Rule]:
    """Every rule with a counter, as ``nft list ruleset`` shows it."""
    shown = run_program(host, "nft", "list", "ruleset")
    found = re.findall(r"^\s*(.*?) counter packets (\d+) bytes \d+ ?(.*)$", shown, re.MULTILINE)
    # The expression stands on both sides of its counter.
    return [Rule(f"{before} {after}".strip(), int(packets)) for before, packets, after in found]


def _chain(hook: str, verdict: str) -> str:
    rule = f"tcp dport 8000 tcp flags syn {verdict}"
    return f"table inet t {{\n chain c {{\n type filter hook {hook} priority 0\n {rule}\n }}\n}}\n"


def _ruled(hook: str, verdict: str) -> Callable[[Pair], None]:
    def prepare(net: Pair) -> None:
        nft(net.client if hook == "output" else net.server, _chain(hook, verdict))

    return prepare


def _rp_filter(net: Pair) -> None:
    """The client sends from an address that the server would not answer on this link."""
    _no_route(net)
    for place in ("all", net.link.ends[1].interface):
        net.server.set_sysctl(f"net.ipv4.conf.{place}.rp_filter", 1)


def _no_route(net: Pair) -> None:
    net.client.run(add_addresses, net.link.ends[0].interface, [(STRANGER, 32)])


CASES: tuple[tuple[Drop, Callable[[Pair], None], str | None], ...] = (
    (
        Drop("INPUT drops every SYN", rule="tcp flags syn drop", found="HO605"),
        _ruled("input", "counter drop"),
        None,
    ),
    (
        Drop("INPUT drops by rate", one_by_one=ALLOWED, rule="limit rate over", found="HO401, HO605"),
        _ruled("input", f"limit rate over 1/minute burst {ALLOWED} packets counter drop"),
        None,
    ),
    (
        Drop(
            "INPUT drops by number",
            one_by_one=CLIENTS,
            at_once=ALLOWED,
            rule="ct count over",
            found="HO401, HO605",
        ),
        _ruled("input", f"ct state new ct count over {ALLOWED} counter drop"),
        None,
    ),
    (
        Drop("INPUT rejects by RST", "ECONNREFUSED", "1 refused", rule="with tcp reset", found="HO605"),
        _ruled("input", "counter reject with tcp reset"),
        None,
    ),
    (
        Drop("INPUT rejects by ICMP", "EHOSTUNREACH", "1 unreachable", rule="icmpx", found="HO605"),
        _ruled("input", "counter reject with icmpx type admin-prohibited"),
        None,
    ),
    (
        Drop("client's OUTPUT drops", seen="none", arrived=False, rule="drop", on_client=True),
        _ruled("output", "counter drop"),
        None,
    ),
    (Drop("strict rp_filter", counters="IPReversePathFilter", found="HO602"), _rp_filter, STRANGER),
    (Drop("no route back", counters="ListenDrops, OutNoRoutes"), _no_route, STRANGER),
)
