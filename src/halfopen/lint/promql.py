"""What the checks need of PromQL: which metrics an expression selects, with which labels, and whether over a range."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Possessive throughout: a label set that is not closed is given up at once, wherever it ends.
_SELECTOR = re.compile(
    r"(?<![\w:.])(?P<name>node_[A-Za-z0-9_:]++)\s*+"
    r"(?P<labels>\{(?:[^{}\"']++|\"(?:[^\"\\]++|\\.)*+\"|'(?:[^'\\]++|\\.)*+')*+\})?\s*+(?P<range>\[[^\[\]]*+\])?"
)
_LABEL = re.compile(r"(\w+)\s*(=~|!~|!=|=)\s*(?:\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)')")
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


def compares(text: str) -> bool:
    """Whether the expression compares something: what an alert fires on."""
    bare = re.sub(r"\{[^{}]*+\}", "", text)
    return _COMPARISON.search(bare) is not None
