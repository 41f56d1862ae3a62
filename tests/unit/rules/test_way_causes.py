"""Causes in other network namespaces of this host that a connect's packets come through: what each is taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.rules.notation import snapshots
from tests.unit.rules.test_local_causes import DEFAULT, TO, filtered, rule

from halfopen.rules.context import Context
from halfopen.rules.local_causes import local_causes
from halfopen.rules.path import Path

if TYPE_CHECKING:
    from halfopen.model.cause import LocalCause

SOURCE = "10.0.0.1"
ROUTED = {"routes": [{**DEFAULT, "gateway": None}], "sysctls": {"ip_forward": 1}}
FORWARD = {"family": "ip", "table": "filter", "name": "FORWARD", "hook": "forward", "policy": "accept"}
PRE = {"family": "ip", "table": "nat", "name": "PREROUTING", "hook": "prerouting", "policy": "accept"}


def forwarding(*rules: dict[str, Any], policy: str = "accept") -> dict[str, Any]:
    return {"packet_filter": {"chains": [{**FORWARD, "policy": policy}, PRE], "rules": list(rules)}}


def judged(
    kind: str,
    *,
    here: dict[str, Any] | None = None,
    hop: dict[str, Any] | None = None,
    there: dict[str, Any] | None = None,
    before: dict[str, Any] | None = None,
    **way: Any,  # noqa: ANN401
) -> LocalCause:
    """From this host over ``router`` to ``server``; ``before``: what was different in either."""
    spaces = [{"name": "router", **ROUTED, **(hop or {})}, {"name": "server", **ROUTED, **(there or {})}]
    own = {"routes": [DEFAULT], **filtered(), **(here or {})}
    earlier = [{**space, **(before or {})} for space in spaces]
    now, then = snapshots({"now": {**own, "netns": spaces}, "before": {"netns": earlier}})
    context = Context.of(now, then)
    first, router, server = context.spaces
    found = local_causes(
        first.now,
        *TO,
        source=SOURCE,
        before=first.before,
        interval_s=10,
        path=Path((router,), server),
        **{"lost": 6, **way},
    )
    return next(cause for cause in found if cause.kind == kind)


def counted(packets: int) -> dict[str, Any]:
    text = f"meta mark 1 counter packets {packets} bytes 0 drop"
    return forwarding(rule(text, chain="FORWARD", packets=packets))


@pytest.mark.parametrize(
    ("place", "verdict", "says", "netns"),
    [
        ({"hop": forwarding(rule("tcp dport 443 drop", chain="FORWARD", ports=["443"]))},
         "cause", "of ip filter FORWARD in network namespace router drops the SYN on its way through.", "router"),
        ({"hop": forwarding(policy="drop")},
         "cause", "The policy of ip filter FORWARD in network namespace router drops the SYN", "router"),
        ({"hop": forwarding(rule("meta mark 1 tcp dport 443 drop", chain="FORWARD", ports=["443"]))},
         "possible", "may drop the SYN on its way through", "router"),
        ({"there": filtered(output="drop")},
         "cause", "OUTPUT in network namespace server drops the answer on its way out.", "server"),
        ({"hop": counted(8), "before": counted(2)}, "cause", "counted packets in the meantime", "router"),
        ({"hop": counted(7), "before": counted(2)}, "possible", "may drop the SYN on its way through", "router"),
    ],
    ids=["forward", "policy", "unchecked", "the answer", "as many as were lost", "fewer than were lost"],
)  # fmt: skip
def test_a_rule_of_a_namespace_on_the_way(place: dict[str, Any], verdict: str, says: str, netns: str) -> None:
    cause = judged("filter", **place)
    assert (cause.verdict, cause.netns) == (verdict, netns)
    assert says in cause.sentence


@pytest.mark.parametrize(
    ("rejects", "errno", "icmp_from", "verdict"),
    [
        ("reject", "ECONNREFUSED", "192.0.2.9", "cause"),
        ("reject with icmp net-unreachable", "ENETUNREACH", "192.0.2.9", "cause"),
        ("reject with icmp prot-unreachable", "ENOPROTOOPT", "192.0.2.9", "cause"),
        ("reject with icmpx admin-prohibited", "EHOSTUNREACH", "192.0.2.9", "cause"),
        ("reject with tcp reset", "ECONNREFUSED", None, "cause"),
        ("-A INPUT -p tcp --dport 443 -j REJECT --reject-with icmp-host-prohibited", "EHOSTUNREACH", None, "cause"),
        ("reject with icmp net-unreachable", "EHOSTUNREACH", "192.0.2.9", "possible"),
        ("reject with icmp host-unreachable", "EHOSTUNREACH", "10.9.9.9", "possible"),
        ("reject with tcp reset", "EHOSTUNREACH", "192.0.2.9", "possible"),
    ],
)
def test_a_rule_that_rejects_is_the_cause_of_the_error_that_it_gives(
    rejects: str, errno: str, icmp_from: str | None, verdict: str
) -> None:
    there = filtered(rule(rejects, "reject", "INPUT", ports=["443"]))
    there["interfaces"] = [{"index": 2, "name": "eth0", "addresses": ["192.0.2.9/24"]}]
    cause = judged("filter", there=there, errno=errno, icmp_from=icmp_from)
    assert (cause.verdict, cause.stops) == (verdict, "syn_in")


@pytest.mark.parametrize(
    ("more", "icmp_from", "verdict"),
    [
        ([], "192.0.2.9", "cause"),
        ([], "10.0.0.254", "possible"),
        ([rule("meta mark 2 reject with icmp admin-prohibited", "reject", "INPUT")], "192.0.2.9", "possible"),
    ],
    ids=["the only one that says so", "another says so", "one of two"],
)
def test_a_rule_is_known_by_its_icmp_error(more: list[dict[str, Any]], icmp_from: str, verdict: str) -> None:
    """As firewalld's last rule, behind jumps by interface that a snapshot does not follow."""
    first = rule("ct status dnat accept", "accept", "INPUT", conntrack=True)
    last = rule("meta mark 1 reject with icmp admin-prohibited", "reject", "INPUT")
    there = filtered(first, *more, last)
    there["interfaces"] = [{"index": 2, "name": "eth0", "addresses": ["192.0.2.9/24"]}]
    assert judged("filter", there=there, errno="EHOSTUNREACH", icmp_from=icmp_from).verdict == verdict


