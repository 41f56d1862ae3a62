"""``make docs-lab``: runs every experiment here and writes docs/lab/: a page each, its figures, and the table of them.

With names as arguments only those pages are written anew. The numbers are those of this run, so the pages are not
compared by ``make check``; a test holds the list of them.
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from halfopen.lab.experiments import EXPERIMENTS, load
from halfopen.lab.protocol import RunOptions
from halfopen.lab.runner import run_all
from halfopen.render.bars import render_bars
from halfopen.render.figure import render_figure
from halfopen.render.lab import render_markdown, render_tally
from halfopen.render.timeline import render_timeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.model.experiment import ExperimentResult

PAGES = Path(__file__).resolve().parent.parent / "docs" / "lab"
#: What a page of the usual width shows without scrolling.
LADDER_WIDTH = 100


def figures(result: ExperimentResult) -> list[tuple[str, str, str]]:
    """Title, file name and drawing of each: what the experiment itself measured, and its handshakes over time."""
    drawn = [
        *((series.title, render_figure(series)) for series in result.series),
        *((bars.title, render_bars(bars)) for bars in result.bars),
        *((timeline.title, render_timeline(timeline)) for timeline in result.timelines),
    ]
    return [(title, f"{result.name}-{number}.svg", svg) for number, (title, svg) in enumerate(drawn, 1)]


def page(result: ExperimentResult) -> str:
    """The page of one experiment with its figures."""
    images = [f"\n![{title}]({name})\n" for title, name, _ in figures(result)]
    command = f"\n`halfopen lab run {result.name}`, on Linux {platform.release()}.\n"
    return render_markdown(result) + "".join(images) + command


def index() -> str:
    """The table of all pages."""
    rows = [f"| [{name}]({name}.md) | {load(name).claim} |" for name in EXPERIMENTS]
    head = [
        "# Experiments",
        "",
        "Written by `make docs-lab`, with the numbers of one run. [How the lab works](../lab.md).",
        "",
    ]
    return "\n".join([*head, "| experiment | what it shows |", "| --- | --- |", *rows]) + "\n"


def main(names: Sequence[str]) -> int:
    """Run all of ``names``, or every one, and write their pages; 1 when an experiment failed."""
    results = list(run_all(names or EXPERIMENTS, RunOptions(ladder_width=LADDER_WIDTH), jobs=os.cpu_count() or 1))
    PAGES.mkdir(exist_ok=True)
    for old in [] if names else PAGES.iterdir():
        old.unlink()
    for result in results:
        (PAGES / f"{result.name}.md").write_text(page(result), encoding="utf-8")
        for _, name, svg in figures(result):
            (PAGES / name).write_text(svg, encoding="utf-8")
    (PAGES / "README.md").write_text(index(), encoding="utf-8")
    print(render_tally(results))
    return int(any(result.result == "failed" for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
