"""What a story keeps, and how it is drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest

from halfopen.lab.story import AtLeast, Between, Exactly, Expected, Story
from halfopen.lab.topology import Network
from halfopen.model.experiment import ExperimentResult
from halfopen.model.quantity import UNKNOWN
from halfopen.render.lab import render_markdown, render_result, render_tally


def told() -> Story:
    """A story with a remedy; its network has no host."""
    story = Story(Network())
    story.say("A listener is full.")
    story.expect("drops", 3, 3)
    story.expect("seconds until the retransmission", Between(1, 1.1), 2.5)
    story.remedy("Accept faster.")
    story.expect("drops", 0, 0)
    return story


def result(story: Story) -> ExperimentResult:
    return ExperimentResult(
        "full", "A full queue", "It drops.", "failed", "it did not", 1.0, tuple(story.lines), story.remedy_text,
        tuple(story.before), tuple(story.after),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "observed", "holds"),
    [
        (Exactly(3), 3, True),
        (Exactly(3), 4, False),
        (Exactly(None), None, True),
        (Between(1, 2), 2, True),
        (Between(1, 2), 2.01, False),
        (Between(1, 2), "1.5", False),
        (AtLeast(5), 4, False),
        (AtLeast(5), 5, True),
        (AtLeast(5), None, False),
    ],
)
def test_an_expectation(expected: Expected, observed: float | str | None, holds: bool) -> None:
    assert expected.holds(observed) is holds


def test_what_comes_after_the_remedy_is_kept_apart() -> None:
    story = told()
    assert [(check.what, check.holds) for check in story.before] == [
        ("drops", True),
        ("seconds until the retransmission", False),
    ]
    assert [(check.observed, check.expected) for check in story.after] == [(0, "0")]


def test_the_text_says_what_did_not_hold_where_it_was_told() -> None:
    lines = render_result(result(told()), width=80).splitlines()
    assert lines[0] == "full: A full queue"
    wrong = next(line for line in lines if "retransmission" in line)
    assert wrong.split() == ["2.5", "seconds", "until", "the", "retransmission", "between", "1", "and", "1.1", "NO"]
    assert lines.index(wrong) < lines.index("  Remedy: Accept faster.")
    assert lines[-1] == "  FAILED in 1.0 s: it did not"


def test_a_page_of_markdown() -> None:
    page = render_markdown(result(told()))
    assert "## Remedy\n\nAccept faster.\n" in page
    assert "| 2.5 | seconds until the retransmission | between 1 and 1.1 | **no** |" in page


def test_hostile_text_reaches_no_terminal() -> None:
    story = Story(Network())
    story.say("name \x1b[31m")
    assert "\x1b" not in render_result(result(story))


def test_the_tally() -> None:
    failed = result(told())
    skipped = [replace(failed, name=name, result="skipped", why="no \x1bTUN") for name in ("first", "second")]
    *why, counts = render_tally([failed, *skipped]).splitlines()
    assert counts == "0 passed, 1 failed, 2 skipped"
    assert why == ["skipped: first, second: no \\x1bTUN", f"failed: {failed.name}"]


def test_words_that_are_too_many_go_on_below_and_none_is_lost() -> None:
    story = Story(Network())
    words = "  how many connections a listener with a backlog of eight takes before it drops the next one"
    story.expect(words, "SYN_SENT, SYN_RECV, ESTABLISHED", "SYN_SENT, SYN_RECV, ESTABLISHED")
    for width in (60, 80):
        text = render_result(result(story), width=width)
        assert all(len(line) <= width for line in text.splitlines())
        assert "…" not in text
        assert [word for word in words.split() if word not in text.split()] == []
        assert "the same" in text


def test_what_was_expected_is_said_in_full_where_it_was_not_observed() -> None:
    story = Story(Network())
    story.expect("states", "SYN_SENT, ESTABLISHED", "SYN_SENT, TIME_WAIT")
    line = next(line for line in render_result(result(story)).splitlines() if "states" in line)
    assert "SYN_SENT, ESTABLISHED" in line
    assert "SYN_SENT, TIME_WAIT" in line


def test_a_table_side_by_side() -> None:
    story = told()
    story.table("Answers", ("answer", "served", "ms"), [("nothing", "0 %", None), ("cookies", "100 %", 0.21)])
    shown = replace(result(story), tables=tuple(story.tables))
    assert [line.split() for line in render_result(shown).splitlines()[-5:-2]] == [
        ["answer", "served", "ms"],
        ["nothing", "0", "%", UNKNOWN],
        ["cookies", "100", "%", "0.21"],
    ]
    assert "| cookies | 100 % | 0.21 |" in render_markdown(shown)
