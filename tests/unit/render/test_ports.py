"""The screen of ``halfopen ports``, from literals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from halfopen.model.owner import Owner
from halfopen.model.ports import Ports, PortSpace, PortUse, TwReuse
from halfopen.model.snapshot import Unavailable
from halfopen.render.document import document
from halfopen.render.layout import Paint
from halfopen.render.ports import render_ports

HELPS = TwReuse(helps=True, why="it is 0; 1 lets connect() take ports that are 1 s in TIME_WAIT")
USE = PortUse("host", "10.0.0.1", "10.0.0.5", 5432, 900, 800, 2000, 900, 1100, 100, HELPS, rate_per_s=90.0)
SPACE = PortSpace("host", 1, (40000, 41999), "", 0, 1, destinations=1)


def screen(*uses: PortUse, width: int = 100, top: int = 20, space: PortSpace = SPACE, **fields: object) -> str:
    ports = Ports("h", 1, netns=(space,), destinations=uses, **fields)  # type: ignore[arg-type]
    return render_ports(ports, width, Paint(on=False), top)


def test_a_row_and_what_it_comes_to() -> None:
    text = screen(replace(USE, seconds_to_cliff=1.1, seconds_to_exhaustion=12.2, plateau=None))
    assert text == (
        "this host: 2 000 local ports (40000 to 41999) for each destination; tcp_tw_reuse is off\n"
        "\n"
        "from → to                 taken     of  share  TIME_WAIT  rate/s  slow in  out in\n"
        "10.0.0.1 → 10.0.0.5:5432    900  2 000   45 %        800      90      1 s    12 s\n"
        "\n"
        "10.0.0.5:5432 from 10.0.0.1: 45 % of the local ports are taken. None is left in 12 s at this rate.\n"
        "  tcp_tw_reuse would help: it is 0; 1 lets connect() take ports that are 1 s in TIME_WAIT.\n"
        "  A wider ip_local_port_range helps: the default, 32768 to 60999, has 28 232.\n"
    )


def test_a_rate_that_levels_off() -> None:
    text = screen(replace(USE, plateau=1500.4))
    assert "45 % of the local ports are taken. At this rate it levels off at 1 500." in text
    assert text.splitlines()[3].endswith("never   never")


def test_a_rate_that_is_not_known_is_no_never() -> None:
    row = screen(replace(USE, rate_per_s=None)).splitlines()[3]
    assert "never" not in row
    assert row.split() == ["10.0.0.1", "→", "10.0.0.5:5432", "900", "2", "000", "45", "%", "800"]


def test_no_port_left() -> None:
    full = replace(USE, in_use=2000, taken=2000, headroom=0, headroom_to_cliff=0, seconds_to_cliff=0.0,
                   seconds_to_exhaustion=0.0)  # fmt: skip
    text = screen(full)
    assert "all 2 000 local ports are taken: connect() fails with EADDRNOTAVAIL." in text
    assert text.splitlines()[3].endswith("now     now")


def test_what_is_roomy_has_a_row_and_no_sentence() -> None:
    text = screen(replace(USE, in_use=10, taken=10, headroom=1990, headroom_to_cliff=990))
    assert "tcp_tw_reuse would help" not in text


def test_reuse_that_is_at_work() -> None:
    active = TwReuse(helps=False, why="it is at work: each port can be taken again after 1 s", active=True)
    assert "tcp_tw_reuse is at work: each port can be taken again after 1 s." in screen(replace(USE, tw_reuse=active))


def test_what_tcp_tw_reuse_gives_back_is_not_taken() -> None:
    lines = screen(replace(USE, in_use=900, taken=80)).splitlines()
    titles, row = next((line, lines[i + 1]) for i, line in enumerate(lines) if line.startswith("from → to"))
    assert titles.split()[3:8] == ["taken", "of", "share", "TIME_WAIT", "reusable"]
    assert " 80  2 000    4 %        800       820 " in row


def test_a_range_as_wide_as_the_default_needs_no_word() -> None:
    assert "A wider ip_local_port_range" not in screen(USE, space=replace(SPACE, port_range=(32768, 60999)))


def test_other_namespaces_ports_bound_early_and_who_it_is() -> None:
    text = screen(replace(USE, netns="web", bound=3, owners=(Owner(7, "nginx"),)), width=120)
    assert "web: 10.0.0.1 → 10.0.0.5:5432" in text
    assert "10.0.0.5:5432 from 10.0.0.1 in web: " in text
    assert "3 ports bound before connect() without IP_BIND_ADDRESS_NO_PORT: lost for every destination." in text
    assert "Opened by nginx (pid 7)." in text


def test_no_connections_at_all() -> None:
    text = screen(space=replace(SPACE, destinations=0))
    assert text.endswith("tcp_tw_reuse is off\nNo connection that was opened from here.\n")


def test_more_rows_than_asked_for_are_counted() -> None:
    roomy = replace(USE, in_use=10, taken=10, headroom=1990, headroom_to_cliff=990)
    text = screen(*(replace(roomy, port=port) for port in range(1, 31)), space=replace(SPACE, destinations_left_out=5))
    assert "15 more destinations with a smaller share" in text
    assert text.count("10.0.0.1 → ") == 20


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_it_fits_and_is_harmless(width: int) -> None:
    hostile = "a\x1b[31m\n\u202e" * 4
    use = replace(USE, netns=hostile, source="2001:db8:1111:2222:3333:4444:5555:6666", owners=(Owner(7, hostile),))
    gaps = (Unavailable(hostile, hostile, hostile),) * 5
    text = screen(use, width=width, space=replace(SPACE, name=hostile), unavailable=gaps)
    assert not {"\x1b", "\u202e"} & set(text)
    table = [line for line in text.splitlines() if "TIME_WAIT" in line or " → " in line]
    assert max(map(len, table)) <= width
    assert "\x1b" not in document(Ports("h", 1, destinations=(use,), unavailable=gaps)).decode()


def test_of_several_each_begins_with_its_time() -> None:
    ports = Ports("h", 1_700_000_000_000_000_000, netns=(SPACE,), destinations=(USE,))
    once, again = (render_ports(ports, 100, Paint(on=False), timed=timed) for timed in (False, True))
    assert again == f"2023-11-14 22:13:20 UTC\n{once}"


def test_sockets_that_were_not_read_are_not_called_none() -> None:
    dark = replace(SPACE, destinations=None)
    text = screen(space=dark, unseen=("sockets of the host",))
    assert "nothing is known of the ports that they take. Not seen: sockets of the host." in " ".join(text.split())
    text = screen(space=replace(SPACE, destinations=0), unseen=("network namespaces of 2 processes",))
    assert "in what could be seen. Not seen: network namespaces of 2 processes." in " ".join(text.split())
    assert "No connection that was opened from here.\n" in screen(space=replace(SPACE, destinations=0))
