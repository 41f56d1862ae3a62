"""Records as JSON text that is safe to look at.

msgspec writes the records as they are (ADR 15). Control characters are escaped by every JSON writer; those that turn
the direction of writing, hide, or imitate others are not, and are written as ``\\uNNNN`` here, so that a document of
hostile names can be shown on a terminal and is still the same document.
"""

from __future__ import annotations

import re

import msgspec

#: As in ``halfopen.render.escape``, without what JSON escapes itself, and without lone surrogates, which no record has.
_DANGEROUS = re.compile(
    "[\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)


def document(value: object, indent: int | None = 2) -> bytes:
    """``value`` (records, dicts, lists) as JSON with a line end; all on one line when ``indent`` is None."""
    data = msgspec.json.encode(value)
    if indent is not None:
        data = msgspec.json.format(data, indent=indent)
    # Outside of strings JSON is ASCII, and what stands here needs no escape but inside them.
    text = _DANGEROUS.sub(_escaped, data.decode()) if not data.isascii() or b"\x7f" in data else data.decode()
    return f"{text}\n".encode()


def _escaped(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
