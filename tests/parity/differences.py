"""The known differences: ``differences.toml``, one entry a reason."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Difference:
    """Fields of some streams of a capture in which halfopen does not follow the oracle."""

    capture: str
    streams: tuple[int, ...]
    reason: str
    ours: dict[str, Any]
    """{field: value of ours}; a value of ``...`` stands for any but theirs."""


def known_differences() -> list[Difference]:
    """All of them."""
    document = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return [_difference(entry) for entry in document.get("difference", ())]


def _difference(entry: dict[str, Any]) -> Difference:
    ours = {field: None if value == "null" else value for field, value in entry.get("ours", {}).items()}
    ours |= dict.fromkeys(entry.get("fields", ()), ...)
    return Difference(entry["capture"], tuple(entry["streams"]), entry["reason"], ours)
