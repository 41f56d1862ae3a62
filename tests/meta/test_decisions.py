"""The index of the decisions has each of them, in order, under its own title."""

from __future__ import annotations

import re

from tests.conftest import ROOT

DECISIONS = ROOT / "docs/adr"


def test_the_index_has_every_decision_under_its_title() -> None:
    titles = {}
    for path in sorted(DECISIONS.glob("[0-9]*.md")):
        heading = re.match(r"# (\d+)\. (.+)\n", path.read_text(encoding="utf-8"))
        assert heading is not None, path.name
        assert int(heading[1]) == int(path.name[:4])
        titles[path.name] = heading[2]
    rows = re.findall(
        r"^\| \[(\d+)\]\((\1-.+\.md)\) \| (.+) \|$", (DECISIONS / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert {file: title for _number, file, title in rows} == titles
    assert [int(number) for number, _file, _title in rows] == list(range(1, len(titles) + 1))
