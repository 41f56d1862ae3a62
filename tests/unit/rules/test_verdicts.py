"""From connects, causes and a listener to the verdict: what is concluded, from what, and what would falsify it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.rules.notation import snapshots

from halfopen.model.cause import LocalCause
from halfopen.model.finding import Remedy
from halfopen.model.handshake import Handshake
from halfopen.model.probe import DataReport, ProbeResult
from halfopen.model.target import Target
from halfopen.model.verdict import SEVERITIES, VERDICT_KINDS, Packets
from halfopen.rules.context import Context
from halfopen.rules.diagnose import diagnose
from halfopen.rules.growth import Growth
from halfopen.rules.routing import is_own
from halfopen.rules.serving import serving
from halfopen.rules.verdicts import Facts, by_capture, judge

if TYPE_CHECKING:
    from halfopen.model.probe import Ending
    from halfopen.rules.listening import Listening
    from halfopen.rules.space import Space

TARGET = Target("192.0.2.9", 443)
SILENT = DataReport("silent", None, 1.3e6, 0, None, 0, 0, 1)


def result(
    ending: Ending = "established", *, syns: int = 1, errno: str | None = None, data: DataReport | None = None
) -> ProbeResult:
    row = Handshake(
        source="probe",
        start_ns=0,
        client="10.0.0.1",
        client_port=40000,
        server=TARGET.host,
        server_port=TARGET.port,
        outcome="established" if ending == "established" else "timeout",
        syn_sent=syns,
        connect_us=100.0 if syns == 1 else 1.03e6,
        errno=errno,
    )
    return ProbeResult(row, TARGET, 1, ending, data=data)


def icmp(server: str = "192.0.2.9", by: str = "10.0.0.1", kind: tuple[int, int] = (3, 1)) -> ProbeResult:
    """A connect that an ICMP error ended; of this host itself, unless told otherwise."""
    one = result("unreachable", errno="EHOSTUNREACH")
    row = replace(one.handshake, server=server, icmp_type=kind[0], icmp_code=kind[1], icmp_from=by)
    return replace(one, handshake=row)


def listener(**fields: Any) -> Listening:  # noqa: ANN401
    now, _ = snapshots({"now": {"listeners": [{"at": "0.0.0.0:443", "by": "nginx", **fields}]}})
    return Context.of(now).spaces[0].listening[0]


def namespace(name: str) -> Space:
    """Another namespace of this host, in which nothing listens."""
    now, _ = snapshots({"now": {"netns": [{"name": name}]}})
    return Context.of(now).spaces[1]


def serving_space(*at: str, **fields: Any) -> Space:  # noqa: ANN401
    """This host, with nginx on these addresses."""
    now, _ = snapshots({"now": {"listeners": [{"at": one, "by": "nginx", **fields} for one in at]}})
    return Context.of(now).spaces[0]


def starved(*results: ProbeResult, drops: int | None = None, **fields: Any) -> Facts:  # noqa: ANN401
    """What connects to a listener of this host's own met; ``drops``: what it dropped meanwhile."""
    now, before = snapshots({"now": {"listeners": [{"at": "0.0.0.0:443", "by": "nginx", **fields}]}})
    space = Context.of(now, before).spaces[0]
    growth = None if drops is None else Growth(drops, 3.0, measured=True)
    found = diagnose(now, before).findings
    return Facts(TARGET, results, own=True, there=space, listening=space.listening[0], drops=growth, findings=found)


FULL: dict[str, Any] = {"queue": 6, "limit": 5, "queued": {"established": 6, "oldest_ms": 5000}}
NO_PORT = LocalCause("ports", "cause", "No local port is left.", remedy=Remedy("Reuse connections."))

