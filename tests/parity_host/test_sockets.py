"""What the native half says of sockets, beside ``ss`` in the same namespace: equal to the last row."""

from __future__ import annotations

import ipaddress
import os
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.parity_host.namespace import as_nobody, call, needs_root
from tests.parity_host.states import FEW, MANY, MAPPED, NOWHERE, V4, V6, Zoo, until

from halfopen import _core

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = needs_root

RANGE = (32768, 60999)
SS_NAMES = {
    "ESTAB": "ESTABLISHED",
    "SYN-SENT": "SYN_SENT",
    "SYN-RECV": "SYN_RECV",
    "FIN-WAIT-1": "FIN_WAIT1",
    "FIN-WAIT-2": "FIN_WAIT2",
    "TIME-WAIT": "TIME_WAIT",
    "CLOSE-WAIT": "CLOSE_WAIT",
    "LAST-ACK": "LAST_ACK",
    "UNCONN": "CLOSE",
}


class Row(NamedTuple):
    """A socket as both tell it."""

    state: str
    receive_queue: int
    send_queue: int
    local: str
    local_port: int
    remote: str
    remote_port: int
    inode: int
    cookie: int


def address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.strip("[]").split("%")[0]
    if host == "*":  # ss's word for a dual-stack «::»
        host = "::"
    return canonical(host), 0 if port == "*" else int(port)


def canonical(host: str) -> str:
    """One spelling: Pythons disagree about that of IPv4 addresses in IPv6."""
    one = ipaddress.ip_address(host)
    return f"::ffff:{one.ipv4_mapped}" if isinstance(one, ipaddress.IPv6Address) and one.ipv4_mapped else str(one)


def row(line: str) -> Row:
    state, receive, send, local, remote = line.split()[:5]
    inode = re.search(r" ino:(\d+)", line)
    cookie = re.search(r" sk:([0-9a-f]+)", line)
    assert cookie
    return Row(
        SS_NAMES.get(state, state),
        int(receive),
        int(send),
        *address(local),
        *address(remote),
        int(inode[1]) if inode else 0,
        int(cookie[1], 16),
    )


def ours(one: _core.SocketDict) -> Row:
    found = Row(**{name: one[name] for name in Row._fields})  # type: ignore[literal-required]
    return found._replace(local=canonical(one["local"]), remote=canonical(one["remote"]))


@pytest.fixture(scope="module")
def zoo() -> Iterator[Zoo]:
    made = Zoo()
    yield made
    made.close()


class Moment(NamedTuple):
    """The same sockets as ``ss`` and we saw them, with nothing changed in between."""

    theirs: list[Row]
    sockets: list[_core.SocketDict]
    census: _core.CensusDict


@pytest.fixture(scope="module")
def moment(zoo: Zoo) -> Moment:
    found: list[Moment] = []

    def look() -> bool:
        before = call("ss", "-tanHe")
        sockets = _core.tcp_sockets()
        census = _core.tcp_census(RANGE, _core.SocketOwners())
        after = call("ss", "-tanHe")
        theirs, again = (sorted(map(row, text.splitlines())) for text in (before, after))
        found.append(Moment(theirs, sockets, census))
        return theirs == again

    until(lambda: zoo.namespace.run(look))
    return found[-1]


def test_every_row_is_the_same(moment: Moment) -> None:
    mine = sorted(map(ours, moment.sockets))
    assert len(mine) > 15_000
    assert mine == moment.theirs


def test_every_state_is_there_and_counted_the_same(moment: Moment) -> None:
    counts = Counter(one.state for one in moment.theirs)
    assert moment.census["states"] == counts
    assert set(counts) == {*SS_NAMES.values(), "LISTEN", "CLOSING"} - {"CLOSE"}


def test_the_drops_of_every_listener_are_the_same(zoo: Zoo, moment: Moment) -> None:
    def drops(text: str) -> Iterator[tuple[str, int]]:
        for line in text.splitlines():
            match = re.search(r"sk:([0-9a-f]+).*skmem:\(.*,d(\d+)\)", line)
            assert match
            yield match[1], int(match[2])

    theirs = dict(drops(zoo.namespace.call("ss", "-OtlnHem")))
    mine = {f"{one['cookie']:x}": one["drops"] for one in moment.census["listeners"]}
    assert mine == theirs
    assert sum(theirs.values()) >= 3 * MANY  # each deferred ACK is one


