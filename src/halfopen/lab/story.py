"""What an experiment tells: sentences, expectations with what was observed, the remedy, and the same again after it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halfopen.model.experiment import Bars, Check, Series, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from halfopen.lab.topology import Network


@dataclass(frozen=True, slots=True)
class Exactly:
    """This value and no other."""

    value: object

    def holds(self, observed: object) -> bool:
        """Whether it is equal."""
        return observed == self.value

    def __str__(self) -> str:
        return "nothing" if self.value is None else str(self.value)


@dataclass(frozen=True, slots=True)
class Between:
    """A number in a range, both ends included."""

    low: float
    high: float

    def holds(self, observed: object) -> bool:
        """Whether it is a number in the range."""
        return isinstance(observed, int | float) and self.low <= observed <= self.high

    def __str__(self) -> str:
        return f"between {self.low:g} and {self.high:g}"


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A number of this size or more."""

    low: float

    def holds(self, observed: object) -> bool:
        """Whether it is a number that large."""
        return isinstance(observed, int | float) and observed >= self.low

    def __str__(self) -> str:
        return f"at least {self.low:g}"


Expected = Exactly | Between | AtLeast


@dataclass
class Story:
    """One run of an experiment, as it unfolds.

    Attributes:
        network: where it takes place.
        lines: what happened, sentence by sentence.
        before: what was expected and observed before the remedy, or at all where there is none.
        after: the same after it.
        remedy_text: what was changed.
        series: figures: numbers over time or over a parameter.
        bars: figures: one number for each of several cases.
        tables: several ways side by side.
        begin_ns: when it began, nanoseconds since the epoch.
        look: what whoever looks around does at the pitfall, which the story then does not come back from.
    """

    network: Network
    lines: list[str] = field(default_factory=list)
    before: list[Check] = field(default_factory=list)
    after: list[Check] = field(default_factory=list)
    remedy_text: str | None = None
    series: list[Series] = field(default_factory=list)
    bars: list[Bars] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    begin_ns: int = field(default_factory=time.time_ns)
    look: Callable[[], None] | None = None

    def say(self, sentence: str) -> None:
        """Tell what is done or seen."""
        self.lines.append(sentence)

    def expect(
        self, what: str, expected: Expected | float | str | bool | None, observed: float | str | bool | None
    ) -> bool:
        """Hold an observation against what was expected; both are kept, whatever comes of it."""
        rule = expected if isinstance(expected, Expected) else Exactly(expected)
        holds = rule.holds(observed)
        checks = self.before if self.remedy_text is None else self.after
        checks.append(Check(what, str(rule), observed, holds, len(self.lines)))
        return holds

    def pitfall(self) -> None:
        """Here the pitfall is there to be seen: where ``lab shell`` and ``--keep`` stop, at the first such place."""
        if self.look is not None:
            self.look()

    def remedy(self, text: str) -> None:
        """From here on it is «after»; ``text`` says what is changed, in the imperative."""
        self.pitfall()
        self.remedy_text = text
        self.say(text)

    def figure(self, title: str, x: str, y: str, points: Sequence[tuple[float, float]]) -> None:
        """Keep numbers for a figure: ``x`` and ``y`` name the axes with their units."""
        self.series.append(Series(title, x, y, tuple(points)))

    def compare(self, title: str, unit: str, bars: Sequence[tuple[str, float]]) -> None:
        """Keep numbers of several cases for a figure."""
        self.bars.append(Bars(title, unit, tuple(bars)))

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[float | str | None]]) -> None:
        """Keep what several ways came to, to be seen side by side; ``columns`` with their units."""
        self.tables.append(Table(title, tuple(columns), tuple(tuple(row) for row in rows)))