CASES = [
    ("all established", Facts(TARGET, (result(),) * 5), "healthy", "5 connects to 192.0.2.9:443, all established"),
    (
        "a second SYN",
        Facts(TARGET, (result(), result(syns=2))),
        "slow_syn",
        "1 of 2 connects needed a second SYN, and took up to 1.03 s",
    ),
    ("refused", Facts(TARGET, (result("refused"),) * 5), "refused", "answered by a RST"),
    (
        "refused by this host",
        Facts(TARGET, (result("refused"),), own=True),
        "refused",
        "Nothing listens on 192.0.2.9:443 on this host.",
    ),
    (
        "refused by another network namespace of this host",
        Facts(TARGET, (result("refused"),), own=True, there=namespace("blue")),
        "refused",
        "Nothing listens on 192.0.2.9:443 in network namespace blue of this host.",
    ),
    (
        "refused, but served on loopback",
        Facts(TARGET, (result("refused"),), own=True, there=serving_space("127.0.0.1:443")),
        "refused",
        "Nothing listens on 192.0.2.9:443 on this host: 127.0.0.1:443 (nginx) is on another address.",
    ),
    (
        "refused, but served on another port",
        Facts(TARGET, (result("refused"),), own=True, there=serving_space("0.0.0.0:8443")),
        "refused",
        "on this host: what listens there is 0.0.0.0:8443 (nginx).",
    ),
    ("silence", Facts(TARGET, (result("timeout", syns=3),) * 2), "silent_drop", "no SYN-ACK, no RST, no ICMP"),
    (
        "ICMP",
        Facts(TARGET, (result("unreachable", errno="EHOSTUNREACH"),)),
        "unreachable",
        "unreachable (EHOSTUNREACH)",
    ),
    (
        "no route",
        Facts(TARGET, (result("unreachable", syns=0, errno="ENETUNREACH"),)),
        "not_sent",
        "This host sent no SYN: connect() said ENETUNREACH.",
    ),
    (
        "no port",
        Facts(TARGET, (result("not_sent", errno="EADDRNOTAVAIL"),)),
        "not_sent",
        "connect() said EADDRNOTAVAIL",
    ),
    ("no name", Facts(TARGET, unresolved="Name or service not known"), "not_resolved", "stands for no address"),
    (
        "some of each",
        Facts(TARGET, (result(), result("refused", errno="ECONNREFUSED"))),
        "mixed",
        "1 of 2 connects were established",
    ),
    ("each otherwise", Facts(TARGET, (result("timeout"), result("refused"))), "mixed", "No connect was established"),
    (
        "own listener does not accept",
        starved(result(), result("timeout", syns=3), **FULL),
        "accept_starvation",
        "The accept queue is full: nginx has let a connection wait for accept() for 5 s.",
    ),
    (
        "data without its beginning",
        Facts(TARGET, (result(data=replace(SILENT, data_segments_received=1)),)),
        "data_lost",
        "never its beginning",
    ),
    (
        "the SYN-ACK comes again",
        Facts(TARGET, (result(), result(data=replace(SILENT, segments_received=2)))),
        "accept_starvation",
        "sends its SYN-ACK again and again",
    ),
]