def test_what_to_let_through_is_a_command_for_the_namespace_and_the_program() -> None:
    first = judged("filter", there=filtered(rule("tcp dport 443 drop", chain="INPUT", ports=["443"])))
    assert first.remedy is not None
    accept = "nft insert rule ip filter INPUT ip daddr 192.0.2.9 tcp dport 443 accept"
    assert first.remedy.summary == f"If it is meant to be let through, accept it before that: `{accept}`."
    assert first.confirm == "nft list chain ip filter INPUT"
    text = "-A FORWARD -p tcp --sport 443 -j DROP"
    second = judged("filter", hop=forwarding(rule(text, chain="FORWARD")))
    assert second.remedy is not None
    assert "`iptables -t filter -I FORWARD -p tcp -s 192.0.2.9 --sport 443 -j ACCEPT`" in second.remedy.summary
    assert second.confirm == "iptables -t filter -vnL FORWARD"


@pytest.mark.parametrize(
    ("place", "verdict", "says", "stops"),
    [
        ({}, "exonerated", "There is a route: default by 10.0.0.254 over eth0.", None),
        ({"hop": {"routes": []}}, "cause", "router has no route to 192.0.2.9: it drops the SYN.", "syn_through"),
        ({"hop": {"sysctls": {"ip_forward": 0}}}, "cause", "router forwards nothing", "syn_through"),
        ({"there": {"routes": []}}, "cause", "server has no route back to 10.0.0.1: it drops the SYN.", "syn_in"),
        (
            {"hop": {"routes": [{"destination": "192.0.2.0/24", "kind": "blackhole"}]}},
            "cause",
            "router has only the route 192.0.2.0/24 of kind blackhole to 192.0.2.9",
            "syn_through",
        ),
        ({"source": "127.0.0.1"}, "cause", "No interface has an IPv4 address: the SYN leaves from 127.0.0.1", None),
        ({"source": "127.0.0.1", "established": True}, "exonerated", "There is a route", None),
    ],
)
def test_a_route_of_a_namespace_on_the_way(place: dict[str, Any], verdict: str, says: str, stops: str | None) -> None:
    cause = _from(**place) if "source" in place else judged("route", **place)
    assert (cause.verdict, cause.stops) == (verdict, stops)
    assert says in cause.sentence


def _from(**way: Any) -> LocalCause:  # noqa: ANN401
    now, _ = snapshots({"now": {"routes": [DEFAULT]}})
    return next(cause for cause in local_causes(now.netns[0], *TO, **way) if cause.kind == "route")


