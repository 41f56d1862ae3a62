"""The screen of ``halfopen trace``.

Read from the top by somebody in a hurry: first the sentences that call for action, then what qualifies them, then the
numbers, then single handshakes to open in Wireshark or as a ladder. Nothing unknown is written as 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.handshakes.notices import Notice, notices
from halfopen.handshakes.notices.direction import only_first_syns
from halfopen.model.quantity import duration, every, grouped, plural
from halfopen.render import sections
from halfopen.render.layout import Paint, clamp, wrap
from halfopen.render.listing import Order, listing

if TYPE_CHECKING:
    from halfopen.model.summary import Summary

_MARKS = {"trouble": ("!", "bad"), "caveat": ("?", "warn"), "fact": ("-", "dim")}


def render_summary(
    summary: Summary,
    *,
    width: int = 100,
    color: bool = False,
    top: int = 10,
    order: Order | None = None,
    remarks: bool = True,
) -> str:
    """The screen as text that ends in a line end.

    Args:
        summary: the numbers of the run.
        width: columns of the terminal; the layout keeps to 60 to 120.
        color: whether to use ANSI colours.
        top: rows of each table.
        order: the handshakes to list instead of the failed and the slowest ones.
        remarks: say below which command draws one of them.
    """
    paint, width = Paint(color), clamp(width)
    said = notices(summary)
    urgent = [notice for notice in said if notice.severity != "fact"]
    blocks = [
        _verdict(summary, said, width, paint) + sentences(urgent, width, paint),
        sections.read(summary, width, paint),
        sections.outcomes(summary, width, paint),
        sections.latency(summary, width, paint),
        sections.endpoints(summary, width, paint, top),
        *_single(summary, order, width, paint, top),
        sections.footnotes(summary, width, paint),
        sentences([notice for notice in said if notice.severity == "fact"], width, paint),
        sections.ladder_hint(summary, paint, order.first if order else None) if remarks else [],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _single(summary: Summary, order: Order | None, width: int, paint: Paint, top: int) -> list[list[str]]:
    """Single handshakes: as ordered, or those that matter most."""
    if order is not None:
        return [listing(order, summary.handshakes, width, paint)]
    return [sections.failed(summary, width, paint, top), sections.slowest(summary, width, paint, top)]


def _verdict(summary: Summary, said: list[Notice], width: int, paint: Paint) -> list[str]:
    """The first line where no trouble takes that place."""
    if any(notice.severity == "trouble" for notice in said):
        return []
    whole = summary.handshakes - summary.outcome("partial")
    role = "good" if whole and summary.outcome("established") == whole else "head"
    return [paint(role, line) for line in wrap(verdict(summary), width)]


def verdict(summary: Summary) -> str:
    """How it went as a whole, in one sentence."""
    if not summary.handshakes:
        return _nothing(summary)
    whole = summary.handshakes - summary.outcome("partial")
    done = summary.outcome("established")
    if not whole:
        return f"No whole handshake in this capture: {plural(summary.handshakes, 'handshake')} began before it did."
    if only_first_syns(summary):
        return f"{plural(whole, 'connect')}, of which this capture shows nothing but the SYN."
    if not done:
        return "The only connect did not complete." if whole == 1 else f"None of {plural(whole, 'connect')} completed."
    return _completed(done, whole, sum(summary.undecided.values()), summary.latency_us.handshake.max)


def _nothing(summary: Summary) -> str:
    """Why there is no handshake."""
    cut = summary.defects.get("tcp_truncated", 0)
    if not summary.packets:
        return "No packet in this capture."
    if not summary.tcp_segments and cut:
        return f"No whole TCP header in this capture: {plural(cut, 'packet')} cut inside it."
    if not summary.tcp_segments:
        return f"No TCP in this capture: {plural(summary.packets, 'packet')} read."
    if summary.filter is not None:
        return "No handshake in this capture fits what was asked for."
    old = plural(summary.midstream or 0, "connection")
    what = f"{old} had begun before it" if summary.midstream else "no SYN in it"
    return f"No handshake in this capture: {plural(summary.tcp_segments, 'TCP segment')}, {what}."


def _completed(done: int, whole: int, under_way: int, slowest_us: float | None) -> str:
    took = ""
    if slowest_us is not None:
        took = f"{' in' if done == 1 else ', the slowest in'} {duration(slowest_us)}"
    if done < whole and done + under_way == whole:
        those = f"{grouped(done)} of {plural(whole, 'connect')} {'was' if done == 1 else 'were'} established{took}"
        others = "one" if under_way == 1 else grouped(under_way)
        # Neither praise nor blame: what waits for less than a second may be about to complete, or be dropped.
        return f"{those}; the capture ended before the other {others} did."
    if done < whole:
        return f"{grouped(done)} of {plural(whole, 'connect')} completed{took}."
    if whole == 1:
        return f"No trouble: the only connect was established{took}."
    return f"No trouble: {every(whole, 'connect')} were established{took}."


def sentences(said: list[Notice], width: int, paint: Paint) -> list[str]:
    """Notices as lines, each behind its mark; a hint only once."""
    lines: list[str] = []
    hinted: set[str] = set()
    for notice in said:
        mark, role = _MARKS[notice.severity]
        folded = wrap(notice.text, width, first=f"{mark} ")
        lines += [paint(role, mark) + folded[0][1:], *folded[1:]]
        if notice.hint and notice.hint not in hinted:
            hinted.add(notice.hint)
            lines += [paint("dim", line) for line in wrap(notice.hint, width, first="    ")]
    return lines
