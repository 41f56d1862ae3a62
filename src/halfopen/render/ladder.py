"""One connection drawn packet by packet: when, which way, what, and the state of both ends after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halfopen.handshakes.ladder import Gap, Step, elide
from halfopen.knowledge.icmp import icmp_meaning
from halfopen.model.exchange import FLAG_BITS, Exchange, ExchangeIcmp, ExchangePacket
from halfopen.model.quantity import UNKNOWN, duration, moment, plural, size
from halfopen.render.escape import escape_text
from halfopen.render.handshake_rows import peers
from halfopen.render.layout import Paint, clamp, wrap
from halfopen.render.words import OUTCOME_WORDS, outcome_role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from halfopen.model.handshake import Handshake

_TIME, _DELTA, _FRAME, _STATE = 12, 12, 10, 12
#: RFC 9293's spelling where the kernel's, which data has, differs by more than the hyphen.
_STATES = {"SYN_RECV": "SYN-RECEIVED", "FIN_WAIT1": "FIN-WAIT-1", "FIN_WAIT2": "FIN-WAIT-2", "CLOSE": "CLOSED"}
#: Shortest arrow that still holds «PSH-ACK 65535 B».
_ARROW_MIN = 21
_DELTA_FROM, _FRAME_FROM = 94, 80


def render_ladder(exchange: Exchange, width: int = 100, color: bool = False) -> str:
    """The ladder as text that ends in a line end; long exchanges lose their middle."""
    paint, width = Paint(color), clamp(width)
    lines = _heading(exchange, width, paint)
    if not exchange.events:
        lines += ["", "No packet of it was kept."]
        return "\n".join(lines) + "\n"
    lines += ["", _titles(exchange.handshake, width, paint)]
    for item in elide(exchange):
        lines += [_gap(item, width, paint)] if isinstance(item, Gap) else _step(item, exchange, width, paint)
    return "\n".join(lines) + "\n"


def _heading(exchange: Exchange, width: int, paint: Paint) -> list[str]:
    row = exchange.handshake
    number = "" if row.number is None else f"{row.number}  "
    outcome = OUTCOME_WORDS.get(row.outcome, escape_text(row.outcome))
    first = f"{paint('head', number + peers(row))}  {paint(outcome_role(row.outcome), outcome)}"
    facts = [f"began {moment(row.start_ns)}", f"in {_file_name(row.source)}"]
    if row.handshake_us is not None:
        facts.append(f"handshake {duration(row.handshake_us)}")
    if row.retransmit_wait_us:
        facts.append(f"{duration(row.retransmit_wait_us)} of it waiting for a SYN sent again")
    if row.time_wait:
        facts.append(f"TIME_WAIT at {'both sides' if row.time_wait == 'both' else 'the ' + row.time_wait}")
    facts += [escape_text(name) for name in row.anomalies]
    return [first, *(paint("dim", line) for line in wrap(", ".join(facts), width))]


def _margin(width: int) -> int:
    """Columns before the client's state."""
    return _TIME + (_DELTA if width >= _DELTA_FROM else 0) + (_FRAME if width >= _FRAME_FROM else 0) + 2


def _arrow_width(width: int) -> int:
    return max(_ARROW_MIN, width - _margin(width) - 2 * (_STATE + 2))


def _titles(row: Handshake, width: int, paint: Paint) -> str:
    left = "seconds".rjust(_TIME)
    left += "delta".rjust(_DELTA) if width >= _DELTA_FROM else ""
    left += "frame".rjust(_FRAME) if width >= _FRAME_FROM else ""
    arrow = _arrow_width(width)
    ends = (f"client :{row.client_port}", f"server :{row.server_port}")
    return paint("dim", f"{left}  {ends[0]:<{_STATE + 2 + arrow}}  {ends[1]}")


def _step(step: Step, exchange: Exchange, width: int, paint: Paint) -> list[str]:
    event = step.event
    role, body = _icmp(event, width) if isinstance(event, ExchangeIcmp) else _packet(event, width)
    left = (UNKNOWN if step.since_start_ns is None else f"{step.since_start_ns / 1e9:.6f}").rjust(_TIME)
    if width >= _DELTA_FROM:
        left += ("" if step.since_last_ns is None else f"{step.since_last_ns / 1e9:+.6f}").rjust(_DELTA)
    if width >= _FRAME_FROM:
        left += ("" if event.frame is None else str(event.frame)).rjust(_FRAME)
    client, arrow, server = body
    indent = " " * _margin(width)
    lines = [f"{left}  {client:<{_STATE}}  {paint(role, arrow)}  {server}".rstrip()]
    lines += [paint("dim", line) for line in wrap(_details(step, exchange), width, first=indent)]
    verdict = "" if isinstance(event, ExchangeIcmp) else verdict_words(event)
    if verdict:
        lines += [paint(role, line) for line in wrap(verdict, width, first=indent)]
    return lines


