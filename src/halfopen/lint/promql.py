"""What the checks need of PromQL: which metrics an expression selects, with which labels, and whether over a range."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# Possessive throughout: a label set that is not closed is given up at once, wherever it ends.
_SELECTOR = re.compile(
    r"(?<![\w:.])(?P<name>node_[A-Za-z0-9_:]++)\s*+"
    r"(?P<labels>\{(?:[^{}\"']++|\"(?:[^\"\\]++|\\.)*+\"|'(?:[^'\\]++|\\.)*+')*+\})?\s*+(?P<range>\[[^\[\]]*+\])?"
)
_LABEL = re.compile(r"(\w+)\s*(=~|!~|!=|=)\s*(?:\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)')")
_LABELS = re.compile(r"\{[^{}]*+\}")
_PARENTHESIS = re.compile(
    r"(?P<close>\))|(?:\b(?P<name>[A-Za-z_]\w*+)\s*+(?:(?:by|without)\s*+\([^()]*+\)\s*+)?)?\(", re.IGNORECASE
)
_COMPARISON = re.compile(r"[<>]=?|[!=]=(?![~])")


@dataclass(frozen=True, slots=True)
class Selector:
    """One use of a metric of node_exporter."""

    metric: str
    offset: int
    """Where it begins in the expression."""
    end: int
    """Where it ends, with labels and range."""
    labels: tuple[tuple[str, str, str], ...] = ()
    """Label, operator, value."""
    ranged: bool = False
    """It has a range, ``[5m]``: a rate, an increase or the like is taken of it."""

    def label(self, name: str) -> str | None:
        """The value that ``name`` is compared with."""
        return next((value for label, _, value in self.labels if label == name), None)


def selectors(text: str) -> Iterator[Selector]:
    """Every metric of node_exporter in an expression."""
    for match in _SELECTOR.finditer(text):
        labels = tuple(
            (label, operator, double or single)
            for label, operator, double, single in _LABEL.findall(match["labels"] or "")
        )
        yield Selector(match["name"], match.start(), match.end(), labels, ranged=match["range"] is not None)


def without_arguments(text: str, functions: Collection[str]) -> str:
    """The expression, as long as it was, with blanks for what is given to any of ``functions``."""
    bare = _LABELS.sub(lambda match: " " * len(match[0]), text)
    parts: list[str] = []
    kept = begin = depth = 0
    open_: list[bool] = []
    for match in _PARENTHESIS.finditer(bare):
        if match["close"] is None:
            is_one = (match["name"] or "").lower() in functions
            begin = match.end() if is_one and not depth else begin
            depth += is_one
            open_.append(is_one)
        elif open_ and open_.pop():
            depth -= 1
            if depth == 0:
                parts += [text[kept:begin], " " * (match.start() - begin)]
                kept = match.start()
    return "".join(parts) + text[kept:]


def compares(text: str) -> bool:
    """Whether the expression compares something: what an alert fires on."""
    bare = _LABELS.sub("", text)
    return _COMPARISON.search(bare) is not None
