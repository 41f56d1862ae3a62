"""What to say of two captures that were compared: ranked sentences, the losses first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.handshakes.notices.notice import SEVERITIES, Notice
from halfopen.model.quantity import duration, endpoint, grouped, listed, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.against import Against, Ends, PacketCounts, Point, PointTotals

KIND_WORDS = {"syn": "SYN", "syn_ack": "SYN-ACK", "ack": "ACK", "rst": "RST"}

_ONLY_WORDS = {
    "before_other_began": "began before {other} did",
    "after_other_ended": "began after {other} had ended",
    "server_not_seen": "go to servers that {other} has nothing of: another filter, or another path",
    "missed": "should have passed {other}: packets dropped while capturing, another filter, or another path",
}

_NO_CLOCK = {
    "no_packets": "no packet is in both captures",
    "no_direction": "nothing tells which point a packet passed first",
    "one_direction": "packets of one direction only are in both captures",
    "contradiction": "no two steady clocks fit the times, so one was set meanwhile, or packets took several paths",
}


def notices(found: Against) -> list[Notice]:
    """The sentences: trouble, then what qualifies it, then the rest."""
    said = [*_losses(found), *_unanswered(found), *_nothing_common(found), *_renamed(found), *_caveats(found)]
    return sorted(said, key=lambda notice: (SEVERITIES.index(notice.severity), -notice.weight))


def _losses(found: Against) -> Iterator[Notice]:
    if not found.with_loss:
        return
    connects = found.common + found.lost_whole
    ways = [
        (
            [row for row in found.packets if row.lost and row.sender == sender],
            "on the way to the server" if sender == "client" else "on the way back",
        )
        for sender in ("client", "server")
    ]
    parts = [f"{listed([_packets(row) for row in rows])} {way}" for rows, way in ways if rows]
    text = f"{_of(found.with_loss, connects)} lost a packet between the two points: {', '.join(parts)}."
    if found.lost_whole:
        text += f" {_begin(found.lost_whole)} never got a packet through."
    yield Notice("lost-between", "trouble", text, weight=found.with_loss)


def _unanswered(found: Against) -> Iterator[Notice]:
    near = found.near_client
    if near is None:
        yield from _unanswered_anywhere(found)
        return
    far = _name(_other(near))
    if found.unanswered_syns:
        text = (
            f"{plural(found.unanswered_syns, 'SYN')} of {plural(found.with_unanswered_syns, 'connect')} reached "
            f"{far}, the point nearer to the server, and drew no answer there."
        )
        hint = "Lost behind that point, or dropped by the host: `nstat -az TcpExtListenOverflows` on the server tells."
        yield Notice("unanswered-behind", "trouble", text, hint, found.with_unanswered_syns)
    if found.unanswered_syn_acks:
        text = (
            f"{plural(found.unanswered_syn_acks, 'SYN-ACK')} reached {_name(near)}, the point nearer to the client, "
            "and the client never answered."
        )
        hint = (
            "Lost between that point and the client, or dropped by it: rp_filter (`nstat -az "
            "TcpExtIPReversePathFilter`) or a rule at its input; or the client is gone."
        )
        yield Notice("unanswered-before", "trouble", text, hint, found.unanswered_syn_acks)


def _unanswered_anywhere(found: Against) -> Iterator[Notice]:
    """Nothing came back, so nothing tells the points apart: what dropped the SYNs is behind both of them."""
    syns = sum(row.passed for row in found.packets if row.kind == "syn")
    if not found.common or not syns or any(row.passed or row.lost for row in found.packets if row.sender == "server"):
        return
    text = f"{plural(syns, 'SYN')} of {plural(found.common, 'connect')} passed both points, and nothing came back."
    hint = (
        "What drops them is behind both: the server's packet filter, its rp_filter or a full accept queue (`nstat -az "
        "TcpExtListenOverflows TcpExtIPReversePathFilter` there), or the way to it."
    )
    yield Notice("unanswered-behind", "trouble", text, hint, found.common)


def _nothing_common(found: Against) -> Iterator[Notice]:
    if found.common or found.lost_whole:
        return
    empty = [point for point, held in (("a", found.a), ("b", found.b)) if not held.handshakes]
    if empty:
        which = "Neither capture has a" if len(empty) == 2 else f"Capture {empty[0].upper()} has no"
        yield Notice("nothing-common", "caveat", f"{which} handshake: there is nothing to compare.", weight=1)
        return
    counts = f"A has {plural(found.a.handshakes, 'handshake')}, B {grouped(found.b.handshakes)}"
    text = f"Nothing to compare: {counts}, and none is in both, by addresses, ports and sequence numbers."
    if found.translated.handshakes or found.renumbered.handshakes:
        hint = ""
    elif apart := _apart(found):
        hint = f"By their clocks, {apart}."
    else:
        hint = "Captures of other hosts or interfaces, or a proxy in between, which opens connections of its own."
    yield Notice("nothing-common", "caveat", text, hint, weight=max(found.a.handshakes, found.b.handshakes) + 1)


def _apart(found: Against) -> str:
    for (first, one), (last, other) in ((("A", found.a), ("B", found.b)), (("B", found.b), ("A", found.a))):
        if one.end_ns is not None and other.start_ns is not None and one.end_ns < other.start_ns:
            return f"{first} had ended {duration((other.start_ns - one.end_ns) / 1000)} before {last} began"
    return ""


def _renamed(found: Against) -> Iterator[Notice]:
    translated, renumbered = found.translated, found.renumbered
    if translated.handshakes and translated.example:
        sides = [
            f"the {side}'s address or port"
            for side, count in (("client", translated.client_changed), ("server", translated.server_changed))
            if count
        ]
        a, b = translated.example
        text = (
            f"Addresses are translated between the two points (NAT): {plural(translated.handshakes, 'handshake')} "
            f"{_have(translated.handshakes)} the same sequence numbers in both captures, but {listed(sides)} differs: "
            f"{_ends(a)} in A is {_ends(b)} in B."
        )
        hint = "Such handshakes are not compared: capture both on the same side of the translation."
        yield Notice("translated", "caveat", text, hint, translated.handshakes)
    if renumbered.handshakes and renumbered.example:
        text = (
            f"Something between the two points rewrites sequence numbers: {plural(renumbered.handshakes, 'handshake')} "
            f"{_have(renumbered.handshakes)} the same addresses, ports and time stamps in both captures, and other "
            f"sequence numbers, such as {_ends(renumbered.example[0])}. They are not compared."
        )
        yield Notice("renumbered", "caveat", text, weight=renumbered.handshakes)
    if found.rewritten:
        text = (
            f"Something between the two points answers for the server or rewrites its sequence numbers (a SYN proxy, a "
            f"firewall): the two ends of {plural(found.rewritten, 'common handshake')} do not see the same numbers. "
            "Their packets are not compared."
        )
        yield Notice("rewritten", "caveat", text, weight=found.rewritten)


def _caveats(found: Against) -> Iterator[Notice]:
    if found.sampled_one_in > 1:
        text = (
            f"There are more handshakes than are kept: one in {grouped(found.sampled_one_in)} was compared, chosen by "
            "addresses and ports, the same ones of both captures. Counts are of these."
        )
        yield Notice("sampled", "caveat", text, weight=found.common)
    sides: tuple[tuple[Point, PointTotals], ...] = (("a", found.a), ("b", found.b))
    for point, held in sides:
        if held.evicted:
            text = f"{plural(held.evicted, 'connection')} of {_name(point)} did not fit into the table (--max-flows)."
            yield Notice("evicted", "caveat", text, weight=held.evicted)
        yield from _single(found, point)
    missed = sum(row.not_captured for row in found.packets)
    if missed:
        it = "it" if missed == 1 else "they"
        text = (
            f"{plural(missed, 'packet')} {_was(missed)} seen where {it} went, but not where {it} came from: a device "
            "between made up an answer, or a capture dropped packets, and then some that count as lost were not."
        )
        yield Notice("not-captured", "caveat", text, weight=missed)
    open_ = sum(row.not_judged for row in found.packets)
    if open_:
        why = "when the other capture had not begun or was over"
        if found.near_client is None:
            why = "only, and nothing tells which point they passed first"
        text = (
            f"{plural(open_, 'packet')} {_was(open_)} seen at one point {why}: whether "
            f"{'it was' if open_ == 1 else 'they were'} lost cannot be told."
        )
        yield Notice("not-judged", "caveat", text, weight=open_)
    yield from _places(found)


def _places(found: Against) -> Iterator[Notice]:
    if not found.common:
        return
    if found.near_client is None and not any(found.client_nearer_to.get(point) for point in ("a", "b")):
        text = (
            "Which point is nearer to the clients cannot be told: round trips and TTLs are the same at both, and no "
            "packet is missing at one."
        )
        yield Notice("places-unknown", "caveat", text, weight=1)
        return
    a, b = found.client_nearer_to.get("a", 0), found.client_nearer_to.get("b", 0)
    if a and b:
        text = f"The client is nearer to A in {plural(a, 'connect')} and nearer to B in {grouped(b)}."
        yield Notice("both-ways", "fact", text, weight=min(a, b))
    if found.clock.unknown_because:
        why = _NO_CLOCK.get(found.clock.unknown_because, found.clock.unknown_because)
        text = f"How the two clocks relate cannot be told: {why}. Round trips need no clock and are still shown."
        yield Notice("no-clock", "caveat", text, weight=1)


def _single(found: Against, point: Point) -> Iterator[Notice]:
    reasons = {why: count for why, count in found.only.get(point, {}).items() if why in _ONLY_WORDS}
    if not found.common:
        return
    for why, count in reasons.items():
        words = _ONLY_WORDS[why].format(other=_name(_other(point)))
        words = words if count > 1 else words.replace("go to servers", "goes to a server", 1)
        text = f"{plural(count, 'handshake')} {'is' if count == 1 else 'are'} only in {_name(point)}: "
        yield Notice(f"only-{why}", "caveat", f"{text}{'it' if count == 1 else 'they'} {words}.", weight=count)


def _packets(row: PacketCounts) -> str:
    return plural(row.lost, KIND_WORDS.get(row.kind, row.kind))


def _of(count: int, whole: int) -> str:
    return "The only connect" if count == whole == 1 else f"{grouped(count)} of {plural(whole, 'connect')}"


def _begin(count: int) -> str:
    return "One of them" if count == 1 else f"{grouped(count)} of them"


def _ends(ends: Ends) -> str:
    return f"{endpoint(ends.client, ends.client_port)} → {endpoint(ends.server, ends.server_port)}"


def _name(point: str) -> str:
    return point.upper()


def _other(point: Point) -> Point:
    return "b" if point == "a" else "a"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
