"""Through which network namespaces of this host a connect goes: private addresses repeat themselves."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.rules.notation import snapshots

from halfopen.rules.context import Context
from halfopen.rules.path import path
from halfopen.rules.policy_routing import Flow

TO = "172.17.0.2"


def interface(name: str, address: str) -> dict[str, Any]:
    return {"index": 2, "name": name, "addresses": [f"{address}/24"]}


def place(name: str, received: int, address: str, *routes: dict[str, Any]) -> dict[str, Any]:
    more = {"interfaces": [interface("eth0", address)], "routes": list(routes)}
    return {"name": name, "inode": sum(map(ord, name)), "counters": {"Ip.InReceives": received}, **more}


def seen(*after: dict[str, Any], gateway: str | None = None, carrier: bool | None = None) -> Context:
    """This host, and others that had no packet before."""
    route = {"destination": "default", "interface": "eth0", "gateway": gateway}
    before = [{**one, "counters": {"Ip.InReceives": 0}} for one in after]
    here = {"interfaces": [{**interface("eth0", "10.0.0.1"), "carrier": carrier}], "routes": [route]}
    now, earlier = snapshots({"now": {**here, "netns": list(after)}, "before": {"netns": before}})
    return Context.of(now, earlier)


def names(context: Context, packets: int = 6) -> tuple[list[str], str | None, bool]:
    found = path(context, context.spaces[0], Flow(TO), packets)
    return [hop.name for hop in found.hops], None if found.there is None else found.there.name, found.loops


DEFAULT = {"destination": "default", "interface": "eth1"}


@pytest.mark.parametrize(
    ("others", "gateway", "expected"),
    [
        ([place("blue", 6, TO)], None, ([], "blue", False)),
        ([place("blue", 5, TO)], None, ([], None, False)),
        ([place("blue", 9, TO), place("green", 9, TO)], None, ([], None, False)),
        ([place("blue", 9, TO), place("green", 0, TO)], None, ([], "blue", False)),
        (
            [place("router", 6, "10.0.0.254", DEFAULT), place("blue", 6, TO)],
            "10.0.0.254",
            (["router"], "blue", False),
        ),
        ([place("router", 6, "10.0.0.254", DEFAULT)], "10.0.0.254", (["router"], None, False)),
        ([place("blue", 6, TO)], "10.0.0.254", ([], "blue", False)),
        (
            [place("router", 6, "10.0.0.254", {**DEFAULT, "gateway": "10.0.0.1"})],
            "10.0.0.254",
            (["router"], None, False),
        ),
        (
            [
                place("a", 6, "10.0.0.254", {**DEFAULT, "gateway": "10.0.1.1"}),
                place("b", 6, "10.0.1.1", {**DEFAULT, "gateway": "10.0.0.254"}),
            ],
            "10.0.0.254",
            (["a", "b"], None, True),
        ),
    ],
    ids=[
        "packets arrived",
        "fewer than were sent arrived",
        "two have the address",
        "one of two had packets",
        "through a router",
        "another host behind a router",
        "behind a router that is not seen",
        "back to where it came from, which has had no packet",
        "in a circle",
    ],
)
def test_path(others: list[dict[str, Any]], gateway: str | None, expected: tuple[list[str], str | None, bool]) -> None:
    assert names(seen(*others, gateway=gateway)) == expected


def test_what_leaves_by_a_link_without_carrier_arrives_nowhere() -> None:
    assert names(seen(place("blue", 9, TO), carrier=True)) == ([], "blue", False)
    assert names(seen(place("blue", 9, TO), carrier=False)) == ([], None, False)


def test_what_was_not_sent_arrived_nowhere() -> None:
    assert names(seen(place("blue", 9, TO)), packets=0) == ([], None, False)


def test_the_reader_s_own_address_needs_no_way() -> None:
    context = seen()
    found = path(context, context.spaces[0], Flow("127.0.0.1"), 0)
    assert found.there is context.spaces[0]
