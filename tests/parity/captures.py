"""Where the captures are, and what halfopen reads in one.

Captures of our own lie in ``tests/captures``. Captures of other projects may not be copied here: they are read where
they lie, in the folder ``shared/captures`` beside this repository, or the one that ``HALFOPEN_CAPTURES`` names.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.conftest import ROOT

from halfopen.capture.trace import read

if TYPE_CHECKING:
    from halfopen.model.summary import Summary

OWN = ROOT / "tests" / "captures"
SHARED = Path(os.environ.get("HALFOPEN_CAPTURES") or ROOT.parent / "shared" / "captures")
#: Why nothing of ``SHARED`` was tested; None where it is there.
ABSENT = None if (SHARED / "public").is_dir() else f"the captures of other projects are not in {SHARED}"

Record = dict[str, Any]


@dataclass(frozen=True)
class Reading:
    """What halfopen says of some files that are one capture."""

    summary: Summary
    records: tuple[Record, ...]

    def of(self, client_port: int) -> Record:
        """The only record of that client port."""
        (record,) = [record for record in self.records if record["client_port"] == client_port]
        return record


def trace(*paths: Path | str, verify_checksums: bool = False) -> Reading:
    """Read captures with the library; the records as the JSON Lines that it writes."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as lines:
        found = read(
            [str(path) for path in paths], records="jsonl", output=lines.name, verify_checksums=verify_checksums
        )
        return Reading(found.summary, tuple(json.loads(line) for line in lines))


@cache
def trace_once(path: Path) -> Reading:
    """:func:`trace` of a capture that several tests look at."""
    return trace(path)


@dataclass(frozen=True)
class Capture:
    """A capture and what the oracle says of it."""

    name: str
    """``lab/refused.pcap``."""
    path: Path
    oracle: Path

    @property
    def verdict(self) -> dict[str, Any]:
        """The oracle's file."""
        return _load(self.oracle)


@cache
def _load(path: Path) -> dict[str, Any]:
    verdict: dict[str, Any] = json.loads(path.read_bytes())
    return verdict


def own_captures() -> list[Capture]:
    """Those in this repository."""
    return _with_oracle(OWN / "oracle", {"lab": OWN, "derived": OWN})


def other_captures() -> list[Capture]:
    """Those of other projects; none where the folder is absent."""
    folders = {folder.name: folder.parent for folder in sorted(SHARED.glob("public/*")) if folder.is_dir()}
    return _with_oracle(SHARED / "oracle", folders)


def _with_oracle(oracles: Path, roots: dict[str, Path]) -> list[Capture]:
    found = []
    for oracle in sorted(oracles.glob("*.json")):
        name = oracle.name.removesuffix(".json").replace("__", "/", 1)
        root = roots.get(name.partition("/")[0])
        if root is not None:
            found.append(Capture(name, root / name, oracle))
    return found
