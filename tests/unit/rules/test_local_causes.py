"""Why a connect from this host fails: each cause, what exonerates it, and in which order they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.rules.notation import snapshots

from halfopen.rules.local_causes import local_causes
from halfopen.rules.path import Path
from halfopen.rules.space import Space

if TYPE_CHECKING:
    from halfopen.model.cause import LocalCause

TO = ("192.0.2.9", 443)
DEFAULT = {"destination": "default", "gateway": "10.0.0.254", "interface": "eth0"}
ETH0 = {"index": 2, "name": "eth0", "addresses": ["10.0.0.1/24"]}
OUTPUT = {"family": "ip", "table": "filter", "name": "OUTPUT", "hook": "output", "policy": "accept"}
INPUT = {"family": "ip", "table": "filter", "name": "INPUT", "hook": "input", "policy": "accept"}


def rule(text: str, verdict: str = "drop", chain: str = "OUTPUT", **more: object) -> dict[str, Any]:
    return {"family": "ip", "table": "filter", "chain": chain, "text": text, "verdict": verdict, **more}


def filtered(*rules: dict[str, Any], **policies: str) -> dict[str, Any]:
    chains = [{**chain, "policy": policies.get(chain["hook"], "accept")} for chain in (OUTPUT, INPUT)]
    return {"packet_filter": {"chains": chains, "rules": list(rules)}}


def taken(ports: int, **more: object) -> dict[str, Any]:
    row = {"to": "192.0.2.9:443", "in_range": ports, "states": {"TIME_WAIT": ports}, **more}
    return {"sysctls": {"ip_local_port_range": "40000 40009", "tcp_tw_reuse": 2}, "destinations": [row]}


def judged(kind: str, now: dict[str, Any], before: dict[str, Any] | None = None) -> LocalCause | None:
    case = {"now": now} if before is None else {"now": now, "before": before}
    later, earlier = snapshots(case)
    space = earlier.netns[0] if earlier else None
    causes = local_causes(later.netns[0], *TO, before=space, interval_s=10 if earlier else None)
    return next((cause for cause in causes if cause.kind == kind), None)


JUDGEMENTS = [
    ("ports", "no port left", taken(10), "cause", "No local port is left: all 10 are taken for this destination."),
    ("ports", "past half", taken(6), "possible", "60 % of the local ports are taken for 192.0.2.9:443"),
    ("ports", "below half", taken(4), "exonerated", "40 % of the local ports"),
    ("ports", "another destination's", {**taken(10), "destinations": []}, "exonerated", "none is taken"),
    ("ports", "not known", {}, "unknown", "could not be read"),
    ("route", "none", {"routes": [{"destination": "10.0.0.0/24"}]}, "cause", "There is no route to 192.0.2.9."),
    ("route", "none at all", {"routes": []}, "cause", "There is no route to 192.0.2.9."),
    ("route", "the default", {"routes": [DEFAULT]}, "exonerated", "default by 10.0.0.254 over eth0"),
    (
        "route",
        "a black hole wins by its prefix",
        {"routes": [DEFAULT, {"destination": "192.0.2.0/24", "kind": "blackhole"}]},
        "cause",
        "is of kind blackhole",
    ),
    ("route", "down", {"routes": [DEFAULT], "interfaces": [{**ETH0, "up": False}]}, "cause", "eth0 is down"),
    (
        "route",
        "perhaps by a policy rule",
        {"routes": [{"destination": "default", "table": 100}]},
        "possible",
        "There is no route",
    ),
    ("route", "not known", {}, "unknown", "could not be read"),
    ("filter", "no rules", filtered(), "exonerated", "No rule"),
    ("filter", "not known", {}, "unknown", "could not be read"),
    (
        "filter",
        "a rule for the port",
        filtered(rule("-A OUTPUT -p tcp --dport 443 -j DROP", ports=["443"])),
        "cause",
        "The rule «-A OUTPUT -p tcp --dport 443 -j DROP» of ip filter OUTPUT drops the SYN on its way out.",
    ),
    ("filter", "another port", filtered(rule("--dport 25", ports=["25"])), "exonerated", "No rule"),
    (
        "filter",
        "a range",
        filtered(rule("-A OUTPUT -p tcp --dport 400:500 -j DROP", ports=["400-500"])),
        "cause",
        "drops the SYN",
    ),
    ("filter", "all but", filtered(rule("! --dport 443", ports=["!443"])), "exonerated", "No rule"),
    ("filter", "another address", filtered(rule("-d", destinations=["198.51.100.0/24"])), "exonerated", "No rule"),
    ("filter", "UDP", filtered(rule("-A OUTPUT -p udp -j DROP")), "exonerated", "No rule"),
    ("filter", "invalid ones", filtered(rule("ct state invalid drop", conntrack=True)), "exonerated", "No rule"),
    ("filter", "accepted before", filtered(rule("accept", "accept"), rule("drop")), "exonerated", "No rule"),
    ("filter", "the policy", filtered(output="drop"), "cause", "The policy of ip filter OUTPUT drops the SYN"),
    (
        "filter",
        "through a jump",
        filtered(rule("jump x", "jump x"), rule("reject", "reject", "x")),
        "cause",
        "rejects the SYN",
    ),
    (
        "filter",
        "of nft, by address and port",
        filtered(rule("ip daddr 192.0.2.9 tcp dport 443 drop", ports=["443"], destinations=["192.0.2.9"])),
        "cause",
        "drops the SYN on its way out.",
    ),
    (
        "filter",
        "of one user, perhaps another's",
        filtered(rule("meta skuid 1000 tcp dport 443 drop", ports=["443"])),
        "possible",
        "may drop the SYN",
    ),
    (
        "filter",
        "after one that may have accepted",
        filtered(rule('oifname "eth1" accept', "accept"), rule("tcp dport 443 drop", ports=["443"])),
        "possible",
        "may drop the SYN",
    ),
    (
        "filter",
        "after one for the loopback interface",
        filtered(rule('oifname "lo" accept', "accept"), rule("tcp dport 443 drop", ports=["443"])),
        "cause",
        "drops the SYN",
    ),
    (
        "filter",
        "behind a jump that asks for something",
        filtered(rule("meta mark 1 jump x", "jump x"), rule("drop", "drop", "x")),
        "possible",
        "may drop the SYN",
    ),
    (
        "filter",
        "where addresses are translated",
        filtered(rule("tcp dport 443 dnat to 10.0.0.5", "dnat", "NAT"), rule("tcp dport 443 drop", ports=["443"])),
        "possible",
        "may drop the SYN",
    ),
    (
        "filter",
        "of IPv6",
        {"packet_filter": {"chains": [{**OUTPUT, "family": "ip6"}], "rules": [{**rule("drop"), "family": "ip6"}]}},
        "exonerated",
        "No rule",
    ),
    ("filter", "a jump to itself", filtered(rule("jump OUTPUT", "jump OUTPUT")), "exonerated", "No rule"),
    ("filter", "answers", filtered(input="drop"), "cause", "The policy of ip filter INPUT drops the answer"),
    (
        "filter",
        "answers are let in",
        filtered(rule("ct state established accept", "accept", "INPUT", conntrack=True), input="drop"),
        "exonerated",
        "No rule",
    ),
    (
        "filter",
        "the answer's port is named",
        filtered(rule("-A INPUT -p tcp --sport 443 -j DROP", chain="INPUT")),
        "cause",
        "The rule «-A INPUT -p tcp --sport 443 -j DROP» of ip filter INPUT drops the answer on its way in.",
    ),
    ("filter", "another's", filtered(rule("tcp sport 22 drop", chain="INPUT")), "exonerated", "or its answer"),
    ("filter", "all but it", filtered(rule("tcp sport != 443 drop", chain="INPUT")), "exonerated", "or its answer"),
    ("filter", "one of many", filtered(rule("tcp sport { 22, 443 } drop", chain="INPUT")), "cause", "the answer"),
    (
        "filter",
        "the answer's port, of one mark",
        filtered(rule("tcp sport 443 meta mark 1 drop", chain="INPUT")),
        "possible",
        "may drop the answer",
    ),
    ("filter", "everything that comes in", filtered(rule("-A INPUT -j DROP", chain="INPUT")), "cause", "the answer"),
    (
        "filter",
        "strays",
        filtered(rule("ip saddr @strangers drop", chain="INPUT", sources=["@strangers"])),
        "unknown",
        "a SYN on its way out; whether the rule «ip saddr @strangers drop» of ip filter INPUT drops the answer on its "
        "way in is not judged («ip saddr @strangers»).",
    ),
    (
        "filter",
        "all but some",
        filtered(
            rule("-A INPUT -m set --match-set friends src -j ACCEPT", "accept", "INPUT"),
            rule("-A INPUT -j DROP", chain="INPUT"),
        ),
        "possible",
        "on its way in: the rule «-A INPUT -m set --match-set friends src -j ACCEPT» before it is not judged.",
    ),
    (
        "filter",
        "answers are let in by another interface only",
        filtered(rule('iifname "eth1" ct state established accept', "accept", "INPUT", conntrack=True), input="drop")
        | {"interfaces": [{"index": 2, "name": "eth0", "addresses": ["10.0.0.1/24"]}]},
        "cause",
        "The policy of ip filter INPUT drops the answer on its way in.",
    ),
    (
        "filter",
        "let in before",
        filtered(
            rule("ct state established accept", "accept", "INPUT", conntrack=True),
            rule("tcp sport 443 drop", chain="INPUT"),
        ),
        "exonerated",
        "or its answer",
    ),
    ("conntrack", "full", {"conntrack": {"count": 100, "max": 100}}, "possible", "100 % full"),
    ("conntrack", "room", {"conntrack": {"count": 10, "max": 100}}, "exonerated", "has room"),
    (
        "rp_filter",
        "strict, and another way in",
        {
            "sysctls": {"net.ipv4.conf.all.rp_filter": 1, "net.ipv4.conf.eth0.rp_filter": 0},
            "routes": [DEFAULT, {"destination": "10.9.0.0/16", "interface": "eth1"}],
        },
        "possible",
        "answers that do not come in over eth0 are dropped",
    ),
    (
        "rp_filter",
        "strict, and one interface",
        {"sysctls": {"net.ipv4.conf.all.rp_filter": 1}, "routes": [DEFAULT]},
        "exonerated",
        "drops nothing",
    ),
    (
        "peers",
        "others wait",
        {"destinations": [{"to": "192.0.2.9:443", "states": {"SYN_SENT": 5, "ESTABLISHED": 2}, "retransmitting": 4}]},
        "fact",
        "4 other connections of this host to it wait for an answer to a SYN sent more than once, and 2 are "
        "established.",
    ),
    (
        "peers",
        "one is fine",
        {"destinations": [{"to": "192.0.2.9:443", "states": {"ESTABLISHED": 1}}]},
        "exonerated",
        "1 other connection of this host to it is established.",
    ),
    (
        "retries",
        "the defaults of 6.18",
        {"sysctls": {"tcp_syn_retries": 6, "tcp_syn_linear_timeouts": 4}},
        "fact",
        "after 1, 2, 3, 4, 5, 7, 11, 19 s and 2 times more, and connect() gives up after 2 min 11 s to 2 min 16 s",
    ),
    ("retries", "3 before 6.5", {"sysctls": {"tcp_syn_retries": 3}}, "fact", "after 1, 3 and 7 s"),
]


@pytest.mark.parametrize(
    ("kind", "now", "verdict", "says"),
    [pytest.param(kind, now, verdict, says, id=f"{kind}: {name}") for kind, name, now, verdict, says in JUDGEMENTS],
)
def test_judgement(kind: str, now: dict[str, Any], verdict: str, says: str) -> None:
    cause = judged(kind, now)
    assert cause is not None
    assert says in cause.sentence
    assert cause.verdict == verdict


def test_a_counter_that_moved_makes_it_certain() -> None:
    def counted(packets: int) -> dict[str, Any]:
        return filtered(rule(f"tcp dport 443 counter packets {packets} bytes 0 drop", ports=["443"], packets=packets))

    cause = judged("filter", counted(9), counted(4))
    assert cause is not None
    assert cause.verdict == "cause"
    assert "counted packets in the meantime and drops the SYN" in cause.sentence


def test_a_counter_at_the_input_is_about_the_answer_where_there_was_none() -> None:
    def counted(packets: int) -> dict[str, Any]:
        text = f"counter packets {packets} bytes 0 drop"
        return filtered(rule(text, chain="INPUT", packets=packets))

    cause = judged("filter", counted(9), counted(4))
    assert cause is not None
    assert cause.verdict == "cause"
    assert "counted packets in the meantime and drops the answer on its way in" in cause.sentence
    later, earlier = snapshots({"now": counted(9), "before": counted(4)})
    assert earlier is not None
    causes = local_causes(later.netns[0], *TO, errno="ECONNREFUSED", before=earlier.netns[0], interval_s=10)
    (refused,) = (cause for cause in causes if cause.kind == "filter")
    assert (refused.verdict, refused.sentence) == (
        "exonerated",
        "No rule of the packet filter stops a SYN on its way out.",
    )


@pytest.mark.parametrize(("place", "where"), [("blue", " in network namespace blue"), ("host", "")])
def test_a_rule_at_the_input_of_the_target_s_namespace_is_found(place: str, where: str) -> None:
    def counted(packets: int) -> dict[str, Any]:
        text = f"tcp dport 443 counter packets {packets} bytes 0 drop"
        there = filtered(rule(text, chain="INPUT", ports=["443"], packets=packets))
        return there if place == "host" else {"netns": [{"name": place, **there}], **filtered()}

    later, earlier = snapshots({"now": counted(9), "before": counted(4)})
    assert earlier is not None
    there = Space(later.netns[-1], earlier.netns[-1], 10)
    here = {"before": earlier.netns[0], "interval_s": 10.0}
    causes = local_causes(later.netns[0], *TO, path=Path((), there), **here)  # type: ignore[arg-type]
    (cause,) = (cause for cause in causes if cause.kind == "filter")
    assert cause.verdict == "cause"
    assert cause.sentence.endswith(f"INPUT{where} counted packets in the meantime and drops the SYN on its way in.")
    assert cause.netns == (None if place == "host" else place)
    elsewhere = local_causes(later.netns[0], "192.0.2.9", 80, path=Path((), there), **here)  # type: ignore[arg-type]
    (cause,) = (cause for cause in elsewhere if cause.kind == "filter")
    assert cause.sentence == (
        "No rule of the packet filter stops a SYN on its way out or in, or its answer on its way in."
    )


@pytest.mark.parametrize(
    ("routes", "verdict", "says"),
    [
        ([{"destination": "10.0.0.0/24", "interface": "eth0"}], "exonerated", "There is a route"),
        ([], "cause", "Network namespace blue has no route back to 10.0.0.1: it drops the SYN."),
        ([{"destination": "10.0.0.0/8", "kind": "blackhole"}], "cause", "only the route 10.0.0.0/8 of kind blackhole"),
    ],
)
def test_a_namespace_without_a_route_back_cannot_answer(routes: list[dict[str, Any]], verdict: str, says: str) -> None:
    now = {"routes": [DEFAULT], "netns": [{"name": "blue", "routes": routes}]}
    here, blue = snapshots({"now": now})[0].netns
    causes = local_causes(here, *TO, source="10.0.0.1", path=Path((), Space(blue, None, None)))
    (cause,) = (one for one in causes if one.kind == "route")
    assert (cause.verdict, says in cause.sentence) == (verdict, True)
    worked = local_causes(here, *TO, source="10.0.0.1", established=True, path=Path((), Space(blue, None, None)))
    assert next(one for one in worked if one.kind == "route").verdict == "exonerated"


def test_a_loopback_that_is_down_is_why_this_host_does_not_reach_itself() -> None:
    lo = {"index": 1, "name": "lo", "addresses": []}
    for up, verdict in ((False, "cause"), (True, "exonerated")):
        (space,) = snapshots({"now": {"interfaces": [{**lo, "up": up}]}})[0].netns
        (cause,) = (one for one in local_causes(space, "127.0.0.1", 80, errno="ENETUNREACH") if one.kind == "route")
        assert cause.verdict == verdict
        assert ("The interface lo is down" in cause.sentence) is not up


def test_drops_in_the_meantime_accuse_conntrack_and_the_reverse_path() -> None:
    table = {"count": 90, "max": 100}
    now = {"conntrack": {**table, "stats": {"drop": 7}}, "counters": {"IPReversePathFilter": 8}}
    before = {"conntrack": {**table, "stats": {"drop": 2}}, "counters": {"IPReversePathFilter": 2}}
    conntrack, reverse = judged("conntrack", now, before), judged("rp_filter", now, before)
    assert conntrack is not None
    assert reverse is not None
    assert (conntrack.verdict, reverse.verdict) == ("cause", "cause")
    assert "dropped 5 packets" in conntrack.sentence
    assert "dropped 6 packets" in reverse.sentence


def test_what_is_not_there_is_not_told() -> None:
    assert judged("conntrack", {}) is None
    assert judged("rp_filter", {}) is None
    assert judged("peers", {}) is None
    assert judged("retries", {}) is None


@pytest.mark.parametrize(
    ("errno", "first"),
    [("EADDRNOTAVAIL", "ports"), ("ENETUNREACH", "route"), ("ETIMEDOUT", "filter"), (None, "filter")],
)
def test_the_error_orders_what_is_equally_likely(errno: str | None, first: str) -> None:
    now = {**taken(10), "routes": [{"destination": "10.0.0.0/24"}], **filtered(output="drop")}
    space = snapshots({"now": now})[0].netns[0]
    causes = local_causes(space, *TO, errno=errno)
    assert causes[0].kind == first
    # Where the error says that no packet came to the filter, its rules are no more than possible.
    assert [cause.verdict for cause in causes].count("cause") == (3 if first == "filter" else 2)


def test_the_remedy_for_ports_holds_its_conditions() -> None:
    helps, does_not = judged("ports", taken(10)), judged("ports", taken(10, time_wait_timestamps=False))
    assert helps is not None
    assert does_not is not None
    assert helps.remedy is not None
    assert does_not.remedy is not None
    assert [change.key for change in helps.remedy.changes] == ["net.ipv4.ip_local_port_range", "net.ipv4.tcp_tw_reuse"]
    assert [change.key for change in does_not.remedy.changes] == ["net.ipv4.ip_local_port_range"]


def test_a_local_address_needs_no_route() -> None:
    now = {"routes": [{"destination": "10.0.0.0/24"}], "interfaces": [{**ETH0, "addresses": ["192.0.2.9/24"]}]}
    cause = judged("route", now)
    assert cause is not None
    assert "an address of this host" in cause.sentence


DROP = filtered(rule("tcp dport 443 drop", ports=["443"]))
REJECT = filtered(rule("tcp dport 443 reject", "reject", ports=["443"]))


@pytest.mark.parametrize(
    ("rules", "errno", "established", "verdict"),
    [
        (DROP, None, False, "cause"),
        (DROP, "ETIMEDOUT", False, "cause"),
        (DROP, "ECONNREFUSED", False, "possible"),
        (DROP, "EADDRNOTAVAIL", False, "possible"),
        (DROP, None, True, "possible"),
        (REJECT, "ECONNREFUSED", False, "cause"),
        (REJECT, "ENETUNREACH", False, "possible"),
    ],
)
def test_a_rule_is_the_cause_only_of_what_it_can_bring_about(
    rules: dict[str, Any], errno: str | None, established: bool, verdict: str
) -> None:
    now, _ = snapshots({"now": rules})
    causes = local_causes(now.netns[0], *TO, errno=errno, established=established)
    (found,) = (cause for cause in causes if cause.kind == "filter")
    assert (found.verdict, found.stops) == (verdict, "syn_out")


def test_a_counter_that_stood_still_denies_what_the_text_says() -> None:
    counted = filtered(rule("tcp dport 443 counter packets 7 bytes 420 drop", ports=["443"], packets=7))
    found = judged("filter", counted, counted)
    assert found is not None
    assert found.verdict == "exonerated"


def test_what_is_beyond_the_limit_of_a_rule_that_accepts_meets_the_next_one() -> None:
    limited = rule("tcp dport 443 limit rate 1/second accept", "accept", ports=["443"], limit="1/second burst 5")
    found = judged("filter", filtered(limited, rule("tcp dport 443 drop", ports=["443"])))
    assert found is not None
    assert found.verdict == "possible"
