"""Experiments for a person: the story, what was expected, what this kernel did, the remedy, and the same again."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from halfopen.model.quantity import UNKNOWN
from halfopen.render.escape import escape_text
from halfopen.render.layout import Cell, Column, Paint, clamp, table, wrap
from halfopen.render.links import COLUMNS, link_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.model.experiment import Check, ExperimentResult, Table

_MARKS = {"passed": ("ok", "good"), "failed": ("FAILED", "bad"), "skipped": ("skipped", "warn")}
#: From here on, digits behind the point say nothing.
_WHOLE = 1000
_COLUMNS = (
    Column("observed"),
    Column("what", words=20),
    Column("expected"),
    Column(""),
)
_INDENT = "    "
#: Between four columns.
_GAPS = 6
_WHAT_MIN = 20
_SIDE_MIN = 10
#: What is expected need not be said twice where it is longer than this.
_REPEATED_MAX = 12


def render_result(result: ExperimentResult, *, width: int = 100, color: bool = False) -> str:
    """One experiment as text that ends in a line end."""
    paint, width = Paint(color), clamp(width)
    lines = [paint("head", f"{result.name}: {result.title}"), *wrap(result.claim, width, "  ")]
    for sentence, checks in scenes(result):
        mark = "Remedy: " if sentence is not None and sentence == result.remedy else ""
        lines += ["", *wrap(mark + escape_text(sentence), width, "  ", "  ")] if sentence is not None else []
        lines += _checks(checks, width, paint)
    for each in result.tables:
        first, *others = each.columns
        columns = [Column(first, words=_WHAT_MIN), *(Column(name, right=True) for name in others)]
        lines += _titled(each, columns, width, paint)
    for link in result.links:
        lines += _titled(link_table(link), COLUMNS, width, paint)
    for ladder in result.ladders:
        lines += ["", *ladder.splitlines()]
    return "\n".join([*lines, "", _verdict(result, paint)]) + "\n"


def scenes(result: ExperimentResult) -> list[tuple[str | None, list[Check]]]:
    """The sentences in order, each with what was observed before the next one; None before the first."""
    told: list[tuple[str | None, list[Check]]] = [(None, []), *((sentence, []) for sentence in result.story)]
    for check in (*result.before, *result.after):
        told[min(check.told, len(result.story))][1].append(check)
    return [(sentence, checks) for sentence, checks in told if sentence is not None or checks]


def _checks(checks: Sequence[Check], width: int, paint: Paint) -> list[str]:
    if not checks:
        return []
    rows = [_row(check) for check in checks]
    widths = [max(len(column.title), *(len(row[at].text) for row in rows)) for at, column in enumerate(_COLUMNS)]
    rooms = _rooms(widths, width - len(_INDENT) - _GAPS)
    lines = [line for row in rows for line in _wrapped(row, rooms)]
    return table(_COLUMNS, lines, width, paint, indent=_INDENT)


def _rooms(widths: Sequence[int], width: int) -> list[int]:
    """How wide each column may be: what was observed and expected as wide as they are, if room is left for words."""
    observed, _, expected, mark = widths
    sides = max(2 * _SIDE_MIN, width - mark - _WHAT_MIN)
    expected = min(expected, max(_SIDE_MIN, sides - observed))
    observed = min(observed, sides - expected)
    return [observed, max(_WHAT_MIN, width - observed - expected - mark), expected, mark]


def _row(check: Check) -> list[Cell]:
    observed, expected = shown(check.observed), check.expected
    if check.holds and observed == expected and len(observed) > _REPEATED_MAX:
        expected = "the same"
    return [Cell(observed), Cell(check.what), Cell(expected), Cell("ok", "good") if check.holds else Cell("NO", "bad")]


def _wrapped(row: list[Cell], rooms: Sequence[int]) -> list[list[Cell | str]]:
    """The row, and what does not fit into its columns on lines below."""
    columns = [_folded(cell.text, room) for cell, room in zip(row, rooms, strict=True)]
    lines: list[list[Cell | str]] = [list(line) for line in zip_longest(*columns, fillvalue="")]
    lines[0][-1] = row[-1]
    return lines


def _folded(text: str, room: int) -> list[str]:
    indent = text[: len(text) - len(text.lstrip())]
    return wrap(text, room, indent, indent + "  ") or [""]


def _titled(each: Table, columns: Sequence[Column], width: int, paint: Paint) -> list[str]:
    rows = [[_cell_value(value) for value in row] for row in each.rows]
    title = wrap(each.title, width, "  ", "    ")
    return ["", *title, *(table(columns, rows, width, paint, indent=_INDENT) if rows else [])]


def _cell_value(value: object) -> str:
    return UNKNOWN if value is None else shown(value)


def shown(value: object) -> str:
    """An observation: yes and no for truth, few digits for a measurement."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= _WHOLE else f"{value:.3g}"
    return "nothing" if value is None else escape_text(str(value))


def _verdict(result: ExperimentResult, paint: Paint) -> str:
    word, role = _MARKS[result.result]
    why = f": {escape_text(result.why)}" if result.why else ""
    return f"  {paint(role, word)} in {result.seconds:.1f} s{why}"


def render_tally(results: Sequence[ExperimentResult]) -> str:
    """The counts in one line, as test runners print them; above it why some were skipped, and which."""
    counts = {word: sum(result.result == word for result in results) for word in ("passed", "failed", "skipped")}
    lines = [f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"]
    reasons: dict[str, list[str]] = {}
    for result in results:
        if result.result == "skipped":
            reasons.setdefault(result.why or "", []).append(result.name)
    skipped = [f"skipped: {', '.join(names)}: {escape_text(why)}" for why, names in reasons.items()]
    failed = [f"failed: {result.name}" for result in results if result.result == "failed"]
    return "\n".join([*skipped, *failed, *lines])


def render_markdown(result: ExperimentResult) -> str:
    """One experiment as a page of Markdown."""
    parts = [f"# {result.title}", "", result.claim, ""]
    for sentence, checks in scenes(result):
        if sentence is not None and sentence == result.remedy:
            parts += ["## Remedy", ""]
        parts += [sentence, ""] if sentence is not None else []
        parts += _markdown_table(checks)
    for each in (*result.tables, *map(link_table, result.links)):
        rows = [[_cell_value(value) for value in row] for row in each.rows]
        parts += [f"{each.title}:", "", *_markdown(each.columns, rows)] if rows else [f"{each.title}.", ""]
    for ladder in result.ladders:
        parts += ["```text", *ladder.splitlines(), "```", ""]
    verdict = f"{result.result.capitalize()} in {result.seconds:.1f} s"
    return "\n".join([*parts, f"{verdict}: {result.why}" if result.why else f"{verdict}."]) + "\n"


def _markdown_table(checks: Sequence[Check]) -> list[str]:
    if not checks:
        return []
    rows = [[shown(c.observed), c.what, c.expected, "yes" if c.holds else "**no**"] for c in checks]
    return _markdown(("observed", "what", "expected", "holds"), rows)


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in (columns, ["---"] * len(columns), *rows)]
    return [*lines, ""]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
