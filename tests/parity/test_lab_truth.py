"""What a real kernel did, against what its capture shows: counters of both ends, the fate of each packet on the way.

``*.truth.json`` has the counters' differences over the scenario (one that is not there did not change),
``*.relay.json`` every packet that passed between the ends, with an empty list of delays where it was dropped.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import pytest
from tests.parity.captures import OWN, Record, trace_once

LAB = OWN / "lab"
FIN, SYN, ACK = 1, 2, 16
#: Capture → the scenario that it is of. The relay of `simultaneous_open` keeps no counters.
SCENARIOS = {
    "any_sll2.router.pcap": "any_sll2",
    "blackhole.pcap": "blackhole",
    "lossy_many.client.pcap": "lossy_many",
    "normal_client_close.pcap": "normal_client_close",
    "normal_server_close.client.pcap": "normal_server_close",
    "normal_server_close.server.pcap": "normal_server_close",
    "refused.pcap": "refused",
    "syn_lost_twice.client.pcap": "syn_lost_twice",
    "tfo.pcap": "tfo",
    "v6_normal.pcap": "v6_normal",
}


def truth(scenario: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((LAB / f"{scenario}.truth.json").read_bytes())
    return found


def records(capture: str) -> tuple[Record, ...]:
    return trace_once(LAB / capture).records


def counter(scenario: str, side: str, name: str) -> int:
    return int(truth(scenario)["kernel"][side].get(name, 0))


@dataclass(frozen=True)
class Passed:
    """What passed of one connection, as the relay saw it."""

    packets: tuple[dict[str, Any], ...]

    def sent(self, side: str, flags: int, mask: int = SYN | ACK) -> list[bool]:
        """Of each packet of that side with these flags, whether it arrived."""
        return [bool(p["delays"]) for p in self.packets if p["dir"] == side and p["fl"] & mask == flags]

    @property
    def hides_when_the_server_closed(self) -> bool:
        """The server closed before it knew of the client's FIN, and of its FINs only one that it sent later arrived."""
        client = next(p for p in self.packets if p["dir"] == "c" and p["fl"] & FIN)
        behind = (client["seq"] + client["len"] + 1) % 2**32
        arrived = [p["ack"] for p in self.packets if p["dir"] == "s" and p["fl"] & FIN and p["delays"]]
        return bool(arrived[0] == behind)


def relay(scenario: str) -> dict[int, Passed]:
    """{client port: what passed}."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for packet in json.loads((LAB / f"{scenario}.relay.json").read_bytes()):
        found[packet["sp"] if packet["dir"] == "c" else packet["dp"]].append(packet)
    return {port: Passed(tuple(packets)) for port, packets in found.items()}


def test_every_capture_of_the_lab_is_compared() -> None:
    assert {path.name for path in LAB.glob("*.pcap")} == SCENARIOS.keys() | {"simultaneous_open.client.pcap"}


@pytest.mark.parametrize("capture", SCENARIOS)
def test_attempts(capture: str) -> None:
    """An active open is an attempt, a passive one an established connection, a failed attempt one of neither."""
    scenario = SCENARIOS[capture]
    outcomes = Counter(record["outcome"] for record in records(capture))
    assert outcomes.total() == counter(scenario, "client", "TcpActiveOpens")
    assert outcomes["established"] == counter(scenario, "server", "TcpPassiveOpens")
    failed = outcomes["refused"] + outcomes["unanswered"]
    assert failed == counter(scenario, "client", "TcpAttemptFails")


@pytest.mark.parametrize("capture", [capture for capture in SCENARIOS if ".server." not in capture])
def test_retransmitted_syns(capture: str) -> None:
    """Taken before the path lost anything."""
    again = sum(record["syn_sent"] - 1 for record in records(capture))
    assert again == counter(SCENARIOS[capture], "client", "TcpExtTCPSynRetrans")
    assert again == trace_once(LAB / capture).summary.retransmission.syn


@pytest.mark.parametrize("capture", SCENARIOS)
def test_time_wait(capture: str) -> None:
    scenario = SCENARIOS[capture]
    held = Counter(record["time_wait"] for record in records(capture))
    assert held["client"] + held["both"] == counter(scenario, "client", "TcpExtTW")
    hidden = len(lost_server_fins(scenario)) if scenario == "lossy_many" else 0
    assert held["server"] + held["both"] + hidden == counter(scenario, "server", "TcpExtTW")


def lost_server_fins(scenario: str) -> set[int]:
    """Client ports of the connections that closed at both ends at once, which cannot be seen at the client's end."""
    return {port for port, passed in relay(scenario).items() if passed.hides_when_the_server_closed}


