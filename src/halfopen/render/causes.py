"""What on this host could stop a connect, as lines and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from halfopen.model.remedy_steps import remedy_steps
from halfopen.render.escape import escape_text
from halfopen.render.layout import Paint, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.model.cause import LocalCause, Verdict

#: Verdict → the word in the margin, and its colour: the words of every command and format for people.
WORDS: dict[Verdict, tuple[str, str]] = {
    "cause": ("cause", "bad"),
    "possible": ("perhaps", "warn"),
    "unknown": ("not judged", "warn"),
    "fact": ("note", ""),
    "exonerated": ("not this", "dim"),
}
_MARGIN = 2 + max(len(word) for word, _ in WORDS.values()) + 2


def cause_lines(causes: Sequence[LocalCause], width: int, paint: Paint) -> list[str]:
    """The causes in their order, each with what to do and a command that shows it; what it is not, last."""
    lines: list[str] = []
    for cause in sorted(causes, key=lambda cause: cause.verdict == "exonerated"):
        word, role = WORDS[cause.verdict]
        first = f"  {word:<{_MARGIN - 2}}"
        lines += [paint(role, line) for line in wrap(escape_text(cause.sentence), width, first, " " * _MARGIN)]
        if cause.verdict == "exonerated":
            continue
        told = list(remedy_steps(cause.remedy)) if cause.remedy else []
        told += [f"See: {cause.confirm}"] if cause.confirm else []
        for text in told:
            lines += wrap(escape_text(text), width, " " * _MARGIN, " " * _MARGIN)
    return lines


def cause_objects(causes: Sequence[LocalCause]) -> list[dict[str, Any]]:
    """The same as plain values."""
    return [{name: value for name, value in asdict(cause).items() if name != "if_sure"} for cause in causes]