@pytest.mark.parametrize(("facts", "kind", "says"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_verdict(facts: Facts, kind: str, says: str) -> None:
    verdict = judge(facts)
    assert says in verdict.sentence
    assert verdict.kind == kind
    assert verdict.falsified_by


def test_every_kind_is_reached_and_has_a_severity() -> None:
    assert {case[2] for case in CASES} == set(VERDICT_KINDS)
    assert set(SEVERITIES) == set(VERDICT_KINDS)


def test_a_local_cause_is_named_with_its_remedy_and_nobody_else_is_suspected() -> None:
    verdict = judge(Facts(TARGET, (result("not_sent", errno="EADDRNOTAVAIL"),), (NO_PORT,)))
    assert verdict.sentence.endswith("No local port is left.")
    assert verdict.steps[0] == "Reuse connections."
    silent = judge(Facts(TARGET, (result("timeout", syns=3),), (NO_PORT,)))
    assert not any("At the server" in step for step in silent.steps)


def test_a_listener_without_drops_is_exonerated() -> None:
    facts = Facts(TARGET, (result(syns=2),), own=True, listening=listener(), drops=Growth(0, 3.0, measured=True))
    evidence = " ".join(judge(facts).evidence)
    assert "holds 0 connections (its limit: 4 096, and one more fits)" in evidence
    assert "It dropped nothing in 3 s: the listener is exonerated." in evidence
    guilty = Facts(TARGET, (result(syns=2),), own=True, listening=listener(), drops=Growth(7, 3.0, measured=True))
    assert "It dropped 7 packets in 3 s." in " ".join(judge(guilty).evidence)


def test_sockets_that_were_not_read_are_no_missing_listener() -> None:
    now, _ = snapshots({"now": {"blind": True}})
    verdict = judge(Facts(TARGET, (result("refused"),), own=True, there=Context.of(now).spaces[0]))
    assert "answered by a RST: nothing listens there, or a firewall says so." in verdict.sentence
    unread = "The target is this host, whose sockets could not be read: what serves 192.0.2.9:443 is not known."
    assert unread in verdict.evidence


def test_the_namespace_that_has_the_address_is_named() -> None:
    verdict = judge(Facts(TARGET, (result("timeout", syns=3),), own=True, there=namespace("blue {0}")))
    assert verdict.evidence == (
        "The target is network namespace blue {0} of this host, and none of its listeners serves 192.0.2.9:443.",
    )
    assert verdict.steps[0].startswith("See whether the SYN arrives in network namespace blue {0} of this host")


def test_a_neighbour_that_is_silent_is_unreachable_though_the_first_connects_only_timed_out() -> None:
    verdict = judge(Facts(TARGET, (result("timeout", syns=1), icmp())))
    assert (verdict.kind, verdict.sentence) == (
        "unreachable",
        "Nobody on the link answers ARP for 192.0.2.9: that host is off, or not in that network.",
    )
    assert verdict.steps == (
        "See what the link knows of it: `ip neigh show 192.0.2.9`; whether the link is up: `ip -br link`.",
    )
    assert "REACHABLE" in verdict.falsified_by
    six = judge(Facts(TARGET, (icmp("2001:db8::9", kind=(1, 3)),)))
    assert "answers ND for 2001:db8::9" in six.sentence
    behind = judge(Facts(TARGET, (icmp(),), gateway="10.0.0.254"))
    assert "answers ARP for 10.0.0.254, the gateway to 192.0.2.9" in behind.sentence
    assert "ip neigh show 10.0.0.254" in behind.steps[0]
    assert "ip neigh show 10.0.0.254" in behind.falsified_by


def test_a_router_that_does_not_tell_every_time_is_believed() -> None:
    verdict = judge(Facts(TARGET, (result("timeout", syns=3), icmp(by="10.0.0.254"), result("timeout", syns=3))))
    assert verdict.kind == "unreachable"
    assert verdict.sentence == (
        "1 of 3 connects to 192.0.2.9:443 ended in unreachable (EHOSTUNREACH) by the router 10.0.0.254: «host "
        "unreachable», the others had no answer."
    )
    assert verdict.steps == (
        "See whether 192.0.2.9 is on: behind the router 10.0.0.254 nobody answers for that address.",
    )


def test_the_own_packet_filter_is_suspected_before_a_neighbour_and_then_nobody_else_is_asked() -> None:
    rejects = LocalCause("filter", "cause", "A rule rejects it.", remedy=Remedy("Change that rule."))
    verdict = judge(Facts(TARGET, (icmp(),), (rejects,)))
    assert verdict.sentence.endswith("A rule rejects it.")
    assert verdict.steps == ("Change that rule.",)


def test_of_two_addresses_the_one_that_fails_is_named() -> None:
    there = replace(result(), handshake=replace(result().handshake, server="192.0.2.8"))
    verdict = judge(
        Facts(Target("duo", 80), (there, icmp(), there, result("timeout", syns=3)), own=True, there=namespace("blue"))
    )
    assert (verdict.kind, verdict.sentence) == (
        "mixed",
        "Connects to 192.0.2.8 are established, those to 192.0.2.9 are not: unreachable (EHOSTUNREACH), timeout.",
    )
    assert verdict.steps == (
        "Find out why 192.0.2.9 does not answer: `halfopen doctor 192.0.2.9:80`.",
        "Until then take it out of the addresses of duo.",
    )


def test_addresses_that_fail_differently_are_told_apart() -> None:
    silent = replace(result("timeout", syns=3), handshake=replace(result().handshake, server="192.0.2.8"))
    refused = result("refused", errno="ECONNREFUSED")
    verdict = judge(Facts(Target("duo", 80), (silent, refused, silent)))
    assert verdict.sentence == (
        "No connect was established: timeout at 192.0.2.8; refused (ECONNREFUSED) at 192.0.2.9."
    )
    assert verdict.steps == (
        "Of 192.0.2.8, see more: `halfopen doctor 192.0.2.8:80`.",
        "Of 192.0.2.9, see more: `halfopen doctor 192.0.2.9:80`.",
    )
    assert judge(Facts(Target("duo", 80), (silent, icmp()))).kind == "mixed"


def at(server: str, one: ProbeResult) -> ProbeResult:
    return replace(one, handshake=replace(one.handshake, server=server))


def test_what_stops_connects_to_one_address_is_not_said_of_another() -> None:
    lost = (at("192.0.2.8", result("timeout", syns=3)), result("timeout", syns=3))
    rule = stopped("cause", "syn_out")
    one = judge(Facts(TARGET, lost, (rule,), accused_by_address=(("192.0.2.8", rule), ("192.0.2.9", None))))
    assert one.sentence == (
        "No connect was established: timeout at 192.0.2.8 (The rule «tcp dport 443 drop» of ip filter INPUT drops it); "
        "timeout at 192.0.2.9."
    )
    assert one.steps == (
        "For 192.0.2.8: Accept it: `nft insert rule …`.",
        "Of 192.0.2.9, see more: `halfopen doctor 192.0.2.9:443`.",
    )
    both = judge(Facts(TARGET, lost, (rule,), accused_by_address=(("192.0.2.8", rule), ("192.0.2.9", rule))))
    assert both.kind == "not_sent"


V6 = at("2001:db8::9", result("unreachable", syns=0, errno="ENETUNREACH"))


def test_a_family_that_this_host_does_not_speak_does_not_count() -> None:
    healthy = judge(Facts(TARGET, (result(), V6, result(), V6)))
    assert (healthy.kind, healthy.severity) == ("healthy", None)
    assert healthy.sentence.startswith("2 connects to")
    assert healthy.evidence[-1].startswith("This host has no way to 2001:db8::9: connect() says so at once")
    assert judge(Facts(TARGET, (*LOST, V6))).kind == "silent_drop"
    assert judge(Facts(TARGET, (V6,))).kind == "not_sent"
    told = at("2001:db8::9", icmp())
    assert judge(Facts(TARGET, (result(), told))).kind == "mixed"


def test_an_address_that_says_no_at_once_is_less_than_one_that_is_silent() -> None:
    """As of ``localhost`` where nothing listens on ::1."""
    refused = at("::1", result("refused", errno="ECONNREFUSED"))
    verdict = judge(Facts(Target("localhost", 80), (result(), refused)))
    assert (verdict.kind, verdict.severity) == ("mixed", "warning")
    silent = at("::1", result("timeout", syns=3))
    assert judge(Facts(Target("localhost", 80), (result(), silent))).severity == "critical"


def test_a_remote_loss_is_looked_for_at_both_ends() -> None:
    remote = judge(Facts(TARGET, (result("timeout", syns=3),)))
    assert any("--against" in step for step in remote.steps)
    local = judge(Facts(TARGET, (result("timeout", syns=3),), own=True, listening=listener()))
    assert not any("--against" in step for step in local.steps)


@pytest.mark.parametrize(
    ("rows", "address", "found"),
    [
        (["0.0.0.0:80", "10.0.0.1:80"], "10.0.0.1", "10.0.0.1:80"),
        (["0.0.0.0:80", "10.0.0.1:80"], "10.0.0.2", "0.0.0.0:80"),
        (["[::]:80"], "10.0.0.1", "[::]:80"),
        (["[::]:80", "0.0.0.0:80"], "10.0.0.1", "0.0.0.0:80"),
        (["127.0.0.1:80"], "10.0.0.1", None),
        (["0.0.0.0:81"], "10.0.0.1", None),
        (["0.0.0.0:80"], "2001:db8::1", None),
    ],
)
def test_the_most_specific_listener_serves(rows: list[str], address: str, found: str | None) -> None:
    now, _ = snapshots({"now": {"listeners": [{"at": row} for row in rows]}})
    served = serving(Context.of(now).spaces[0], address, 80)
    assert (None if served is None else served.name) == found


def test_an_ipv6_listener_that_is_only_that_takes_no_ipv4() -> None:
    now, _ = snapshots({"now": {"listeners": [{"at": "[::]:80", "only_v6": True}]}})
    assert serving(Context.of(now).spaces[0], "10.0.0.1", 80) is None


@pytest.mark.parametrize(
    "ended", [result("timeout", syns=3), result("unreachable", errno="EHOSTUNREACH"), result("refused")]
)
def test_a_rule_of_this_hosts_own_output_is_the_verdict(ended: ProbeResult) -> None:
    rule = LocalCause("filter", "cause", "The rule drops.", remedy=Remedy("Change that rule."), stops="syn_out")
    verdict = judge(Facts(TARGET, (ended,) * 2, (rule,)))
    assert verdict.kind == "not_sent"
    assert verdict.sentence == "2 connects to 192.0.2.9:443 failed: no SYN got out of this host. The rule drops."
    assert verdict.steps == ("Change that rule.",)


def test_a_rule_at_the_input_says_nothing_of_the_way_out() -> None:
    rule = LocalCause("filter", "cause", "The rule drops.", remedy=Remedy("Change that rule."), stops="answer")
    verdict = judge(Facts(TARGET, (result("timeout", syns=3),), (rule,)))
    assert verdict.kind == "silent_drop"
    assert verdict.steps == ("Change that rule.",)


def packets(syns: int | None, answers: int = 0, dropped: int = 0) -> Packets:
    """What a capture shows; of these connects, so many."""
    return Packets(9, dropped, {}, syn_sent=9, syn_ack_sent=9, own_syn_sent=syns, own_syn_ack_sent=answers)


def stopped(verdict: str, stops: str = "syn_in", **more: Any) -> LocalCause:  # noqa: ANN401
    rule = "The rule «tcp dport 443 drop» of ip filter INPUT"
    sure, may = f"{rule} drops it.", f"{rule} may drop it."
    more |= {"remedy": Remedy("Accept it: `nft insert rule …`."), "confirm": "nft list chain", "stops": stops}
    return LocalCause("filter", verdict, sure if verdict == "cause" else may, if_sure=sure, **more)  # type: ignore[arg-type]


LOST = (result("timeout", syns=3),) * 2


@pytest.mark.parametrize(
    ("ended", "kind"),
    [(LOST, "silent_drop"), ((icmp(by="192.0.2.9", kind=(3, 3)),), "unreachable"), ((result("refused"),), "refused")],
)
def test_what_stops_every_syn_comes_before_a_listener_that_is_starved(
    ended: tuple[ProbeResult, ...], kind: str
) -> None:
    facts = replace(starved(*ended, drops=0, **FULL), causes=(stopped("cause"),))
    verdict = judge(facts)
    assert verdict.kind == kind
    assert "The rule «tcp dport 443 drop» of ip filter INPUT drops it." in verdict.sentence
    assert verdict.steps == ("Accept it: `nft insert rule …`.",)
    assert "with that rule gone" in verdict.falsified_by
    assert verdict.check == "nft list chain"


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        (starved(*LOST, drops=0, **FULL), "silent_drop"),
        (starved(*LOST, drops=6, **FULL), "accept_starvation"),
        (starved(*LOST, drops=None, **FULL), "accept_starvation"),
        (starved(*LOST, drops=6, **{**FULL, "limit": 50}), "silent_drop"),
        (starved(result(), result(), drops=0, **{**FULL, "limit": 50}), "accept_starvation"),
        (starved(result(), result(), drops=0, queue=0), "healthy"),
        (starved(result("refused"), drops=0, **FULL), "refused"),
    ],
    ids=[
        "full, and it dropped nothing",
        "full, and it dropped",
        "full, and its drops are not known",
        "others wait, and it is not full",
        "nobody takes them",
        "all are taken",
        "a RST is no silence",
    ],
)
def test_a_queue_is_blamed_only_for_what_it_does(facts: Facts, kind: str) -> None:
    assert judge(facts).kind == kind


