"""Rules that choose the table of routes: which apply, which do not, and which are not judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.rules.notation import snapshots

from halfopen.model.network import ROUTES_MAX, RULES_MAX, PacketFilter, RoutingRule
from halfopen.model.snapshot import NetNamespace
from halfopen.rules.causes.route import check
from halfopen.rules.causes.way import Way
from halfopen.rules.policy_routing import Flow, applies, text_of
from halfopen.rules.routing import route_to
from halfopen.rules.space import Space

SYN = Flow("192.0.2.9", "10.0.0.1", 443)
UNMARKED = NetNamespace("host", 1, packet_filter=PacketFilter())
ETH0 = {"index": 2, "name": "eth0", "addresses": ["10.0.0.1/24", "10.9.0.1/24"], "carrier": True}
MAIN = {"destination": "default", "gateway": "10.0.0.254", "interface": "eth0"}
OTHER = {"destination": "default", "gateway": "10.0.0.253", "interface": "eth0", "table": 100}
BASE = [{"priority": 0, "table": 255}, {"priority": 32766, "table": 254}, {"priority": 32767, "table": 253}]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (RoutingRule(1), True),
        (RoutingRule(1, source="10.0.0.0/8"), True),
        (RoutingRule(1, source="11.0.0.0/8"), False),
        (RoutingRule(1, destination="192.0.2.0/24"), True),
        (RoutingRule(1, destination="192.0.2.0/24", inverted=True), False),
        (RoutingRule(1, mark=1, mark_mask=0xFF), False),
        (RoutingRule(1, mark=0xCA6C, mark_mask=0xFFFFFFFF, inverted=True), True),
        (RoutingRule(1, input="lo"), True),
        (RoutingRule(1, input="eth1"), False),
        (RoutingRule(1, output="eth1"), False),
        (RoutingRule(1, l3mdev=True), False),
        (RoutingRule(1, protocol=6, ports=(400, 500)), True),
        (RoutingRule(1, protocol=17), False),
        (RoutingRule(1, ports=(80, 80)), False),
        (RoutingRule(1, other=("uidrange",)), None),
        (RoutingRule(1, other=("uidrange",), inverted=True), None),
        (RoutingRule(1, other=("uidrange",), protocol=17), False),
    ],
)
def test_whether_a_rule_applies_to_what_this_host_sends(rule: RoutingRule, expected: bool | None) -> None:
    assert applies(rule, SYN, UNMARKED) is expected


def test_the_mark_and_the_interface_of_a_socket_count() -> None:
    own = Flow("192.0.2.9", "10.0.0.1", 443, mark=0x105, interface="eth1")
    passing = Flow("192.0.2.9", "10.0.0.1", 443, forwarded=True, mark=0x105, interface="eth1")
    for rule in (RoutingRule(1, mark=5, mark_mask=0xFF), RoutingRule(1, output="eth1")):
        assert applies(rule, own, UNMARKED) is True
        assert applies(rule, passing, UNMARKED) is False, "it stays in its namespace"
    assert applies(RoutingRule(1, mark=5, mark_mask=0xFFFFFFFF), own, UNMARKED) is False
    assert applies(RoutingRule(1, output="eth0"), own, UNMARKED) is False


def test_a_route_over_another_interface_than_the_socket_is_bound_to_is_not_judged() -> None:
    host = namespace(BASE, MAIN)
    assert route_to(host, Flow("192.0.2.9", "10.0.0.1", interface="eth0")).is_sure
    assert route_to(host, Flow("192.0.2.9", "10.0.0.1", interface="eth1", forwarded=True)).is_sure
    assert not route_to(host, Flow("192.0.2.9", "10.0.0.1", interface="eth1")).is_sure
    cause = check(Space(host), Way("192.0.2.9", 443, "10.0.0.1", interface="eth1"))
    assert cause is not None
    assert cause.verdict == "unknown"
    assert cause.sentence.endswith("but the socket is bound to eth1: which routes lead over that is not judged.")


def test_what_is_not_known_is_not_judged() -> None:
    marked = RoutingRule(1, mark=1, mark_mask=1)
    assert applies(marked, SYN, NetNamespace("host", 1)) is None, "the packet filter was not read"
    passing = Flow("192.0.2.9", "10.0.0.1", None, forwarded=True)
    assert applies(RoutingRule(1, input="eth1"), passing, UNMARKED) is None
    assert applies(RoutingRule(1, input="lo"), passing, UNMARKED) is False
    assert applies(RoutingRule(1, ports=(80, 80)), passing, UNMARKED) is None
    assert applies(RoutingRule(1, source="10.0.0.0/8"), Flow("192.0.2.9"), UNMARKED) is False, "before one is chosen"


def test_a_snapshot_may_say_anything() -> None:
    odd = [{"priority": 9, "table": 100, "source": "no address"}, {"priority": 10, "table": 100, "destination": "x/y"}]
    where = namespace(odd, MAIN, OTHER)
    where = replace(where, interfaces=(replace(where.interfaces[0], addresses=("here", "10.0.0.1/99")),))
    found = route_to(where, SYN)
    assert found.unjudged == ("from no address lookup 100", "from all to x/y lookup 100")
    assert found.route is not None
    assert found.route.gateway == "10.0.0.254"


def test_the_words_of_a_rule_are_those_of_ip_rule() -> None:
    rule = RoutingRule(
        9, table=100, inverted=True, source="10.0.0.0/8", mark=1, mark_mask=0xFF, input="eth0", protocol=6,
        ports=(80, 90), other=("uidrange",), suppress_prefix_length=0,
    )  # fmt: skip
    assert text_of(rule) == (
        "not from 10.0.0.0/8 fwmark 0x1/0xff iif eth0 ipproto tcp dport 80-90 uidrange … lookup 100 "
        "suppress_prefixlength 0"
    )
    assert text_of(RoutingRule(9, action="goto", goto=20)) == "from all goto 20"
    assert text_of(RoutingRule(9, action="prohibit", destination="::/0")) == "from all to ::/0 prohibit"


def namespace(rules: list[dict[str, Any]], *routes: dict[str, Any]) -> NetNamespace:
    now = {"interfaces": [ETH0], "routes": list(routes), "routing_rules": sorted([*BASE, *rules], key=_priority)}
    return snapshots({"now": now})[0].netns[0]


def _priority(rule: dict[str, Any]) -> int:
    number: int = rule["priority"]
    return number


ONLY_LONGER = {"priority": 5, "table": 254, "suppress_prefix_length": 0}


@pytest.mark.parametrize(
    ("main", "chosen"),
    [
        (MAIN, "10.0.0.1"),
        ({**MAIN, "gateway": "10.9.0.254"}, "10.9.0.1"),
        ({**MAIN, "gateway": "10.7.0.254"}, "10.0.0.1"),
        ({**MAIN, "source": "10.9.0.1"}, "10.9.0.1"),
    ],
)
def test_a_rule_for_a_source_is_for_the_one_that_the_kernel_chooses(main: dict[str, Any], chosen: str) -> None:
    refused = {**OTHER, "kind": "blackhole"}
    for source in ("10.0.0.1", "10.9.0.1"):
        where = namespace([{"priority": 9, "table": 100, "source": f"{source}/32"}], main, refused)
        found = route_to(where, Flow("192.0.2.9"))
        assert found.route is not None
        assert (found.route.kind == "blackhole") == (source == chosen)


@pytest.mark.parametrize(
    ("rules", "routes", "gateway"),
    [
        ([], (MAIN, OTHER), "10.0.0.254"),
        ([{"priority": 9, "table": 100}], (MAIN, OTHER), "10.0.0.253"),
        ([{"priority": 9, "table": 100, "source": "11.0.0.0/8"}], (MAIN, OTHER), "10.0.0.254"),
        ([{"priority": 9, "table": 100}], (MAIN, {**OTHER, "kind": "throw"}), "10.0.0.254"),
        ([ONLY_LONGER, {"priority": 9, "table": 100}], (MAIN, OTHER), "10.0.0.253"),
        ([ONLY_LONGER, {"priority": 9, "table": 100}], ({**MAIN, "destination": "192.0.2.0/24"}, OTHER), "10.0.0.254"),
        (
            [{"priority": 8, "action": "goto", "goto": 32766}, {"priority": 9, "table": 100}],
            (MAIN, OTHER),
            "10.0.0.254",
        ),
        ([{"priority": 8, "action": "goto", "goto": 20}, {"priority": 9, "table": 100}], (MAIN, OTHER), "10.0.0.253"),
        ([{"priority": 9, "table": 100, "family": 6}], (MAIN, OTHER), "10.0.0.254"),
    ],
)
def test_tables_are_looked_into_as_the_rules_say(
    rules: list[dict[str, Any]], routes: tuple[dict[str, Any], ...], gateway: str
) -> None:
    found = route_to(namespace(rules, *routes), SYN)
    assert (found.route.gateway if found.route else None, found.unjudged) == (gateway, ())


@pytest.mark.parametrize(
    ("rules", "routes", "verdict", "words"),
    [
        (
            [{"priority": 9, "action": "prohibit"}],
            (MAIN,),
            "cause",
            "The routing rule «from all prohibit» (priority 9) says no.",
        ),
        (
            [{"priority": 9, "action": "prohibit", "other": ["uidrange"]}],
            (MAIN,),
            "unknown",
            "There is a route: default by 10.0.0.254 over eth0, unless a routing rule leads elsewhere: whether "
            "«from all uidrange … prohibit» applies is not judged.",
        ),
        (
            [{"priority": 9, "table": 100, "other": ["uidrange"]}],
            (OTHER,),
            "possible",
            "There is no route to 192.0.2.9, unless a routing rule leads elsewhere: whether "
            "«from all uidrange … lookup 100» applies is not judged.",
        ),
        ([{"priority": 9, "table": 100, "other": ["uidrange"]}], (MAIN,), "exonerated", "There is a route"),
        ([{"priority": 9, "table": 100}], (MAIN, {**OTHER, "kind": "blackhole"}), "cause", "is of kind blackhole."),
    ],
)
def test_a_rule_that_is_not_judged_is_named_and_decides_nothing(
    rules: list[dict[str, Any]], routes: tuple[dict[str, Any], ...], verdict: str, words: str
) -> None:
    cause = check(Space(namespace(rules, *routes), None, None), Way("192.0.2.9", 443, "10.0.0.1"))
    assert cause is not None
    assert cause.verdict == verdict
    assert words in cause.sentence


def test_of_ipv6_the_source_is_asked_for_only_where_there_is_no_way_without() -> None:
    rules: list[dict[str, Any]] = [{"priority": 9, "table": 100, "source": "2001:db8::1/128", "family": 6}]
    base = [{**rule, "family": 6} for rule in BASE]
    to = Flow("2001:db8:2::9", "2001:db8::1")
    other = {**OTHER, "gateway": "fe80::2", "family": 6}
    for routes, gateway in (([{**MAIN, "gateway": "fe80::1", "family": 6}, other], "fe80::1"), ([other], "fe80::2")):
        now = {"interfaces": [ETH0], "routes": routes, "routing_rules": sorted([*base, *rules], key=_priority)}
        found = route_to(snapshots({"now": now})[0].netns[0], to)
        assert (found.route and found.route.gateway) == gateway


def test_a_way_that_every_syn_found_is_one() -> None:
    refused = namespace([{"priority": 9, "action": "prohibit"}], MAIN)
    cause = check(Space(refused, None, None), Way("192.0.2.9", 443, "10.0.0.1", established=True, lost=0))
    assert cause is not None
    assert cause.verdict == "exonerated"


def test_of_more_routes_than_are_kept_none_is_missing_for_certain() -> None:
    many = [{"destination": f"10.{n >> 8}.{n & 255}.0/24", "interface": "eth0"} for n in range(ROUTES_MAX)]
    cause = check(Space(namespace([], *many), None, None), Way("192.0.2.9", 443, "10.0.0.1"))
    assert cause is not None
    assert cause.verdict == "possible"
    assert "192.0.2.9, as far as the first 10 000 routes tell: the others are not judged." in cause.sentence
    cause = check(Space(namespace([], *many[1:]), None, None), Way("192.0.2.9", 443, "10.0.0.1"))
    assert cause is not None
    assert cause.verdict == "cause"


def test_of_more_rules_than_are_kept_the_last_may_lead_to_a_route() -> None:
    where = namespace([], MAIN)
    first = RoutingRule(9, table=100, source="10.5.0.0/16")
    found = route_to(replace(where, routing_rules=(first,) * RULES_MAX), SYN)
    assert (found.route, found.is_sure) == (None, False)
    assert route_to(replace(where, routing_rules=(first,)), SYN).is_sure


def test_a_link_without_carrier() -> None:
    now = {"interfaces": [{**ETH0, "carrier": False}], "routes": [MAIN]}
    cause = check(Space(snapshots({"now": now})[0].netns[0], None, None), Way("192.0.2.9", 443, "10.0.0.1"))
    assert cause is not None
    assert (cause.verdict, cause.stops) == ("cause", "syn_out")
    assert cause.sentence == "The interface eth0 has no carrier: what leaves by it is thrown away."
    assert cause.confirm == "ip link show eth0"
