"""The object of ``--format json``: the contract's names, nothing of the core lost, sentences added."""

from __future__ import annotations

import json
from pathlib import Path

from halfopen.model.summary import Summary
from halfopen.render.json import summary_object

CASES = Path(__file__).parents[2] / "cases" / "summary"
CONTRACT = {
    "schema",
    "inputs",
    "packets",
    "tcp_segments",
    "midstream",
    "handshakes",
    "outcomes",
    "latency_us",
    "endpoints",
    "notices",
    "evicted",
}


def test_the_contract_and_everything_of_the_core() -> None:
    given = json.loads((CASES / "lossy.json").read_text(encoding="utf-8"))
    made = summary_object(Summary.from_json(given))
    assert made.keys() >= CONTRACT
    assert made["schema"] == "halfopen.summary/1"
    assert {name: made[name] for name in given if name != "vantage"} == {
        name: value for name, value in given.items() if name != "vantage"
    }
    assert made["vantage"]["judged"] == given["vantage"]["judged"]
    assert made["vantage"]["place"] == "client"


def test_notices_are_sentences() -> None:
    made = summary_object(Summary.from_json(json.loads((CASES / "lossy.json").read_text(encoding="utf-8"))))
    assert made["notices"][0].startswith("312 of 1 204 connects to 10.0.0.5:443 waited 1 s or 3 s")
    assert all(isinstance(sentence, str) and sentence.endswith(".") for sentence in made["notices"])


def test_an_empty_summary_keeps_the_promised_names() -> None:
    made = summary_object(Summary())
    assert made["handshakes"] == 0
    assert made["midstream"] is None
    assert made["vantage"]["place"] is None
    assert json.loads(json.dumps(made)) == made
