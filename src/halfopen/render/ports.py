"""The screen of ``halfopen ports``: a row a destination, and what to know of those that are tight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.ports import DEFAULT_HIGH, DEFAULT_LOW, DEFAULT_SIZE
from halfopen.model.quantity import UNKNOWN, duration, endpoint, grouped, listed, moment, plural, share
from halfopen.render.doctor_summary import not_seen
from halfopen.render.escape import escape_text
from halfopen.render.gaps import gap_sentences
from halfopen.render.layout import Cell, Column, Paint, clamp, table, wrap

if TYPE_CHECKING:
    from halfopen.model.ports import Ports, PortSpace, PortUse
    from halfopen.model.snapshot import Unavailable

#: connect() takes ports of one parity first.
CLIFF_SHARE = 0.5
#: From here on a destination is worth a sentence (fact F52: 40 to 45 % is the time to act).
TIGHT_SHARE = 0.4
#: … and from here on when it comes to the cliff within that time.
SOON_S = 600.0
NAMESPACES_SHOWN = 5
_REUSE_WORDS = {0: "off", 1: "on", 2: "on for loopback only"}

_COLUMNS = (
    Column("from → to", shrink=24),
    Column("taken", right=True),
    Column("of", right=True, keep=3),
    Column("share", right=True),
    Column("TIME_WAIT", right=True, keep=2),
    Column("reusable", right=True, keep=2),
    Column("rate/s", right=True, keep=4),
    Column("slow in", right=True),
    Column("out in", right=True),
    Column("process", keep=1, words=8),
)


def render_ports(ports: Ports, width: int, paint: Paint, top: int = 20, *, timed: bool = False) -> str:
    """The screen, as text that ends in a line end; ``timed``: one of several, which begins with its time."""
    width = clamp(width)
    found = [use for use in ports.destinations if use.in_use]
    blocks = [_ranges(ports, width), _table(found[:top], width, paint), _rest(found, ports, top, width, paint)]
    narrow = {space.name for space in ports.netns if _is_narrow(space)}
    blocks += [_verdict(use, width, paint, narrow=use.netns in narrow) for use in found if _is_tight(use)][:top]
    blocks.append(_gaps(ports.unavailable, width, paint))
    text = "\n\n".join("\n".join(block) for block in blocks if block) + "\n"
    return f"{paint('head', moment(ports.taken_at_ns))}\n{text}" if timed else text


def _ranges(ports: Ports, width: int) -> list[str]:
    """How many ports there are, in each namespace that has connections."""
    busy = [space for space in ports.netns if space.destinations]
    lines = [line for space in (busy or ports.netns[:1])[:NAMESPACES_SHOWN] for line in wrap(_range(space), width)]
    if len(busy) > NAMESPACES_SHOWN:
        lines.append(f"and {plural(len(busy) - NAMESPACES_SHOWN, 'more network namespace')} with connections")
    return lines if busy else [*lines, *_none(ports, width)]


def _none(ports: Ports, width: int) -> list[str]:
    """That no connection was found, as far as that can be said."""
    if not ports.examined:
        text = f"Connections could not be read: nothing is known of the ports that they take. {not_seen(ports.unseen)}"
    elif ports.unseen:
        text = f"No connection that was opened from here, in what could be seen. {not_seen(ports.unseen)}"
    else:
        text = "No connection that was opened from here."
    return wrap(text, width)


def _range(space: PortSpace) -> str:
    where = "this host" if space.name == "host" else escape_text(space.name)
    if space.port_range is None:
        return f"{where}: the range of local ports is not known"
    low, high = space.port_range
    count = plural(high - low + 1, "local port")
    reuse = "not known" if space.tcp_tw_reuse is None else _REUSE_WORDS.get(space.tcp_tw_reuse, str(space.tcp_tw_reuse))
    return f"{where}: {count} ({low} to {high}) for each destination; tcp_tw_reuse is {reuse}"


def _table(found: list[PortUse], width: int, paint: Paint) -> list[str]:
    return table(_COLUMNS, [_row(use) for use in found], width, paint, indent="") if found else []


def _row(use: PortUse) -> list[Cell | str]:
    way = f"{use.source} → {endpoint(use.destination, use.port)}"
    rate = use.rate_per_s
    role = "bad" if not use.headroom else "warn" if use.share >= TIGHT_SHARE else ""
    return [
        Cell(escape_text(way if use.netns == "host" else f"{use.netns}: {way}"), role),
        Cell(grouped(use.taken), role),
        grouped(use.range_size),
        Cell(share(use.taken, use.range_size), role),
        grouped(use.time_wait),
        grouped(use.in_use - use.taken) if use.in_use > use.taken else "",
        UNKNOWN if rate is None else f"{rate:.1f}" if rate < 9.95 else grouped(round(rate)),
        Cell(_time(use.seconds_to_cliff, use), role),
        Cell(_time(use.seconds_to_exhaustion, use), role),
        escape_text(use.owners[0].comm) if use.owners else "",
    ]


def _time(seconds: float | None, use: PortUse) -> str:
    """When it comes to that; nothing is known without a rate."""
    if seconds is None:
        return UNKNOWN if use.rate_per_s is None else "never"
    return "now" if seconds == 0 else duration(round(seconds) * 1e6)


def _rest(found: list[PortUse], ports: Ports, top: int, width: int, paint: Paint) -> list[str]:
    """What the table does not show."""
    beyond = sum(space.destinations_left_out for space in ports.netns)
    left_out = max(0, len(found) - top) + beyond
    if not left_out:
        return []
    text = f"{plural(left_out, 'more destination')} with a smaller share: --top shows more, --format json all of them."
    return [paint("dim", line) for line in wrap(text, width)]


def _is_tight(use: PortUse) -> bool:
    soon = use.seconds_to_cliff
    return use.share >= TIGHT_SHARE or (soon is not None and soon <= SOON_S)


def _is_narrow(space: PortSpace) -> bool:
    return space.port_range is not None and space.port_range[1] - space.port_range[0] + 1 < DEFAULT_SIZE


def _verdict(use: PortUse, width: int, paint: Paint, *, narrow: bool) -> list[str]:
    """What it comes to, and whether a wider range or tcp_tw_reuse helps."""
    where = "" if use.netns == "host" else f" in {escape_text(use.netns)}"
    lines = wrap(f"{endpoint(use.destination, use.port)} from {use.source}{where}: {_state(use)}", width)
    role = "bad" if not use.headroom else "warn"
    helps = {True: "would help", False: "does not help", None: "may help"}[use.tw_reuse.helps]
    helps = "is at work" if use.tw_reuse.active else helps
    why = use.tw_reuse.why.removeprefix("it is at work: ")
    lines = [paint(role, line) for line in lines] + wrap(f"tcp_tw_reuse {helps}: {why}.", width, first="  ")
    if narrow:
        default = f"{DEFAULT_LOW} to {DEFAULT_HIGH}, has {grouped(DEFAULT_SIZE)}"
        text = f"A wider ip_local_port_range helps: the default, {default}."
        lines += wrap(text, width, first="  ")
    if use.bound:
        bound = plural(use.bound, "port")
        text = f"{bound} bound before connect() without IP_BIND_ADDRESS_NO_PORT: lost for every destination."
        lines += wrap(text, width, first="  ")
    if who := listed([f"{escape_text(owner.comm)} (pid {owner.pid})" for owner in use.owners]):
        lines += wrap(f"Opened by {who}.", width, first="  ")
    return lines


def _state(use: PortUse) -> str:
    """How tight it is now, and at this rate."""
    if not use.headroom:
        return f"all {grouped(use.range_size)} local ports are taken: connect() fails with EADDRNOTAVAIL."
    part = share(use.taken, use.range_size)
    if use.share >= CLIFF_SHARE:
        now = f"{part} of the local ports are taken: each connect() searches for a free one, and is slow"
    else:
        now = f"{part} of the local ports are taken"
    if use.seconds_to_exhaustion is not None:
        return f"{now}. None is left in {_time(use.seconds_to_exhaustion, use)} at this rate."
    if use.rate_per_s and use.plateau is not None:
        return f"{now}. At this rate it levels off at {grouped(round(use.plateau))}."
    return f"{now}."


def _gaps(gaps: tuple[Unavailable, ...], width: int, paint: Paint) -> list[str]:
    sentences = gap_sentences(gaps)
    lines = [line for sentence in sentences[:3] for line in wrap(sentence, width)]
    if len(sentences) > 3:
        lines.append(f"and {plural(len(sentences) - 3, 'more gap')}: --format json lists them")
    return [paint("dim", line) for line in lines]