def test_routes_that_go_in_a_circle() -> None:
    now, _ = snapshots({"now": {"routes": [DEFAULT], "netns": [{"name": "router"}]}})
    context = Context.of(now)
    found = local_causes(context.spaces[0].now, *TO, path=Path((context.spaces[1],), loops=True))
    cause = next(cause for cause in found if cause.kind == "route")
    assert (cause.verdict, cause.netns) == ("cause", "router")
    assert "network namespace router sends packets for 192.0.2.9 back" in cause.sentence


@pytest.mark.parametrize(
    ("routes", "interfaces", "do"),
    [
        ([], [], "Add a route to it: `ip route add 192.0.2.9 via GATEWAY`."),
        (
            [],
            [{"index": 2, "name": "eth0", "up": False, "addresses": ["10.0.0.1/24"]}],
            "Set up eth0, which is down: `ip link set eth0 up`.",
        ),
        (
            [],
            [
                {"index": 2, "name": "eth0", "addresses": ["10.0.0.1/24"]},
                {"index": 3, "name": "$(x)", "up": False, "addresses": ["10.9.0.1/24", "192.0.2.1/24"]},
            ],
            "Set up $(x), which is down: `ip link set '$(x)' up`.",
        ),
        (
            [],
            [
                {"index": 2, "name": "eth0", "addresses": ["10.0.0.1/24"]},
                {"index": 3, "name": "eth1", "up": False, "addresses": ["10.9.0.1/24"]},
            ],
            "Set up the interface that leads there, if it is one of these: eth1 is down. Add a route to it: "
            "`ip route add 192.0.2.9 via GATEWAY`.",
        ),
        (
            [{"destination": "192.0.2.0/24", "kind": "prohibit"}],
            [],
            "If the target is meant to be reached, take the route away: `ip route del prohibit 192.0.2.0/24`.",
        ),
    ],
)
def test_what_helps_where_there_is_no_way(
    routes: list[dict[str, Any]], interfaces: list[dict[str, Any]], do: str
) -> None:
    now, _ = snapshots({"now": {"routes": routes, "interfaces": interfaces}})
    cause = next(one for one in local_causes(now.netns[0], *TO, errno="ENETUNREACH") if one.kind == "route")
    assert cause.remedy is not None
    assert " ".join((cause.remedy.summary, *cause.remedy.person)) == do


@pytest.mark.parametrize(
    ("dropped", "verdict"), [(6, "cause"), (0, "possible"), (2, "possible")], ids=["all", "none", "others'"]
)
def test_the_reverse_path_filter_of_the_target(dropped: int, verdict: str) -> None:
    two = [{"destination": "default", "interface": "eth0"}, {"destination": "10.9.0.0/16", "interface": "eth1"}]
    there = {"routes": two, "sysctls": {"net.ipv4.conf.all.rp_filter": 1}}
    cause = judged(
        "rp_filter",
        there={**there, "counters": {"IPReversePathFilter": dropped}},
        before={"counters": {"IPReversePathFilter": 0}},
    )
    assert cause.verdict == verdict
    assert (cause.remedy is None) == (dropped == 0)
    if verdict == "cause":
        assert "Reverse path filtering of network namespace server dropped 6 packets" in cause.sentence
        assert (cause.stops, cause.rule, cause.netns) == ("syn_in", "HO602", "server")
        assert cause.remedy is not None
        assert [(change.key, change.want) for change in cause.remedy.changes] == [("net.ipv4.conf.all.rp_filter", "2")]


@pytest.mark.parametrize(
    ("count", "dropped", "verdict"),
    [(100, 6, "cause"), (100, 2, "possible"), (40, 6, "exonerated")],
    ids=["full", "fewer than were lost", "room: dropped for another reason"],
)
def test_connection_tracking_of_the_router(count: int, dropped: int, verdict: str) -> None:
    def table(drops: int) -> dict[str, Any]:
        return {"conntrack": {"count": count, "max": 100, "stats": {"drop": drops}}}

    cause = judged("conntrack", hop=table(dropped), before=table(0))
    assert cause.verdict == verdict
    if verdict == "cause":
        assert cause.sentence.startswith("Connection tracking of network namespace router is full, and dropped 6")
        assert cause.remedy is not None


