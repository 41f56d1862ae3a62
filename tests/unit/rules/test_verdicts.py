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
from halfopen.model.verdict import SEVERITIES, VERDICT_KINDS
from halfopen.rules.context import Context
from halfopen.rules.growth import Growth
from halfopen.rules.serving import serving
from halfopen.rules.verdicts import Facts, judge

if TYPE_CHECKING:
    from halfopen.model.probe import Ending
    from halfopen.rules.listening import Listening

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
        Facts(TARGET, (result("refused"),), own=True, place="blue"),
        "refused",
        "Nothing listens on 192.0.2.9:443 in network namespace blue of this host.",
    ),
    (
        "refused, but served on loopback",
        Facts(TARGET, (result("refused"),), own=True, elsewhere=("127.0.0.1:443 (nginx)",)),
        "refused",
        "what listens on port 443 is 127.0.0.1:443 (nginx)",
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
        Facts(TARGET, (result(), result("timeout", syns=3)), own=True, listening=listener(**FULL)),
        "accept_starvation",
        "6 connections of 0.0.0.0:443 (nginx) wait, and its queue is full",
    ),
    (
        "the SYN-ACK comes again",
        Facts(TARGET, (result(), result(data=SILENT))),
        "accept_starvation",
        "sends its SYN-ACK again",
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


def test_the_namespace_that_has_the_address_is_named() -> None:
    verdict = judge(Facts(TARGET, (result("timeout", syns=3),), own=True, place="blue {0}"))
    assert verdict.evidence == (
        "The target is network namespace blue {0} of this host, and no listener of its serves that address and port.",
    )
    assert verdict.steps[0].startswith("It is network namespace blue {0}: where its listener dropped nothing")


def test_a_neighbour_that_is_silent_is_unreachable_though_the_first_connects_only_timed_out() -> None:
    verdict = judge(Facts(TARGET, (result("timeout", syns=1), icmp())))
    assert (verdict.kind, verdict.sentence) == (
        "unreachable",
        "Nobody on the link answers ARP for 192.0.2.9, or for the gateway to it: that host is off, or not in that "
        "network.",
    )
    assert verdict.steps == ("See what the link knows of it: `ip neigh show 192.0.2.9`.",)
    assert "REACHABLE" in verdict.falsified_by
    six = judge(Facts(TARGET, (icmp("2001:db8::9", kind=(1, 3)),)))
    assert "answers ND for 2001:db8::9" in six.sentence


def test_a_router_that_does_not_tell_every_time_is_believed() -> None:
    verdict = judge(Facts(TARGET, (result("timeout", syns=3), icmp(by="10.0.0.254"), result("timeout", syns=3))))
    assert verdict.kind == "unreachable"
    assert verdict.sentence.startswith("1 of 3 connects ended in unreachable (EHOSTUNREACH), the others had no answer")


def test_the_own_packet_filter_is_suspected_before_a_neighbour_and_then_nobody_else_is_asked() -> None:
    rejects = LocalCause("filter", "cause", "A rule rejects it.", remedy=Remedy("Change that rule."))
    verdict = judge(Facts(TARGET, (icmp(),), (rejects,)))
    assert verdict.sentence.endswith("A rule rejects it.")
    assert verdict.steps == ("Change that rule.",)


def test_of_two_addresses_the_one_that_fails_is_named() -> None:
    there = replace(result(), handshake=replace(result().handshake, server="192.0.2.8"))
    verdict = judge(Facts(Target("duo", 80), (there, icmp(), there, result("timeout", syns=3)), own=True, place="blue"))
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
    assert judge(Facts(Target("duo", 80), (silent, icmp()))).kind == "mixed"


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
