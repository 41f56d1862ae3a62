"""Captures whose truth is known because they were made: ``derived/`` and those of the generator of the large ones.

The generator lies in ``shared/bench`` beside this repository and makes the same bytes everywhere; here at 1/100 of
their size.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from tests.parity.captures import OWN, SHARED, Reading, Record, trace, trace_once

from halfopen.capture.trace import read

if TYPE_CHECKING:
    from pathlib import Path

    from halfopen.model.summary import Latency

GENERATOR = SHARED.parent / "bench" / "genbench.py"
SCALE = 0.01

# --- derived/ ------------------------------------------------------------------------------------------------------

CANON = json.loads((OWN / "derived/canon.truth.json").read_bytes())
CONNECTIONS = [each for each in CANON["connections"] if each["outcome"] != "midstream"]
OUTCOMES = {
    "completed": "established",
    "simultaneous_open": "established",
    "split_handshake": "established",
    "client_abort": "reset_by_client",
    "bad_synack": "reset_by_client",
    "icmp_unreachable": "unreachable",
    "synack_first": "partial",
}
SIDES = {"c": "client", "s": "server", "both": "both"}


@cache
def canon_records() -> dict[tuple[int, int], Record]:
    """{(client port, start): record} of the file that keeps nanoseconds."""
    found = trace_once(OWN / "derived/c03-pcap-le-ns.pcap").records
    return {(record["client_port"], record["start_ns"]): record for record in found}


@pytest.mark.parametrize("made", CONNECTIONS, ids=lambda made: made["desc"])
def test_conversation(made: dict[str, Any]) -> None:
    record = canon_records()[made["client"][1], made["times_ns"][0]]
    assert [record["client"], record["client_port"]] == made["client"]
    assert [record["server"], record["server_port"]] == made["server"]
    assert record["outcome"] == OUTCOMES.get(made["outcome"], made["outcome"])
    assert record["simultaneous"] == (made["outcome"] in {"simultaneous_open", "split_handshake"})
    assert record["syn_sent"] == (0 if record["outcome"] == "partial" else 1 + made.get("syn_retrans", 0))
    if "time_wait" in made:
        assert record["time_wait"] == SIDES[made["time_wait"]]
    assert record["syn_data_bytes"] == (None if record["outcome"] == "partial" else made.get("syn_data", 0))
    assert (record["client_options"] or {}).get("fast_open") == made.get("tfo")
    for name, ours in (("isn_c", "isn_client"), ("isn_s", "isn_server")):
        if made.get(name):  # 0 stands for none
            assert record[ours] == made[name]
    if made.get("ecn"):
        assert record["client_options"]["ecn"]
        assert record["server_options"]["ecn"]
    if made.get("close") == "rst_c":
        assert (record["close"], record["closed_by"]) == ("rst", "client")
    if made["outcome"] == "completed":
        check_times(record, made)


def check_times(record: Record, made: dict[str, Any]) -> None:
    """SYNs, then the SYN-ACKs, then the ACK: each at the nanosecond that it was made for."""
    times = made["times_ns"]
    answered = 1 + made.get("syn_retrans", 0)
    acked = answered + 1 + made.get("synack_retrans", 0)
    assert record["syn_ack_sent"] == acked - answered
    assert record["retransmit_wait_us"] * 1000 == times[answered - 1] - times[0]
    assert round(record["syn_to_syn_ack_us"] * 1000) == times[answered] - times[0]
    assert round(record["syn_ack_to_ack_us"] * 1000) == times[acked] - times[answered]
    assert round(record["handshake_us"] * 1000) == times[acked] - times[0]
    assert round(record["duration_us"] * 1000) == times[-1] - times[0]


def test_nothing_else_was_made() -> None:
    found = trace_once(OWN / "derived/c03-pcap-le-ns.pcap").summary
    assert (found.packets, found.handshakes, found.midstream) == (CANON["packets"], len(CONNECTIONS), 1)


# --- the generator ---------------------------------------------------------------------------------------------------


class Made:
    """A generated capture: what is true of it, and what we say."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.truth: dict[str, Any] = json.loads(path.with_name(path.name + ".truth.json").read_bytes())
        self.reading: Reading = trace(path)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    if not GENERATOR.is_file():
        pytest.skip(f"the generator is not in {GENERATOR.parent}")
    pytest.importorskip("numpy")
    folder = tmp_path_factory.mktemp("generated")
    arguments = [sys.executable, str(GENERATOR), "trio", str(folder), "--scale", str(SCALE)]
    subprocess.run(arguments, check=True, capture_output=True, timeout=100)
    return {path.stem: Made(path) for path in sorted(folder.glob("*.pcap"))}


