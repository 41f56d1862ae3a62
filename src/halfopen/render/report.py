"""What the HTML report shows of a run, as the plain data that ``render.html`` puts into the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halfopen.handshakes.ladder import Gap, Step, elide
from halfopen.handshakes.notices import notices
from halfopen.handshakes.vantage import infer
from halfopen.model.exchange import ExchangeIcmp, ExchangePacket
from halfopen.model.quantity import duration, endpoint
from halfopen.render.handshake_rows import peers
from halfopen.render.json import summary_object
from halfopen.render.ladder import flag_words, icmp_sentence, option_words, state_name, verdict_words
from halfopen.render.text import verdict
from halfopen.render.words import OUTCOME_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halfopen.model.exchange import Exchange
    from halfopen.model.summary import Summary


def report_data(summary: Summary, exchanges: Iterable[Exchange], *, version: str, generated_at: str) -> dict[str, Any]:
    """The object for ``render_report``: ``halfopen.summary/1`` with the ladders beside it.

    Args:
        summary: the numbers of the run.
        exchanges: what is drawn, in this order.
        version: of the program.
        generated_at: when, as it is to be shown.
    """
    said = notices(summary)
    return {
        **summary_object(summary),
        "verdict": None if any(notice.severity == "trouble" for notice in said) else verdict(summary),
        "notices": [{"severity": n.severity, "text": n.text, "hint": n.hint} for n in said],
        "vantage_sentence": infer(summary).sentence if summary.handshakes else None,
        "ladders": [_ladder(exchange) for exchange in exchanges],
        "version": version,
        "generated_at": generated_at,
    }


def _ladder(exchange: Exchange) -> dict[str, Any]:
    row = exchange.handshake
    outcome = OUTCOME_WORDS.get(row.outcome, row.outcome)
    took = "" if row.handshake_us is None else f" in {duration(row.handshake_us)}"
    return {
        "title": f"No. {row.number}: {peers(row)}, {outcome}{took}",
        "number": row.number,
        "client": endpoint(row.client, row.client_port),
        "server": endpoint(row.server, row.server_port),
        "rows": [_gap(item) if isinstance(item, Gap) else _row(item) for item in elide(exchange)],
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {"left_out": gap.packets, "left_out_bytes": gap.payload}


def _row(step: Step) -> dict[str, Any]:
    event = step.event
    common = {"time_ns": event.time_ns, "frame": event.frame, "seq": event.seq, "seq_rel": step.seq}
    return {**common, **(_icmp(event) if isinstance(event, ExchangeIcmp) else _packet(event, step))}


def _icmp(error: ExchangeIcmp) -> dict[str, Any]:
    return {"flags": "ICMP", "from_client": not error.to_client, "note": icmp_sentence(error)}


def _packet(packet: ExchangePacket, step: Step) -> dict[str, Any]:
    return {
        "from_client": packet.from_client,
        "flags": flag_words(packet.flags),
        "ack": packet.ack if packet.has("ACK") else None,
        "ack_rel": step.ack,
        "window": packet.window,
        "payload_len": packet.payload_len,
        "options": ", ".join(option_words(packet.options)) or None,
        "client_state": state_name(packet.client_state),
        "server_state": state_name(packet.server_state),
        "verdict": packet.verdict,
        "note": verdict_words(packet) or None,
    }
