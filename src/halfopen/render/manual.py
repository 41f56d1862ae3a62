"""Manual pages of rules for a terminal and for the documentation: Markdown in, text or Markdown out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.render.layout import clamp, wrap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from halfopen.render.layout import Paint


def render_page(title: str, summary: str, sections: Mapping[str, str], width: int, paint: Paint) -> str:
    """One page: its title, what it finds in a sentence, and each section below its heading."""
    width = clamp(width)
    lines = [paint("head", title), "", *wrap(summary, width)]
    for heading, text in sections.items():
        lines += ["", paint("head", heading)]
        for paragraph in text.split("\n\n"):
            lines += wrap(" ".join(paragraph.split()), width, "  ")
    return "\n".join(lines)


def render_rule_list(
    families: Sequence[tuple[str, Sequence[tuple[str, str, str, str]]]], width: int, paint: Paint
) -> str:
    """Families with their rules: code, name, severity, summary."""
    width = clamp(width)
    names = max((len(row[1]) for _, rows in families for row in rows), default=0)
    lines: list[str] = []
    for title, rows in families:
        lines += ["", paint("head", title)]
        for code, name, severity, summary in rows:
            lines += wrap(summary, width, f"  {code}  {name:{names}}  {severity:8}  ")
    return "\n".join(lines[1:])