@pytest.mark.parametrize("name", ["syn-flood", "bulk", "handshakes"])
def test_nothing_is_lost(generated: dict[str, Made], name: str) -> None:
    made = generated[name]
    summary = made.reading.summary
    assert summary.packets == summary.tcp_segments == made.truth["file"]["packets"]
    assert (summary.start_ns, summary.end_ns) == tuple(
        made.truth["file"][f"{at}_us"] * 1000 for at in ("first", "last")
    )
    assert summary.inputs[0].bytes == made.truth["file"]["bytes"]
    assert summary.handshakes == len(made.reading.records)
    assert (summary.midstream, summary.evicted, summary.defects) == (0, 0, {})
    assert summary.syn_sent == sum(record["syn_sent"] for record in made.reading.records) == made.truth["flags"]["syn"]
    assert summary.syn_ack_sent == made.truth["flags"]["synack"]


def real(records: tuple[Record, ...]) -> tuple[Record, ...]:
    """The connections that are no part of the flood: all real clients are in 10/8 or IPv6, and no forged one is."""
    return tuple(record for record in records if record["client"].startswith("10.") or ":" in record["client"])


@pytest.mark.parametrize("name", ["handshakes", "syn-flood"])
def test_short_connections(generated: dict[str, Made], name: str) -> None:
    made = generated[name]
    truth, records = made.truth.get("real", made.truth), real(made.reading.records)
    assert Counter(record["outcome"] for record in records) == {"established": truth["completed"]}
    assert sum(":" in record["client"] for record in records) == truth["ipv6"]
    assert Counter(record["syn_sent"] - 1 for record in records)[1] == truth["syn_retransmitted"]
    assert Counter(record["syn_ack_sent"] - 1 for record in records)[1] == truth["synack_retransmitted"]
    assert max(record["syn_sent"] for record in records) == 2
    assert Counter((record["close"], record["closed_by"]) for record in records) == {
        ("fin", "client"): truth["closed_fin_client_first"],
        ("fin", "server"): truth["closed_fin_server_first"],
        ("rst", "client"): truth["closed_rst_client"],
    }
    assert Counter(str(record["server_port"]) for record in records) == truth["ports"]


@pytest.mark.parametrize("name", ["handshakes", "syn-flood"])
def test_times_of_short_connections(generated: dict[str, Made], name: str) -> None:
    made = generated[name]
    truth, records = made.truth.get("real", made.truth), real(made.reading.records)
    last = [record["syn_to_syn_ack_us"] - record["retransmit_wait_us"] for record in records]
    check_distribution(last, truth["syn_last_to_synack"])
    for field, name_there in (
        ("syn_to_syn_ack_us", "syn_first_to_synack"),
        ("syn_ack_to_ack_us", "synack_first_to_ack"),
        ("handshake_us", "syn_first_to_ack"),
    ):
        check_distribution([record[field] for record in records], truth[name_there])


