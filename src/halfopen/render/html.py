"""The HTML report: one page that holds its data, its script and its style, and that can reach nothing outside itself.

The page is built from `web/` into `assets/report.html` and travels inside the package, so neither a wheel nor its user
needs node. What happens here is only the border: the data is bounded, made plain JSON and put into a
`<script type="application/json">` element, in which nothing can end the element or start another. Every sentence,
number and drawing is made in the page, from text nodes only; its content security policy names the one script and the
one style by their hashes and forbids everything else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

ENDPOINTS_MAX = 2000
"""Endpoint rows in a page, those with the most handshakes: what a browser sorts and filters without a pause.
The page says how many are not shown."""

RECORDS_MAX = 500
"""Rows of each list of single handshakes."""

LADDERS_MAX = 40
"""Ladders in a page."""

LADDER_ROWS_MAX = 200
"""Packets in one ladder; a line says how many follow."""

TEXT_MAX = 4096
"""Characters of any one text from a capture, a file name or an address."""

_PLACE = "HALFOPEN_REPORT_DATA"
_SAFE_INTEGER = 2**53 - 1
"""The largest integer that JSON.parse keeps exactly (ECMA-262, Number.MAX_SAFE_INTEGER)."""

_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def render_report(data: Mapping[str, Any]) -> str:
    """The page for one trace.

    Args:
        data: the object `halfopen.summary/1`, with these beside it where they are known: `slowest` and `failed` (lists
            of `halfopen.handshake/1` records), `ladders` (a list of `title`, `client`, `server`, `rows`),
            `vantage_sentence`, `version`, `generated_at` (text, as it is to be shown). Anything may be missing or
            null: what it would have filled says that nothing was seen.

    Returns:
        A complete HTML document, UTF-8 when encoded.

    Raises:
        TypeError: a value is of a type that JSON does not have.
    """
    before, after = _template()
    text = json.dumps(_plain(_bounded(data)), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return before + text.translate(_ESCAPES) + after


@cache
def _template() -> tuple[str, str]:
    page = files("halfopen.render").joinpath("assets/report.html").read_text(encoding="utf-8")
    before, mark, after = page.partition(_PLACE)
    if not mark or _PLACE in after:
        raise RuntimeError("the report template has no single place for its data: rebuild it with `make web`")
    return before, after


def _bounded(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same data with no list longer than the page can carry, and endpoints with the fields that it shows."""
    bounded = dict(data)
    # Their sum over all attempts is shown; the parts are the largest ones, and not shown.
    for unused in ("hosts", "silent_pairs", "other_endpoints"):
        bounded.pop(unused, None)
    endpoints = _mappings(data.get("endpoints"))
    bounded["endpoints_total"] = data.get("endpoints_total") or len(endpoints)
    largest = sorted(endpoints, key=lambda row: _count(row.get("handshakes")), reverse=True)[:ENDPOINTS_MAX]
    bounded["endpoints"] = [_endpoint(row) for row in largest]
    for name in ("slowest", "failed"):
        bounded[name] = _mappings(data.get(name))[:RECORDS_MAX]
    bounded["ladders"] = [_ladder(row) for row in _mappings(data.get("ladders"))[:LADDERS_MAX]]
    return bounded


def _endpoint(row: Mapping[str, Any]) -> dict[str, Any]:
    latency = _mapping(row.get("latency_us"))
    shown = {name: row.get(name) for name in ("server", "server_port", "handshakes", "outcomes", "failed")}
    quantiles = {
        metric: {name: _mapping(latency.get(metric)).get(name) for name in ("count", "p50", "p90", "p99", "max")}
        for metric in ("syn_to_syn_ack", "handshake")
    }
    repeated = _mapping(row.get("retransmission")).get("syn_handshakes")
    return {**shown, "latency_us": quantiles, "retransmission": {"syn_handshakes": repeated}}


def _ladder(row: Mapping[str, Any]) -> dict[str, Any]:
    rows = _mappings(row.get("rows"))
    return {**row, "rows": rows[:LADDER_ROWS_MAX], "rows_left_out": max(0, len(rows) - LADDER_ROWS_MAX)}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list | tuple) else []


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _plain(value: object) -> object:
    """The value as JSON that a browser reads back exactly: large integers as text, and no number that JSON lacks."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value if len(value) <= TEXT_MAX else value[:TEXT_MAX] + "…"
    if isinstance(value, int):
        return value if abs(value) <= _SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key)[:TEXT_MAX]: _plain(each) for key, each in value.items()}
    if isinstance(value, Iterable):
        return [_plain(each) for each in value]
    raise TypeError(f"a report holds no {type(value).__name__}")
