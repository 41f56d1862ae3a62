"""Two captures of one traffic: every known loss is found where it happened, and nothing else is."""

from __future__ import annotations

import doctest
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.against import path as made
from tests.against import pcap, relay
from tests.conftest import ROOT

import halfopen.capture.against
from halfopen.capture.against import against

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Halfopen

    from halfopen.model.against import Against

LAB = ROOT / "tests/captures/lab"
LOSSY = LAB / "lossy_many.client.pcap"
ACCOUNT = LAB / "lossy_many.relay.json"


def compare(tmp_path: Path, run: made.Run, *, swapped: bool = False) -> Against:
    files = pcap.write(tmp_path / "a.pcap", run.a), pcap.write(tmp_path / "b.pcap", run.b)
    return against(*(reversed(files) if swapped else files))


def lost(found: Against) -> dict[tuple[str, str], int]:
    return {(row.kind, row.sender): row.lost for row in found.packets if row.lost}


def others(found: Against) -> int:
    return sum(row.not_captured + row.not_judged for row in found.packets)


# --- captures of a real kernel ----------------------------------------------------------------------------------------


def test_the_two_ends_of_a_real_connect() -> None:
    found = against(LAB / "normal_server_close.client.pcap", LAB / "normal_server_close.server.pcap")
    assert (found.common, found.only_a, found.only_b, found.packets_lost) == (1, 0, 0, 0)
    assert found.near_client == "a"
    assert found.split_us.between.p50 == pytest.approx(20_231)  # the relay held each packet for 10 ms
    assert found.split_us.server_side.p50 == pytest.approx(29)
    assert found.split_us.client_side.p50 == pytest.approx(25)
    assert found.clock.offset_us is not None
    assert abs(found.clock.offset_us) < 100  # one host, one clock


@pytest.fixture(scope="module")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's end of the lossy capture."""
    packets = relay.server_side(LOSSY, ACCOUNT)
    return pcap.write(tmp_path_factory.mktemp("lossy") / "server.pcap", packets)


@pytest.mark.parametrize("swapped", [False, True])
def test_every_packet_that_the_relay_dropped(lossy: Path, swapped: bool) -> None:
    found = against(lossy, LOSSY) if swapped else against(LOSSY, lossy)
    assert lost(found) == relay.lost(ACCOUNT)
    assert (found.common, found.only_a, found.only_b, others(found)) == (400, 0, 0, 0)
    assert found.near_client == ("b" if swapped else "a")
    assert found.unanswered_syns == 0


