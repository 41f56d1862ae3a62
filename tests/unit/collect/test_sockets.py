"""The core's census as the record: numbers as they are, process numbers turned into owners."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from tests.unit.collect.trees import CLOCK, tree

from halfopen.collect.netns.sockets import LISTENER_OWNERS, as_sockets, parse_range
from halfopen.model.sockets import AcceptQueue, ListenerOptions

if TYPE_CHECKING:
    from pathlib import Path

    from halfopen._core import CensusDict, ListenerOptionsDict, SocketOwners
    from halfopen.collect.process_table import ProcessTable
    from halfopen.collect.roots import Roots

CENSUS: CensusDict = {
    "states": {"LISTEN": 1, "TIME_WAIT": 5},
    "listeners": [
        {
            "address": "::", "port": 80, "accept_queue": 3, "accept_queue_limit": 2, "family": 6, "only_v6": False,
            "inode": 55, "cookie": 7, "uid": 33, "interface": None, "drops": 9, "syn_queue": 4,
            "syn_queue_retransmitted": 1, "group": 1, "cgroup_id": 1, "pids": [*range(100, 70, -1)],
            "queued": {"established": 1, "close_wait": 2, "oldest_ms": None, "unread_bytes_max": 8},
        }
    ],
    "destinations": [
        {
            "source": "10.0.0.1", "destination": "10.0.0.2", "port": 443, "states": {"TIME_WAIT": 5}, "in_range": 5,
            "low_parity": 5, "time_wait_ages": (1, 1, 1, 1, 1, 0), "retransmitting": 0, "oldest_syn_ms": None,
            "bound": 0, "pids": [(71, 5)],
        }
    ],
    "destinations_left_out": 2,
    "processes": [{"pid": 71, "states": {"CLOSE_WAIT": 4}, "close_wait_oldest_ms": 5}],
    "orphans": {"FIN_WAIT1": 1},
    "stale_syn_recv": 6,
    "consistent": True,
}  # fmt: skip


class Holders:
    """What the core says of the listener's descriptor."""

    def options(self, inode: int) -> ListenerOptionsDict | None:
        return {"defer_accept_s": 3, "fast_open": 16, "syn_retries": 6, "reuse_port": True} if inode == 55 else None


def table(roots: Roots) -> ProcessTable:
    from halfopen.collect.process_table import ProcessTable

    processes = ProcessTable(roots, CLOCK)
    processes._holders = cast("SocketOwners", Holders())
    return processes


def test_a_census_is_the_record(tmp_path: Path) -> None:
    roots = tree(tmp_path, {f"proc/{pid}/comm": f"w\x1b{pid}\n" for pid in range(71, 101)})
    found = as_sockets(CENSUS, table(roots), "5")
    listener, destination = found.listeners[0], found.destinations[0]
    assert (listener.port, listener.drops, listener.syn_queue, listener.only_v6) == (80, 9, 4, False)
    assert listener.queued == AcceptQueue(1, 2, None, 8)
    assert [owner.pid for owner in listener.owners] == [*range(71, 71 + LISTENER_OWNERS)]
    assert listener.owners[0].comm == "w\x1b71"
    assert listener.options == ListenerOptions(3, 16, 6, reuse_port=True)
    assert (destination.time_wait_ages, destination.owners[0].pid) == ((1, 1, 1, 1, 1, 0), 71)
    assert (found.processes[0].owner.pid, found.processes[0].states) == (71, {"CLOSE_WAIT": 4})
    assert (found.orphans, found.stale_syn_recv, found.destinations_left_out) == ({"FIN_WAIT1": 1}, 6, 2)


def test_the_namespace_s_own_number_of_retries_means_that_none_was_set(tmp_path: Path) -> None:
    found = as_sockets(CENSUS, table(tree(tmp_path, {})), "6").listeners[0].options
    assert found is not None
    assert found.syn_retries == 0


def test_an_owner_is_read_once(tmp_path: Path) -> None:
    found = as_sockets(CENSUS, table(tree(tmp_path, {})), "6")
    assert found.destinations[0].owners[0] is found.processes[0].owner is found.listeners[0].owners[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("32768\t60999\n", (32768, 60999)), ("1 2", (1, 2)), ("", (32768, 60999)), ("a b", (32768, 60999))],
)
def test_the_range_of_ports(text: str, expected: tuple[int, int]) -> None:
    assert parse_range(text) == expected