def test_a_program_that_is_slow_is_not_said_not_to_accept() -> None:
    verdict = judge(starved(result(), drops=0, **{**FULL, "limit": 50}))
    assert verdict.sentence == "Connections wait for accept(): nginx has let a connection wait for accept() for 5 s."
    assert verdict.steps[0] == "Find out what keeps nginx from accept()."
    assert (verdict.told, verdict.check) == (("HO104",), "ss -ltn 'sport = :443'")


def test_a_full_syn_queue_is_named() -> None:
    table = {"sysctls": {"tcp_syncookies": 0}, "listeners": [{"at": "0.0.0.0:443", "syn_queue": 6, "limit": 5}]}
    now, _ = snapshots({"now": table})
    space = Context.of(now).spaces[0]
    drops = Growth(60, 6.0, measured=True)
    facts = Facts(TARGET, LOST, own=True, there=space, listening=space.listening[0], drops=drops)
    verdict = judge(replace(facts, findings=diagnose(now).findings))
    assert (verdict.kind, verdict.told) == ("silent_drop", ("HO106",))
    assert verdict.sentence == "The SYN queue is full and SYN cookies are off: every further SYN is dropped."
    assert "`sysctl -w net.ipv4.tcp_syncookies=1` (now 0)" in verdict.steps