def check_distribution(values: list[float], truth: dict[str, int]) -> None:
    ordered = sorted(round(value) for value in values)
    assert [value for value in values if value != round(value)] == []
    assert (len(ordered), sum(ordered)) == (truth["n"], truth["sum_us"])
    assert (ordered[0], ordered[-1]) == (truth["min"], truth["max"])
    assert ordered[(len(ordered) - 1) // 2] == truth["p50"]
    if "p99" in truth:
        assert ordered[int((len(ordered) - 1) * 0.99)] == truth["p99"]


def test_the_summary_of_short_connections(generated: dict[str, Made]) -> None:
    made = generated["handshakes"]
    truth, summary = made.truth, made.reading.summary
    assert summary.outcomes == {"established": truth["completed"]}
    assert summary.ipv6 == truth["ipv6"]
    assert summary.retransmission.syn == summary.retransmission.syn_handshakes == truth["syn_retransmitted"]
    assert summary.retransmission.syn_ack == summary.retransmission.syn_ack_handshakes == truth["synack_retransmitted"]
    assert summary.retransmission.waits == ((1, truth["syn_retransmitted"]),)
    assert summary.close == {
        "fin": truth["closed_fin_client_first"] + truth["closed_fin_server_first"],
        "rst": truth["closed_rst_client"],
    }
    assert summary.time_wait == {
        "client": truth["closed_fin_client_first"],
        "server": truth["closed_fin_server_first"],
    }
    latency = summary.latency_us
    check_latency(latency.syn_to_syn_ack, truth["syn_first_to_synack"])
    check_latency(latency.answered_syn_to_syn_ack, truth["syn_last_to_synack"])
    check_latency(latency.syn_ack_to_ack, truth["synack_first_to_ack"])
    check_latency(latency.handshake, truth["syn_first_to_ack"])


def check_latency(ours: Latency, truth: dict[str, int]) -> None:
    assert ours.exact
    assert (ours.count, ours.min, ours.p50, ours.max) == (truth["n"], truth["min"], truth["p50"], truth["max"])
    assert ours.p99 == truth.get("p99", ours.p99)
    assert ours.mean_us is not None
    assert ours.mean_us * ours.count == pytest.approx(truth["sum_us"], abs=0.001 * ours.count)


def test_endpoints_add_up(generated: dict[str, Made]) -> None:
    """Beyond the thousand that have a row of their own the others are summed."""
    made = generated["handshakes"]
    summary = made.reading.summary
    endpoints = Counter((record["server"], record["server_port"]) for record in made.reading.records)
    assert summary.endpoints_total == len(endpoints)
    assert {(row.server, row.server_port): row.handshakes for row in summary.endpoints}.items() <= endpoints.items()
    assert summary.other_endpoints is not None
    assert sum(row.handshakes for row in summary.endpoints) + summary.other_endpoints.handshakes == endpoints.total()
    assert len(summary.endpoints) + summary.other_endpoints.endpoints == len(endpoints)


def test_bulk(generated: dict[str, Made]) -> None:
    made = generated["bulk"]
    truth, records = made.truth, made.reading.records
    assert Counter((r["outcome"], r["close"], r["closed_by"], r["time_wait"]) for r in records) == {
        ("established", "fin", "server", "server"): truth["closed_fin_server_first"]
    }
    assert len(records) == truth["connections"]
    check_distribution([record["syn_to_syn_ack_us"] for record in records], truth["syn_to_synack"])
    check_latency(made.reading.summary.latency_us.syn_to_syn_ack, truth["syn_to_synack"])
    assert sum(record["client_bytes"] + record["server_bytes"] for record in records) == truth["payload_bytes"]
    assert max(record["server_bytes"] for record in records) == 1448 * truth["max_segments"]


def test_flood(generated: dict[str, Made]) -> None:
    made = generated["syn-flood"]
    truth, summary = made.truth["flood"], made.reading.summary
    assert truth["distinct_4tuples"] == truth["syns"], "at this scale no forged four-tuple comes twice"
    half_open = truth["synack_answered"] - truth["reset_by_source"]
    assert summary.outcomes == {
        "established": made.truth["real"]["completed"],
        "unanswered": truth["syns"] - truth["synack_answered"],
        "half_open": half_open,
        "reset_by_client": truth["reset_by_source"],
    }
    forged = [record for record in made.reading.records if not record["client"].startswith("10.")]
    targets = Counter(f"{record['server']}:{record['server_port']}" for record in forged)
    assert targets == truth["targets"]
    assert summary.clients == pytest.approx(truth["distinct_sources"], rel=0.02)
    starts = [record["start_ns"] // 1000 for record in forged]
    assert (min(starts), max(starts)) == (truth["attack_start_us"], truth["attack_end_us"])


def test_a_flood_does_not_push_out_the_real(generated: dict[str, Made]) -> None:
    """With room for a fiftieth of the flood every real connection is still found, and what was lost is counted.

    A SYN that is sent again a second later may be gone by then: its first transmission is an attempt by itself.
    """
    made = generated["syn-flood"]
    room = made.truth["flood"]["syns"] // 50
    summary = read([str(made.path)], max_flows=room).summary
    assert summary.outcomes["established"] == made.truth["real"]["completed"]
    assert 0 <= summary.handshakes - made.reading.summary.handshakes <= made.truth["real"]["syn_retransmitted"]
    assert summary.evicted > made.truth["flood"]["syns"] // 2
