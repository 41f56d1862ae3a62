"""The object ``halfopen.summary/1`` that ``halfopen trace --format json`` prints."""

from __future__ import annotations

from typing import Any

from halfopen.handshakes.notices import Notice, notices
from halfopen.handshakes.vantage import infer
from halfopen.model.summary import SCHEMA, Summary

_ALWAYS = ("packets", "tcp_segments", "midstream", "handshakes", "outcomes", "evicted")
"""Promised even where the core had nothing to say."""


def summary_object(summary: Summary, records: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Everything that the core counted, with the sentences and the capture point added.

    ``records`` are those that ``--sort`` asked for, in its order.

    ``notices`` are whole sentences, ranked as on the screen; ``vantage.place`` is null where it cannot be told.
    """
    where = infer(summary)
    return {
        "schema": SCHEMA,
        **{name: getattr(summary, name) for name in _ALWAYS},
        **{name: value for name, value in summary.document.items() if name != "schema"},
        "vantage": {**summary.document.get("vantage", {}), "place": where.place, "reason": where.reason},
        "notices": [sentence(notice) for notice in notices(summary)],
        **({} if records is None else {"records": records}),
    }


def sentence(notice: Notice) -> str:
    """The notice with its hint, as running text."""
    return f"{notice.text} {notice.hint}" if notice.hint else notice.text