def test_a_capture_at_the_client_cannot_know_of_a_fin_that_was_lost_before() -> None:
    client_only = {r["client_port"] for r in records("lossy_many.client.pcap") if r["time_wait"] == "client"}
    assert client_only == lost_server_fins("lossy_many")


def test_lossy_many_syn_acks() -> None:
    """At the client's end are those that the relay let through; the server sent 47 more (its TCPSynRetrans)."""
    passed = relay("lossy_many")
    for record in records("lossy_many.client.pcap"):
        mine = passed[record["client_port"]]
        assert record["syn_sent"] == len(mine.sent("c", SYN))
        assert record["syn_ack_sent"] == sum(mine.sent("s", SYN | ACK))
    again = sum(len(mine.sent("s", SYN | ACK)) - 1 for mine in passed.values())
    assert again == counter("lossy_many", "server", "TcpExtTCPSynRetrans")


def test_lossy_many_waits() -> None:
    """Time is lost to the SYNs before the one that was answered, a second or more each."""
    for record in records("lossy_many.client.pcap"):
        waited = record["retransmit_wait_us"]
        assert waited == 0 if record["syn_sent"] == 1 else waited > 900_000
        assert record["syn_to_syn_ack_us"] - waited < 900_000 or record["syn_ack_sent"] < record["syn_sent"]


def test_fast_open() -> None:
    """One asked for a cookie, two had one and their data was taken, one had a stale cookie and got a new one."""
    found = records("tfo.pcap")
    asked = Counter(record["client_options"]["fast_open"] for record in found)
    assert asked == {"request": truth("tfo")["expect"]["tfo_request"], "cookie": truth("tfo")["expect"]["tfo_cookie"]}
    assert asked["request"] == counter("tfo", "server", "TcpExtTCPFastOpenCookieReqd")
    accepted = [record for record in found if record["fast_open"] == "accepted"]
    assert len(accepted) == counter("tfo", "client", "TcpExtTCPFastOpenActive")
    assert len(accepted) == counter("tfo", "server", "TcpExtTCPFastOpenPassive")
    assert all(record["syn_data_bytes"] > 0 for record in accepted)
    (stale,) = [record for record in found if "fast_open_fallback" in record["anomalies"]]
    assert (stale["fast_open"], stale["syn_data_bytes"]) == ("granted", len("stale cookie"))
    assert [record["client_bytes"] for record in accepted] == [len(f"early data {number}") for number in range(2)]


def test_simultaneous_open() -> None:
    (record,) = records("simultaneous_open.client.pcap")
    assert (record["outcome"], record["simultaneous"], record["time_wait"]) == ("established", True, "both")
    assert (record["client_bytes"], record["server_bytes"]) == (len("hello"), len("hello"))
    assert truth("simultaneous_open")["expect"] == {"simultaneous_open": 1, "completed": 1}


@pytest.mark.parametrize(("capture", "near"), [("client", "syn_ack_to_ack_us"), ("server", "syn_to_syn_ack_us")])
def test_where_the_capture_was_taken(capture: str, near: str) -> None:
    """One connection from both ends: 20 ms there and back, all of it on the far side of the capture."""
    (record,) = records(f"normal_server_close.{capture}.pcap")
    assert record[near] < 1000
    assert record["handshake_us"] == pytest.approx(20_000, rel=0.1)


def test_both_ends_of_a_connection_agree() -> None:
    (client,), (server,) = (records(f"normal_server_close.{end}.pcap") for end in ("client", "server"))
    local = {"source", "start_ns", "syn_to_syn_ack_us", "syn_ack_to_ack_us", "handshake_us", "duration_us"}
    assert {k: v for k, v in client.items() if k not in local} == {k: v for k, v in server.items() if k not in local}
