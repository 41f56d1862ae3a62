"""Zeek's baselines of some captures: who connected, how it ended, who closed, and the bytes of each side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.parity.captures import ABSENT, SHARED, Record, trace_once
from tests.parity.zeek import Connection, connections

if TYPE_CHECKING:
    from pathlib import Path

if ABSENT:
    pytest.skip(ABSENT, allow_module_level=True)

#: Logs that Zeek wrote under settings that have no counterpart here, and what they were.
DIFFERENT_QUESTION = {
    "core.checksums_ignore_nets.conn-failed.log": "Zeek left out every segment with a wrong checksum",
    "core.pcap.dynamic-filter.conn.log": "a filter that changed on the way left one packet of each connection",
}
#: (log, client port): why our record differs from Zeek's connections.
REASONS = {
    ("scripts.base.protocols.pop3.basic.conn.log", port): (
        "Zeek begins a connection with each SYN after an RST; it is one SYN (one ISN) that the client sends three times"
    )
    for port in (26242, 26245)
}


def logs() -> list[Path]:
    """Those with TCP connections in them."""
    found = sorted(SHARED.glob("expected/*/*"))
    return [log for log in found if log.name not in DIFFERENT_QUESTION and connections(log)]


def ours(log: Path, connection: Connection) -> list[Record]:
    capture = SHARED / "public" / log.parent.name.replace("__", "/", 1)
    return [record for record in trace_once(capture).records if connection.is_of(record)]


def cases() -> list[object]:
    return [
        pytest.param(log, connection, index, id=f"{log.name}-{connection.client[1]}-{index}", marks=marks)
        for log in logs()
        for index, connection in numbered(connections(log))
        for reason in [REASONS.get((log.name, connection.client[1]))]
        for marks in [[pytest.mark.xfail(strict=True, raises=AssertionError, reason=reason)] if reason else []]
    ]


def numbered(found: list[Connection]) -> list[tuple[int, Connection]]:
    """Each with how many there were on its four-tuple before."""
    ends = [(connection.client, connection.server) for connection in found]
    return [(ends[:at].count(ends[at]), connection) for at, connection in enumerate(found)]


@pytest.mark.parametrize(("log", "connection", "index"), cases())
def test_connection(log: Path, connection: Connection, index: int) -> None:
    records = ours(log, connection)
    same = sum(each.client == connection.client and each.server == connection.server for each in connections(log))
    if connection.state is not None and connection.outcome is None:
        assert not records
        return
    assert len(records) == same
    wanted = connection.expected()
    assert {name: records[index][name] for name in wanted} == wanted


def test_attempts_behind_the_same_syn_are_one() -> None:
    """The other side of ``REASONS``: what we say instead."""
    found = [
        (record["outcome"], record["syn_sent"])
        for (log, port) in REASONS
        for record in trace_once(SHARED / "public/zeek-zeek/pop3.pcap").records
        if record["client_port"] == port
    ]
    assert found == [("refused", 3)] * len(REASONS)


def test_every_capture_with_a_baseline_is_compared() -> None:
    compared = {log.parent for log in logs()}
    assert {folder.name for folder in (SHARED / "expected").iterdir() if folder not in compared} == {
        "zeek-zeek__http-vlan-0.pcap"  # the log has nothing but the tag, which the oracle has, too
    }