@pytest.mark.parametrize(
    ("text", "more", "to"),
    [
        ("ip daddr 192.0.2.9 tcp dport 443 dnat to 10.0.0.5:8443", {}, "10.0.0.5:8443"),
        ("-A PREROUTING -p tcp --dport 443 -j DNAT --to-destination 10.0.0.5", {}, "10.0.0.5:443"),
        ("tcp dport 443 redirect to :8080", {"verdict": "redirect"}, "192.0.2.9:8080"),
        ("-A PREROUTING -p tcp --dport 443 -j REDIRECT --to-ports 8080", {"verdict": "redirect"}, "192.0.2.9:8080"),
        ("tcp dport 443 dnat to [2001:db8::5]:80", {}, "[2001:db8::5]:80"),
        ("tcp dport 443 dnat to 10.0.0.5:8000-8010", {}, "10.0.0.5:8000"),
        (
            '-A X --dport 443 -m comment --comment "dnat to a;reboot" -j DNAT --to-destination 10.0.0.5',
            {},
            "10.0.0.5:443",
        ),
        ("tcp dport 443 dnat to $(reboot):80", {}, None),
    ],
)
def test_what_is_sent_on_is_followed(text: str, more: dict[str, Any], to: str | None) -> None:
    dnat = {**rule(text, "dnat", "PREROUTING", ports=["443"]), "table": "nat", **more}
    cause = judged("translation", hop=forwarding(dnat))
    assert (cause.verdict, cause.sends_on_to, cause.netns) == ("fact", to, "router")
    assert " sends what is meant for 192.0.2.9:443 on to " in cause.sentence
    assert cause.confirm == (None if to is None else f"halfopen doctor {to}")


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("meta skuid 33 tcp dport 443 dnat to 10.0.0.5", "«meta skuid 33»"),
        ("-A PREROUTING -p tcp -m mark --mark 1 --dport 443 -j DNAT --to-destination 10.0.0.5", "«-m mark --mark 1»"),
    ],
)
def test_what_a_translation_asks_for_is_not_judged(text: str, asked: str) -> None:
    dnat = {**rule(text, "dnat", "PREROUTING", ports=["443"]), "table": "nat"}
    sentence = judged("translation", hop=forwarding(dnat)).sentence
    assert sentence.endswith(f"may send what is meant for 192.0.2.9:443 on to 10.0.0.5:443: {asked} is not judged.")


def test_a_service_with_several_servers_may_be_sent_on_to_one_of_them() -> None:
    rules = [
        rule("-A PREROUTING -j SERVICES", "jump SERVICES", "PREROUTING"),
        rule("-A SERVICES -d 192.0.2.8/32 -j OTHER", "jump OTHER", "SERVICES", destinations=["192.0.2.8/32"]),
        rule(
            '-A SERVICES -d 192.0.2.9/32 -p tcp -m comment --comment "a/b:https" -m tcp --dport 443 -j WEB',
            "jump WEB", "SERVICES", destinations=["192.0.2.9/32"], ports=["443"],
        ),
        rule("-A WEB -m statistic --mode random --probability 0.5 -j ONE", "jump ONE", "WEB"),
        rule("-A WEB -j TWO", "jump TWO", "WEB"),
        rule("-A ONE -p tcp -m tcp -j DNAT --to-destination 10.1.0.5:8443", "dnat", "ONE"),
        rule("-A TWO -p tcp -m tcp -j DNAT --to-destination 10.1.0.6:8443", "dnat", "TWO"),
        rule("-A OTHER -p tcp -m tcp -j DNAT --to-destination 10.1.0.7:8443", "dnat", "OTHER"),
    ]  # fmt: skip
    cause = judged("translation", hop=forwarding(*({**one, "table": "nat"} for one in rules)))
    assert cause.sends_on_to == "10.1.0.5:8443"
    assert (
        "may send what is meant for 192.0.2.9:443 on to 10.1.0.5:8443, and other rules to 10.1.0.6:8443: «-m stat"
        in (cause.sentence)
    )


def test_what_this_host_sends_on_takes_another_way() -> None:
    """The router has no route to a service's address, and needs none."""
    text = "ip daddr 192.0.2.9 tcp dport 443 dnat to 10.0.0.5:8443"
    output = {"family": "ip", "table": "nat", "name": "OUTPUT", "hook": "output", "policy": "accept"}
    dnat = {**rule(text, "dnat", "OUTPUT", ports=["443"], destinations=["192.0.2.9"]), "table": "nat"}
    here = {"packet_filter": {"chains": [output], "rules": [dnat]}}
    assert judged("route", here=here, hop={"routes": []}).verdict == "exonerated"
    assert judged("translation", here=here).sends_on_to == "10.0.0.5:8443"


def test_what_sends_on_something_else_is_none_of_it() -> None:
    other = {**rule("tcp dport 80 dnat to 10.0.0.5", "dnat", "PREROUTING", ports=["80"]), "table": "nat"}
    with pytest.raises(StopIteration):
        judged("translation", hop=forwarding(other))
