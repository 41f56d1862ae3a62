"""``# halfopen: ignore HO203``: findings that a file's author has looked at and wants to keep."""

from __future__ import annotations

import re

_MARK = re.compile(r"[#;]\s*halfopen:\s*ignore\s+([\w-]+(?:[ \t]*,[ \t]*[\w-]+)*)", re.IGNORECASE)


def suppressed(text: str) -> dict[int, frozenset[str]]:
    """{line: codes and names, in lower case}: of the mark's own line and, where nothing else is on it, of the next."""
    found: dict[int, frozenset[str]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        match = _MARK.search(line)
        if match:
            words = frozenset(word.strip().lower() for word in match[1].split(","))
            for place in (number, number + 1) if line.lstrip().startswith(match[0][0]) else (number,):
                found[place] = found.get(place, frozenset()) | words
    return found