@pytest.mark.parametrize(
    ("shown", "kind", "says"),
    [
        (
            packets(0),
            "not_sent",
            "no SYN got out of this host. The rule «tcp dport 443 drop» of ip filter INPUT drops it.",
        ),
        (packets(6), "silent_drop", "had no answer at all"),
        (packets(0, dropped=1), "silent_drop", "had no answer at all"),
    ],
    ids=["none left", "they left", "the capture lost packets"],
)
def test_a_capture_says_whether_a_rule_that_may_stop_the_syn_does(shown: Packets, kind: str, says: str) -> None:
    verdict = judge(Facts(TARGET, LOST, (stopped("possible", "syn_out"),), packets=shown))
    assert verdict.kind == kind
    assert says in verdict.sentence


def test_a_capture_without_a_syn_names_what_may_stop_it() -> None:
    verdict = judge(Facts(TARGET, LOST, packets=packets(0)))
    assert (verdict.kind, verdict.sentence) == (
        "not_sent",
        "2 connects to 192.0.2.9:443 failed: no SYN to it left this host.",
    )
    assert verdict.evidence == ("A capture shows none of the 6 SYNs that TCP sent: what stops them stands between.",)
    assert "tc -s qdisc" in verdict.steps[0]


def test_an_answer_that_came_in_was_dropped_here() -> None:
    verdict = judge(Facts(TARGET, LOST, (stopped("possible", "answer"),), packets=packets(6, 4)))
    assert verdict.sentence.startswith("2 connects to 192.0.2.9:443 had their answer dropped by this host")
    assert verdict.sentence.endswith("INPUT drops it.")
    assert verdict.evidence == ("A capture shows 4 answers to these connects coming in.",)