def test_the_relay_s_delays(lossy: Path) -> None:
    delays = sorted(entry["delays"][0] * 1e6 for entry in json.loads(ACCOUNT.read_text()) if entry["delays"])
    found = against(LOSSY, lossy)
    assert found.split_us.there.p50 == pytest.approx(delays[len(delays) // 2], rel=0.05)
    assert found.split_us.between.max is not None
    assert found.split_us.between.max < 2 * delays[-1] + 1_000


# --- made-up paths ----------------------------------------------------------------------------------------------------

PATHS = {
    "plain": made.Path(),
    "behind routers": made.Path(hops=4),
    "B's clock is 90 s ahead": made.Path(offset_ns=90 * made.SECOND),
    "B's clock is a year behind": made.Path(offset_ns=-365 * 86400 * made.SECOND),
    "no IP identification": made.Path(ip_ids=False),
    "no time stamps": made.Path(timestamps=False),
    "no marks at all": made.Path(ip_ids=False, timestamps=False),
    "opened from both ends": made.Path(reversed_share=0.4),
    "heavy loss": made.Path(loss=0.35),
    "far apart": made.Path(way_ns=250 * made.MILLI, jitter_ns=60 * made.MILLI),
    "side by side": made.Path(way_ns=20_000, jitter_ns=5_000),
    "a drifting clock": made.Path(seconds=900, drift_ppm=80, offset_ns=-3 * made.SECOND),
}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", PATHS)
def test_known_losses_are_found_exactly(tmp_path: Path, name: str, seed: int) -> None:
    run = made.run(replace(PATHS[name], seed=seed))
    assert run.lost.total() > 50
    found = compare(tmp_path, run)
    assert lost(found) == run.lost
    assert (found.with_loss, others(found)) == (run.hurt, 0)
    assert found.lost_whole == found.only_a + found.only_b == run.vanished
    assert found.near_client == "a"


@pytest.mark.parametrize("name", ["plain", "no marks at all", "opened from both ends"])
def test_the_other_order_gives_the_mirrored_answer(tmp_path: Path, name: str) -> None:
    run = made.run(PATHS[name])
    one, other = compare(tmp_path, run), compare(tmp_path, run, swapped=True)
    assert lost(one) == lost(other)
    assert one.packets == other.packets
    assert (one.only_a, one.only_b) == (other.only_b, other.only_a)
    assert one.split_us == other.split_us
    assert one.client_nearer_to.get("a") == other.client_nearer_to.get("b")
    assert one.clock.offset_us is not None
    assert other.clock.offset_us == pytest.approx(-one.clock.offset_us, abs=1)
    assert other.clock.uncertainty_us == pytest.approx(one.clock.uncertainty_us, abs=1)


@pytest.mark.parametrize("name", ["plain", "no marks at all"])
def test_a_capture_that_holds_each_packet_twice(tmp_path: Path, name: str) -> None:
    run = made.run(PATHS[name])
    run.b += [pcap.Packet(packet.time_ns + 2_000, packet.data) for packet in run.b]  # as -i any does on a bridge
    found = compare(tmp_path, run)
    assert lost(found) == run.lost
    assert (found.with_loss, others(found)) == (run.hurt, 0)


@pytest.mark.parametrize(
    "container", ["d01-each-twice.pcap", "c25-ng-3-interfaces.pcapng", "x30-vxlan.pcap", "l11-sll2.pcap"]
)
def test_two_captures_of_one_place(container: str) -> None:
    derived = ROOT / "tests/captures/derived"
    found = against(derived / "c01-pcap-le-us.pcap", derived / container)
    assert (found.common, found.only_a, found.only_b, found.packets_lost) == (22, 0, 0, 0)
    assert found.near_client is None


@pytest.mark.parametrize("drift", [0.0, 3.0, -45.0, 400.0])
@pytest.mark.parametrize("offset", [0, 40 * made.MILLI, -7 * made.SECOND, 10**9 * 86400 * 3])
@pytest.mark.parametrize("seconds", [20, 3600])
def test_the_clock_is_within_its_uncertainty(tmp_path: Path, drift: float, offset: int, seconds: float) -> None:
    run = made.run(made.Path(offset_ns=offset, drift_ppm=drift, seconds=seconds, loss=0.05))
    clock = compare(tmp_path, run).clock
    assert clock.offset_us is not None
    assert clock.uncertainty_us is not None
    assert clock.at_ns is not None
    assert abs(clock.offset_us - run.clocks.ahead_at(clock.at_ns) / 1000) <= clock.uncertainty_us
    assert clock.uncertainty_us < 12_000  # half of the shortest round trip is 10 ms
    if clock.drift_ppm is not None:
        assert clock.drift_uncertainty_ppm is not None
        assert abs(clock.drift_ppm - drift) <= clock.drift_uncertainty_ppm
    assert clock.drift_ppm is not None or seconds < 3600


def test_times_of_a_drifting_clock_are_still_right(tmp_path: Path) -> None:
    run = made.run(made.Path(seconds=3600, drift_ppm=120, offset_ns=5 * made.SECOND))
    times = compare(tmp_path, run).split_us
    assert times.there.p50 == pytest.approx(11_500, abs=700)
    assert times.back.p50 == pytest.approx(11_500, abs=700)
    assert times.server_side.p50 == pytest.approx(2_000, abs=1)
    assert times.client_side.p50 == pytest.approx(1_000, abs=1)


def test_a_simultaneous_open_loses_nothing(tmp_path: Path) -> None:
    """Each point takes the end beside it for the client; the ACK of one is not missing at the other."""
    here, there = ("10.0.0.1", 1022), ("10.0.0.2", 1022)
    sent: list[tuple[int, int, bool, int, int, int]] = [
        (0, 50, True, 1000, 0, pcap.SYN),
        (1, 49, False, 5000, 0, pcap.SYN),
        (51, 100, True, 1000, 5001, pcap.SYN | pcap.ACK),
        (50, 101, False, 5000, 1001, pcap.SYN | pcap.ACK),
        (101, 150, True, 1001, 5001, pcap.ACK),
        (100, 151, False, 5001, 1001, pcap.ACK),
    ]
    run = made.Run()
    for at, then, forward, seq, ack, flags in sent:
        ends = (*here, *there) if forward else (*there, *here)
        what = pcap.Segment(*ends, seq, ack, flags, 0)
        for packets, ms in ((run.a, at if forward else then), (run.b, then if forward else at)):
            packets.append(pcap.make(made.START_NS + ms * made.MILLI, what, ip_id=seq + flags))
    found = compare(tmp_path, run)
    assert (found.common, found.packets_lost, others(found)) == (1, 0, 0)
    assert {(row.kind, row.sender): row.passed for row in found.packets} == {
        ("syn", "client"): 1,
        ("syn", "server"): 1,
        ("syn_ack", "client"): 1,
        ("syn_ack", "server"): 1,
    }


def test_translated_addresses_are_recognised(tmp_path: Path) -> None:
    run = made.run(made.Path(nat="192.0.2.1", loss=0))
    found = compare(tmp_path, run)
    assert found.common == 0
    assert found.translated.handshakes == 301
    assert (found.translated.client_changed, found.translated.server_changed) == (301, 0)
    assert found.translated.example is not None
    assert [ends.client for ends in found.translated.example] == ["10.0.0.7", "192.0.2.1"]


def test_captures_that_have_nothing_in_common(tmp_path: Path) -> None:
    one, other = made.run(made.Path(seed=1)), made.run(made.Path(seed=2))
    one.b = other.b
    found = compare(tmp_path, one)
    assert (found.common, found.packets_lost, found.packets) == (0, 0, ())
    assert found.clock.unknown_because == "no_packets"


def test_one_capture_begins_later_and_ends_earlier(tmp_path: Path) -> None:
    run = made.run(made.Path(loss=0, offset_ns=made.SECOND))
    begin, end = (made.START_NS + int(s * made.SECOND) for s in (11, 21))
    run.b = [packet for packet in run.b if begin <= packet.time_ns < end]
    found = compare(tmp_path, run)
    assert found.packets_lost == 0
    assert set(found.only["a"]) == {"before_other_began", "after_other_ended"}
    assert found.only["a"]["before_other_began"] == pytest.approx(100, abs=5)


def test_what_only_the_far_capture_has_was_missed_by_the_near_one(tmp_path: Path) -> None:
    run = made.run(made.Path(loss=0))
    syns = [p for p in run.a if (s := pcap.segment(p)) is not None and s.flags == pcap.SYN]
    run.a.remove(syns[50])
    run.a.remove(syns[100])
    found = compare(tmp_path, run)
    assert found.packets_lost == 0
    assert {row.kind: row.not_captured for row in found.packets if row.not_captured} == {"syn": 2}


def test_a_packet_that_the_network_doubles_came_from_where_it_was_sent(tmp_path: Path) -> None:
    """One of the two comes late: no second capture of the other, and no answer of somebody between."""
    run = made.run(made.Path(loss=0))
    syn_acks = [p for p in run.a if (s := pcap.segment(p)) is not None and s.flags == pcap.SYN | pcap.ACK]
    run.a += [pcap.Packet(p.time_ns + 2 * made.MILLI, p.data) for p in syn_acks[::20]]
    found = compare(tmp_path, run)
    assert found.packets_lost == 0
    assert sum(row.not_captured for row in found.packets) == 0


def test_a_server_that_only_one_filter_lets_through(tmp_path: Path) -> None:
    run = made.run(made.Path(loss=0, connects=20))
    other = made.run(made.Path(loss=0, connects=10, seed=9))
    old, new = bytes([10, 0, 9, 9]), bytes([10, 0, 8, 8])
    run.a += [pcap.Packet(p.time_ns, p.data[:26] + p.data[26:34].replace(old, new) + p.data[34:]) for p in other.a]
    found = compare(tmp_path, run)
    assert (found.common, found.packets_lost) == (21, 0)
    assert found.only["a"] == {"server_not_seen": 10, "before_other_began": 1}


def test_syns_that_nobody_answers_behind_both_points(tmp_path: Path) -> None:
    run = made.run(made.Path(loss=0, connects=50))
    syn_acks = {pcap.SYN | pcap.ACK}
    victim = next(
        s for p in run.b if (s := pcap.segment(p)) is not None and s.flags == pcap.SYN and s.source_port == 10_007
    )

    def keep(packet: pcap.Packet) -> bool:
        found = pcap.segment(packet)
        if found is None or victim.source_port not in {found.source_port, found.destination_port}:
            return True
        return found.flags == pcap.SYN and found.flags not in syn_acks

    run.a, run.b = list(filter(keep, run.a)), list(filter(keep, run.b))
    found = compare(tmp_path, run)
    assert (found.packets_lost, found.unanswered_syns, found.with_unanswered_syns) == (0, 1, 1)


def test_the_documentation_names_every_key(lossy: Path) -> None:
    found = against(LOSSY, lossy)
    page = (ROOT / "docs/against.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", page))
    assert keys(found.document) <= named


def keys(value: object) -> set[str]:
    """Every key of a JSON value, at any depth; kinds of defects are documented elsewhere."""
    if isinstance(value, dict):
        return {*value}.union(*(keys(item) for name, item in value.items() if name != "defects"))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


def test_the_example_of_the_docstring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    outcome = doctest.testmod(halfopen.capture.against, raise_on_error=False)
    assert (outcome.failed, outcome.attempted) == (0, 5)


# --- the command ------------------------------------------------------------------------------------------------------


def test_json(halfopen: Halfopen, lossy: Path) -> None:
    done = halfopen("trace", LOSSY, "--against", lossy, "--format", "json", "--top", "3")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["schema"] == "halfopen.against/1"
    assert [item["path"] for side in ("a", "b") for item in document["inputs"][side]] == [str(LOSSY), str(lossy)]
    assert (document["common"], document["packets_lost"], len(document["handshakes"])) == (400, 108, 3)
    assert document["notices"][0].startswith("91 of 400 connects lost a packet between the two points: 43 SYNs")


def test_json_lines_hold_every_handshake(halfopen: Halfopen, lossy: Path, tmp_path: Path) -> None:
    done = halfopen("trace", LOSSY, "--against", lossy, "--format", "jsonl", "-o", tmp_path / "out.jsonl")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(rows) == 400
    assert sum(row["lost"] for row in rows) == 108
    by_frame = {row["a"]["frame_syn"]: row for row in rows}
    fates = [(sent["kind"], sent["fate"]) for sent in by_frame[3262]["packets"]]
    assert fates == [("syn", "lost"), ("syn", "lost"), ("syn", "passed"), ("syn_ack", "passed"), ("ack", "lost")]


@pytest.mark.parametrize(
    ("fail_on", "files", "code"),
    [
        ("never", ("normal_server_close.client.pcap", "refused.pcap"), 0),
        ("failed", ("normal_server_close.client.pcap", "refused.pcap"), 1),
        ("failed", ("normal_server_close.client.pcap", "normal_server_close.server.pcap"), 0),
        ("anomaly", ("normal_server_close.client.pcap", "normal_server_close.server.pcap"), 0),
    ],
)
def test_exit_codes(halfopen: Halfopen, fail_on: str, files: tuple[str, str], code: int) -> None:
    done = halfopen("trace", LAB / files[0], "--against", LAB / files[1], "--fail-on", fail_on)
    assert (done.returncode, done.stderr) == (code, "")


@pytest.mark.parametrize("swapped", [False, True])
def test_a_capture_without_tcp_is_said(halfopen: Halfopen, tmp_path: Path, swapped: bool) -> None:
    """Nothing lost between the two would be no answer: nothing could be there (ADR 19)."""
    (tmp_path / "none.pcap").write_bytes(LOSSY.read_bytes()[:24])
    files = (LOSSY, "none.pcap") if swapped else ("none.pcap", LOSSY)
    done = halfopen("trace", files[0], "--against", files[1], "--quiet")
    assert (done.returncode, done.stderr) == (3, "halfopen: there are no packets in none.pcap\n")
    assert "has no handshake: there is nothing to compare." in done.stdout
    both = halfopen("trace", "none.pcap", "--against", "none.pcap", "--format", "jsonl")
    assert (both.returncode, both.stdout) == (3, "")
    assert both.stderr == "halfopen: there are no packets in none.pcap\n" * 2


def test_a_missing_capture_is_one_sentence(halfopen: Halfopen) -> None:
    done = halfopen("trace", LOSSY, "--against", "missing.pcap")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("halfopen: cannot read missing.pcap: ")


@pytest.mark.parametrize("option", [("--where", "x"), ("--sort", "x"), ("--since", "+1s"), ("--format", "csv")])
def test_what_it_cannot_be_combined_with(halfopen: Halfopen, option: tuple[str, str]) -> None:
    done = halfopen("trace", LOSSY, "--against", LOSSY, *option)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--against" in done.stderr


def test_a_capture_without_times_is_not_compared(halfopen: Halfopen) -> None:
    """Differences of times that nobody measured would be invented."""
    untimed, timed = (ROOT / "tests/captures/derived" / name for name in ("c23-ng-spb.pcapng", "c10-ng-le.pcapng"))
    done = halfopen("trace", untimed, "--against", timed)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"halfopen: cannot read {untimed}: its packets have no times")
