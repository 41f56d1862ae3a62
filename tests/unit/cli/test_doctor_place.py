"""Which network namespace a target's address is taken to be in: private addresses repeat themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from halfopen.cli.doctor_target import _place_of
from halfopen.model.host import Host
from halfopen.model.network import Interface
from halfopen.model.snapshot import NetNamespace, Snapshot
from halfopen.rules.context import Context

ADDRESS = "172.17.0.2"
HOST = NetNamespace(
    "host", 1, own=True, interfaces=(Interface(1, "lo", up=True, mtu=65536, addresses=("127.0.0.1/8",)),)
)
BLUE = NetNamespace("blue", 2, interfaces=(Interface(2, "eth0", up=True, mtu=1500, addresses=(f"{ADDRESS}/16",)),))


def context(received_before: int | None, received: int, group: str = "Ip") -> Context:
    """Two snapshots of both; ``blue`` was not there before where that is None."""

    def snapshot(at_ns: int, packets: int | None) -> Snapshot:
        blue = () if packets is None else (replace(BLUE, counters={group: {"InReceives": packets}}),)
        host = Host(name="vm", kernel="6.18.44", machine="x86_64", boot_id="b")
        return Snapshot(taken_at_ns=at_ns, monotonic_ns=at_ns, host=host, netns=(HOST, *blue))

    return Context.of(snapshot(2_000_000_000, received), snapshot(1_000_000_000, received_before))


@pytest.mark.parametrize(
    ("before", "now", "group", "place"),
    [(3, 9, "Ip", "blue"), (3, 9, "Ip6", "blue"), (9, 9, "Ip", None), (None, 9, "Ip", None)],
    ids=["packets arrived", "of IPv6", "none arrived", "it is new"],
)
def test_another_namespace_is_the_target_s_only_where_packets_arrived(
    before: int | None, now: int, group: str, place: str | None
) -> None:
    found = _place_of(context(before, now, group), (ADDRESS,))
    assert (found.name if found else None) == place


def test_the_reader_s_own_is_so_anyway() -> None:
    found = _place_of(context(9, 9), ("127.0.0.1",))
    assert found is not None
    assert found.name == "host"
