"""What the links with faults did to which packet: the relays' own reports, in the words of the story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halfopen.model.experiment import Deed, LinkReport, Way

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from halfopen.lab.topology import Link

#: A flood through a link that loses packets would fill the result with them.
DEEDS_MAX = 2000


def report(links: Sequence[Link], begin_ns: int) -> list[LinkReport]:
    """Of each relay, until now; ``begin_ns`` is when the experiment began, in nanoseconds since the epoch."""
    return [_of(link, link.relay.report(), begin_ns) for link in links if link.relay is not None]


def _of(link: Link, told: Mapping[str, Any], begin_ns: int) -> LinkReport:
    first, second = link.first.name, link.second.name
    forward, backward = (
        Way(sender, receiver, told["received"][way], told["delivered"][way])
        for way, (sender, receiver) in enumerate(((first, second), (second, first)))
    )
    events = told["events"]
    deeds = tuple(_deed(event, first, second, begin_ns) for event in events[:DEEDS_MAX])
    return LinkReport((forward, backward), deeds, told["events_left_out"] + len(events) - len(deeds))


def _deed(event: Mapping[str, Any], first: str, second: str, begin_ns: int) -> Deed:
    return Deed(
        (event["time_ns"] - begin_ns) / 1e9,
        first if event["direction"] == "forward" else second,
        event["kind"],
        event["source"],
        event["destination"],
        event["seq"],
        event["fault"] or event["deed"],
    )