def test_what_a_capture_has_shown_is_no_disproof_any_more() -> None:
    verdict = judge(Facts(TARGET, LOST, packets=packets(6)))
    assert verdict.evidence == ("A capture shows their 6 SYNs leave this host, and no SYN-ACK come in.",)
    assert (
        verdict.falsified_by == "A capture at the target that shows an answer leave: then it is lost on its way back."
    )
    assert "A capture at this host" in judge(Facts(TARGET, LOST)).falsified_by


def test_an_answer_that_a_rule_drops_is_not_said_to_be_none() -> None:
    verdict = judge(Facts(TARGET, LOST, (stopped("cause", "answer"),)))
    assert verdict.sentence.startswith("2 connects to 192.0.2.9:443 waited in vain: the answer does not come through. ")


def test_a_rule_that_is_no_suspect_any_more_is_so_in_every_output() -> None:
    facts = Facts(TARGET, LOST, (stopped("possible", "syn_out"),), packets=packets(6))
    (cause,) = by_capture(facts)
    assert (cause.verdict, cause.remedy) == ("exonerated", None)


def test_what_is_sent_elsewhere_leaves_under_another_address() -> None:
    elsewhere = LocalCause("translation", "fact", "It goes to 10.0.0.5:80.", confirm="halfopen doctor 10.0.0.5:80")
    verdict = judge(Facts(TARGET, LOST, (elsewhere,), packets=packets(0)))
    assert verdict.kind == "silent_drop"
    assert verdict.steps == ("See what becomes of it where it is sent on to: `halfopen doctor 10.0.0.5:80`.",)
    assert verdict.evidence == ("It goes to 10.0.0.5:80.",)
    refused = judge(Facts(TARGET, (result("refused"),), (elsewhere,)))
    assert refused.sentence.endswith("nothing listens where they are sent on to.")