def test_the_owners_of_every_listener_are_the_same(zoo: Zoo, moment: Moment) -> None:
    theirs = {
        row(line).inode: sorted({int(pid) for pid in re.findall(r"pid=(\d+)", line)})
        for line in zoo.namespace.call("ss", "-OtlnHep").splitlines()
    }
    assert {one["inode"]: one["pids"] for one in moment.census["listeners"]} == theirs
    assert [os.getpid()] in theirs.values()


def test_destinations_are_what_the_rows_add_up_to(moment: Moment) -> None:
    listening = {one.local_port for one in moment.theirs if one.state == "LISTEN"}
    expected: dict[tuple[str, str, int], Counter[str]] = {}
    for one in moment.theirs:
        if one.local_port not in listening:
            key = (plain(one.local), plain(one.remote), one.remote_port)
            expected.setdefault(key, Counter())[one.state] += 1
    mine = {(one["source"], one["destination"], one["port"]): one["states"] for one in moment.census["destinations"]}
    assert mine == expected
    totals = [sum(one["states"].values()) for one in moment.census["destinations"]]
    assert totals == sorted(totals, reverse=True)


def plain(host: str) -> str:
    """An IPv4 address on a socket of IPv6 is the IPv4 address."""
    return host.removeprefix("::ffff:")


def listener(zoo: Zoo, moment: Moment, name: str) -> _core.ListenerDict:
    port = zoo.port(name)
    return next(one for one in moment.census["listeners"] if one["port"] == port)


@pytest.mark.parametrize("name", ["defer4", "defer6", "defermapped"])
def test_half_open_requests_are_their_listeners(zoo: Zoo, moment: Moment, name: str) -> None:
    one = listener(zoo, moment, name)
    assert (one["syn_queue"], one["queued"]) == (MANY, None)


def test_the_accept_queue_holds_what_was_put_there(zoo: Zoo, moment: Moment) -> None:
    one = listener(zoo, moment, "queue")
    assert one["accept_queue"] == MANY  # a quarter of them dead: reset by the client
    assert one["queued"]
    assert (one["queued"]["established"], one["queued"]["close_wait"]) == (MANY // 2, MANY // 4)
    assert one["queued"]["unread_bytes_max"] == MANY - 2


def test_a_group_is_counted_once(zoo: Zoo, moment: Moment) -> None:
    port = zoo.port("group")
    members = [one for one in moment.census["listeners"] if one["port"] == port]
    assert [one["group"] for one in members] == [4] * 4
    assert sum(one["accept_queue"] for one in members) == MANY
    assert [one["queued"] and one["queued"]["established"] for one in members] == [MANY, None, None, None]


def test_each_kind_of_listener_has_its_family(zoo: Zoo, moment: Moment) -> None:
    kinds = {name: listener(zoo, moment, name) for name in ("v4", "v6", "dual", "only", "mapped")}
    assert {name: (one["address"], one["family"], one["only_v6"]) for name, one in kinds.items()} == {
        "v4": (V4, 4, None),
        "v6": (V6, 6, True),
        "dual": ("::", 6, False),
        "only": ("::", 6, True),
        "mapped": (MAPPED, 6, False),
    }


def test_orphans_are_the_closing_ones_without_a_process(moment: Moment) -> None:
    closing = ("FIN_WAIT1", "FIN_WAIT2", "LAST_ACK", "CLOSING")
    expected = Counter(one.state for one in moment.theirs if one.inode == 0 and one.state in closing)
    assert moment.census["orphans"] == expected
    assert expected["LAST_ACK"] == FEW


def test_the_process_that_forgets_to_close_is_named(moment: Moment) -> None:
    (one,) = moment.census["processes"]
    held = Counter(one.state for one in moment.theirs if one.inode and one.state != "LISTEN")
    assert (one["pid"], one["states"]) == (os.getpid(), held)


def test_syns_without_an_answer_are_counted_where_they_go(moment: Moment) -> None:
    there = [one for one in moment.census["destinations"] if one["destination"] == NOWHERE]
    assert sum(one["states"]["SYN_SENT"] for one in there) == MANY
    assert len(there) == 7


def test_a_user_without_privilege_sees_the_same_sockets(zoo: Zoo, moment: Moment) -> None:
    def look() -> str:
        owners = _core.SocketOwners()
        census = _core.tcp_census(RANGE, owners)
        pids = {pid for one in census["listeners"] for pid in one["pids"]}
        # The child holds what it inherited; of its parent it may know nothing.
        return f"{census['states'] == moment.census['states']} {pids == {os.getpid()}} {bool(owners.refused)}"

    assert zoo.namespace.run(lambda: as_nobody(look)) == "True True True"
