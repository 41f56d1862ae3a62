"""The names of the core and the words for them are two lists: neither may forget an entry of the other."""

from __future__ import annotations

import re
from pathlib import Path

from halfopen.handshakes.notices.capture import DAMAGE
from halfopen.handshakes.notices.options import ANOMALIES
from halfopen.model.handshake import OUTCOMES
from halfopen.render.words import OUTCOME_WORDS

CRATES = Path(__file__).parents[3] / "crates"

#: Anomalies that another notice, a count or a column tells.
TOLD_ELSEWHERE = {
    "syn_retransmitted",
    "syn_ack_retransmitted",
    "reordered",
    "captured_twice",
    "one_direction_captured",
    "syn_ack_not_captured",
    "ack_not_captured",
    "options_damaged",
    "evicted",
}


def names(file: str, kind: str) -> set[str]:
    """The spellings of one ``named!`` enum of the core."""
    source = (CRATES / file).read_text(encoding="utf-8")
    block = re.search(rf"\n    {kind} \{{\n(.*?)\n    \}}\n", source, re.DOTALL)
    assert block, kind
    return set(re.findall(r'^\s*[A-Z]\w* "(\w+)",', block[1], re.MULTILINE))


def test_every_outcome_has_words() -> None:
    assert set(OUTCOMES) == set(OUTCOME_WORDS) == names("track/src/record.rs", "Outcome")


def test_every_anomaly_is_told() -> None:
    assert set(ANOMALIES) | TOLD_ELSEWHERE == names("track/src/record.rs", "Anomaly")


def test_every_defect_has_words() -> None:
    source = (CRATES / "wire/src/defect.rs").read_text(encoding="utf-8")
    assert set(DAMAGE) == set(re.findall(r'^    [A-Z]\w+ "(\w+)" "', source, re.MULTILINE))