def test_a_suspect_leads_what_to_do() -> None:
    here = judge(Facts(TARGET, LOST, (stopped("possible", "syn_out"),)))
    assert here.steps[0].endswith("may drop it. `halfopen doctor 192.0.2.9:443 --capture` tells whether it does.")
    there = judge(Facts(TARGET, LOST, (stopped("possible", netns="blue"),)))
    assert there.steps[0].endswith("may drop it. See whether it helps. Accept it: `nft insert rule …`.")
    blind = judge(Facts(TARGET, LOST, (LocalCause("filter", "unknown", "Not read."),)))
    assert blind.steps[0].endswith("`sudo halfopen doctor 192.0.2.9:443`.")
    refused = judge(Facts(TARGET, (result("refused"),), (LocalCause("filter", "unknown", "Not read."),)))
    assert refused.steps == ("Start the service, or have it listen on that address.",)


@pytest.mark.parametrize(
    ("one", "by", "do"),
    [
        (icmp(by="192.0.2.9", kind=(3, 3)), "by the target itself: «port unreachable»", "of 192.0.2.9's packet filter"),
        (icmp(by="10.0.0.1", kind=(3, 13)), "by this host itself", "this host's own packet filter"),
        (icmp(by="10.0.0.254", kind=(3, 0)), "by the router 10.0.0.254", "Give the router 10.0.0.254 a route to"),
        (icmp(by="10.0.0.254", kind=(3, 13)), "«administratively prohibited»", "Have the packet filter"),
        (icmp(by="10.0.0.254", kind=(11, 0)), "«TTL exceeded", "Repair the routes between 10.0.0.254 and"),
    ],
)
def test_who_says_that_it_cannot_be_reached_and_what_to_do_about_that(one: ProbeResult, by: str, do: str) -> None:
    verdict = judge(Facts(TARGET, (one,)))
    assert by in verdict.sentence
    assert do in verdict.steps[0]