def _packet(packet: ExchangePacket, width: int) -> tuple[str, tuple[str, str, str]]:
    role = "" if packet.is_plain else {"invalid": "bad", "ignore": "warn", "copy": "dim"}.get(packet.verdict, "")
    label = flag_words(packet.flags)
    if packet.payload_len:
        label += f" {packet.payload_len} B"
    arrow = _arrow(label, _arrow_width(width), to_server=packet.from_client)
    return role, (state_name(packet.client_state), arrow, state_name(packet.server_state))


def _icmp(error: ExchangeIcmp, width: int) -> tuple[str, tuple[str, str, str]]:
    """An ICMP error says nothing about the states; it ends an attempt, or is ignored."""
    return "bad", ("", _arrow("ICMP", _arrow_width(width), to_server=not error.to_client), "")


def state_name(name: str | None) -> str:
    """A state as RFC 9293 spells it."""
    if name is None:
        return UNKNOWN
    return _STATES.get(name) or escape_text(name).replace("_", "-")


def _arrow(label: str, width: int, *, to_server: bool) -> str:
    body = f" {label} ".center(width - 1, "-")
    return f"{body}>" if to_server else f"<{body}"


def flag_words(flags: int) -> str:
    """«SYN», «SYN-ACK», «PSH-ACK»; «none» for a segment without flags."""
    names = [name for name, bit in FLAG_BITS if flags & bit]
    names.sort(key=lambda name: (name == "ACK", name in ("ECE", "CWR", "AE")))
    return "-".join(names) or "none"


def _details(step: Step, exchange: Exchange) -> str:
    event = step.event
    words = _icmp_words(event, step) if isinstance(event, ExchangeIcmp) else _packet_words(event, step)
    if len(exchange.files) > 1 and event.file < len(exchange.files):
        words.append(f"in {_file_name(exchange.files[event.file])}")
    return ", ".join(words)


def _packet_words(packet: ExchangePacket, step: Step) -> list[str]:
    words = [_number("seq", step.seq, packet.seq)]
    if packet.has("ACK"):
        words.append(_number("ack", step.ack, packet.ack))
    if packet.window is not None:
        words.append(f"win {packet.window}")
    return words + option_words(packet.options)


def _icmp_words(error: ExchangeIcmp, step: Step) -> list[str]:
    words = [icmp_sentence(error)]
    return words if error.seq is None else [*words, f"about {_number('seq', step.seq, error.seq)}"]


def icmp_sentence(error: ExchangeIcmp) -> str:
    """«host unreachable from 10.0.0.9»."""
    return f"{icmp_meaning(error.icmp_type, error.icmp_code, v6=':' in error.icmp_from)} from {error.icmp_from}"


def _file_name(path: str) -> str:
    return "standard input" if path == "-" else escape_text(path)


def _number(name: str, relative: int | None, absolute: int) -> str:
    return f"{name} {absolute}" if relative is None else f"{name} {relative} ({absolute})"


def option_words(options: Mapping[str, Any]) -> list[str]:
    """Options of a SYN as short words, in the field's usual abbreviations."""
    words = []
    for name, short in (("mss", "mss"), ("window_scale", "wscale")):
        if options.get(name) is not None:
            words.append(f"{short} {options[name]}")
    flags = (
        ("sack_permitted", "sack"),
        ("timestamps", "ts"),
        ("mptcp", "mptcp"),
        ("ecn", "ecn"),
        ("md5", "md5"),
        ("ao", "ao"),
    )
    words += [short for name, short in flags if options.get(name)]
    if options.get("fast_open"):
        words.append(f"fast open {escape_text(str(options['fast_open']))}")
    if options.get("unknown_options"):
        words.append(plural(options["unknown_options"], "unknown option"))
    if options.get("incomplete"):
        words.append("options damaged")
    return words


def verdict_words(packet: ExchangePacket) -> str:
    """What the state table made of the packet; nothing where it is as plain as can be."""
    if packet.is_plain:
        return ""
    if packet.verdict == "copy":
        return "the same packet, captured a second time"
    note = escape_text(packet.note)
    word = {"ignore": "changes nothing", "invalid": "invalid"}.get(packet.verdict, "")
    if word and note and not note[:2].isupper():  # not «SYN»
        note = note[0].lower() + note[1:]
    return ": ".join(part for part in (word, note) if part)


def _gap(gap: Gap, width: int, paint: Paint) -> str:
    payload = f" with {size(gap.payload)}" if gap.payload else ""
    length = "" if gap.duration_ns is None else f", {duration(gap.duration_ns / 1000)}"
    text = f"… {plural(gap.packets, 'packet')}{payload} left out{length} …"
    return paint("dim", " " * _margin(width) + text)
