"""``docs/doctor-target.md`` names every verdict, what it counts for, and every word for a local cause."""

from __future__ import annotations

import re

from tests.conftest import ROOT

from halfopen.model.verdict import SEVERITIES, VERDICT_KINDS
from halfopen.render.causes import WORDS

PAGE = (ROOT / "docs" / "doctor-target.md").read_text(encoding="utf-8")


def test_every_verdict_with_its_severity() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| (\w+)[^|]* \|$", PAGE, re.MULTILINE)
    assert [(kind, word) for kind, word in rows if kind in VERDICT_KINDS] == [
        (kind, SEVERITIES[kind] or "nothing")
        for kind in dict.fromkeys(kind for kind, _ in rows)
        if kind in VERDICT_KINDS
    ]
    assert {kind for kind, _ in rows} == set(VERDICT_KINDS)


def test_every_word_for_a_local_cause() -> None:
    words = re.findall(r"^\| `([a-z ]+)` \| [^|]+ \|$", PAGE, re.MULTILINE)
    assert words == [word for word, _ in WORDS.values()]
