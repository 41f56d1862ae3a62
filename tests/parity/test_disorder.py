"""Captures whose packets stand out of order by some milliseconds give the records of the ordered ones.

packet(7): what several queues or processors receive is written in the order in which they are read; the time stamps are
right. https://www.tcpdump.org/manpages/pcap-savefile.5.html promises no order either.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from tests.conftest import ROOT
from tests.parity.captures import trace
from tests.parity.containers import pcap, read_pcap

if TYPE_CHECKING:
    from pathlib import Path

    from tests.parity.captures import Record

LAB = ROOT / "tests/captures/lab"
CAPTURES = [
    "lossy_many.client",
    "normal_client_close",
    "normal_server_close.client",
    "normal_server_close.server",
    "refused",
    "simultaneous_open.client",
    "syn_lost_twice.client",
    "tfo",
]
#: Its two FINs have one time stamp: in disorder nobody can say whose was first.
UNDECIDED = 53060
#: How far a packet is put out of its place.
DISORDER_NS = 4_000_000
FIELDS = (
    "outcome",
    "syn_sent",
    "syn_ack_sent",
    "syn_to_syn_ack_us",
    "syn_ack_to_ack_us",
    "handshake_us",
    "retransmit_wait_us",
    "isn_client",
    "isn_server",
    "syn_data_bytes",
    "fast_open",
    "simultaneous",
    "client_bytes",
    "server_bytes",
    "closed_by",
    "close",
    "time_wait",
)


def records(file: Path) -> dict[tuple[object, ...], list[object]]:
    """What counts of each record, by its client."""

    def key(record: Record) -> tuple[object, ...]:
        return record["client"], record["client_port"], record["start_ns"]

    found = [record for record in trace(file).records if record["client_port"] != UNDECIDED]
    return {key(record): [record[field] for field in FIELDS] for record in found}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("capture", CAPTURES)
def test_the_records_are_the_same(tmp_path: Path, capture: str, seed: int) -> None:
    file = LAB / f"{capture}.pcap"
    packets, random = read_pcap(file), Random(seed)
    places = sorted(range(len(packets)), key=lambda n: packets[n][0] + random.randrange(DISORDER_NS))
    assert places != list(range(len(packets)))
    shuffled = tmp_path / "shuffled.pcap"
    shuffled.write_bytes(pcap([packets[n] for n in places], order="<"))
    assert records(shuffled) == records(file)