@pytest.mark.parametrize(
    ("errno", "do"),
    [
        ("EPERM", "BPF program"),
        ("EACCES", "`ip rule`"),
        ("EINVAL", "`ip route get 192.0.2.9`"),
        ("EAFNOSUPPORT", "ipv6"),
    ],
)
def test_what_to_do_where_this_host_sent_nothing(errno: str, do: str) -> None:
    (step,) = judge(Facts(TARGET, (result("not_sent", syns=0, errno=errno),))).steps
    assert do in step


def test_ignored_packets_are_no_drops() -> None:
    counters = {"ListenDrops": 7}
    table = {"listeners": [{"at": "0.0.0.0:443"}], "counters": counters}
    now, before = snapshots({"now": table, "before": {}})
    space = Context.of(now, before).spaces[0]
    drops = Growth(5, 6.0, measured=True)
    facts = Facts(TARGET, (result(),), own=True, there=space, listening=space.listening[0], drops=drops)
    assert judge(facts).evidence[1] == (
        "It ignored 5 packets in 6 s, and dropped no connection (ListenDrops stands still)."
    )


def test_a_syn_that_was_answered_in_vain_is_told() -> None:
    listening = listener(syn_queue=2, syn_queue_retransmitted=2)
    facts = Facts(TARGET, LOST, own=True, listening=listening, drops=Growth(0, 6.0, measured=True))
    assert "its answer is lost on the way back" in judge(facts).evidence[-1]


def test_later_data_without_its_beginning_is_no_syn_ack() -> None:
    later = replace(SILENT, segments_received=3, data_segments_received=3)
    verdict = judge(Facts(TARGET, (result(), result(data=later))))
    assert verdict.kind == "data_lost"
    assert "loses large ones" in verdict.sentence
    both = replace(SILENT, segments_received=4, data_segments_received=2)
    assert judge(Facts(TARGET, (result(), result(data=both)))).kind == "accept_starvation"


def test_a_server_that_defers_accept_is_healthy() -> None:
    """As nginx with ``deferred``: the SYN-ACK comes once more, after a second."""
    verdict = judge(Facts(TARGET, (result(), result(data=SILENT), result(data=SILENT))))
    assert verdict.kind == "healthy"
    assert "TCP_DEFER_ACCEPT" in verdict.evidence[-1]


def test_a_link_local_address_without_its_interface_is_told_how_it_is_written() -> None:
    lost = result("not_sent", errno="EINVAL")
    row = replace(lost.handshake, server="fe80::1")
    verdict = judge(Facts(Target("fe80::1", 443), (replace(lost, handshake=row),)))
    assert verdict.steps[0] == "Name the interface of the link: `halfopen doctor '[fe80::1%INTERFACE]:443'`."


@pytest.mark.parametrize(("address", "found"), [("0.0.0.0", "127.0.0.1"), ("::", "::1")])
def test_an_address_that_is_none_is_this_host_s_loopback(address: str, found: str) -> None:
    now, _ = snapshots({"now": {"listeners": [{"at": "127.0.0.1:80"}, {"at": "[::1]:80"}, {"at": "10.0.0.1:80"}]}})
    space = Context.of(now).spaces[0]
    served = serving(space, address, 80)
    assert served is not None
    assert served.first.address == found
    assert is_own(space.now, address)


def test_a_server_that_speaks_and_closes_defers_nothing() -> None:
    """Its FIN is a segment without data, as a SYN-ACK that comes again is."""
    spoke = replace(SILENT, end="first_byte", waited_us=200.0, segments_received=2, data_segments_received=1)
    deferred = replace(SILENT, segments_received=1, data_segments_received=0)
    assert not any("once more" in because for because in judge(Facts(TARGET, (result(data=spoke),))).evidence)
    assert any("once more" in because for because in judge(Facts(TARGET, (result(data=deferred),))).evidence)
