"""``halfopen trace --report``: the page, made from the summary and a second reading for the packets of the worst."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from halfopen.cli.printer import output_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from halfopen.cli.printer import Printer
    from halfopen.cli.trace_options import TraceOptions
    from halfopen.model.summary import Summary

#: Handshakes that are drawn.
LADDERS = 12


def write_report(printer: Printer, options: TraceOptions, summary: Summary) -> None:
    """Read the captures a second time for the ladders, write the page, and say where it is.

    Raises:
        OutputError: the page cannot be written; what was there before is still there.
    """
    from halfopen.render.html import render_report

    assert options.report is not None
    page = render_report(_data(printer, options, summary))
    with replacing(options.report) as file:
        file.write(page.encode())
    printer.note(f"the report is in {options.report}")


def _data(printer: Printer, options: TraceOptions, summary: Summary) -> dict[str, Any]:
    from datetime import UTC, datetime

    import halfopen
    from halfopen.capture.exchanges import read_exchanges
    from halfopen.handshakes.worst import worth_drawing
    from halfopen.render.report import report_data

    numbers = [row.number for row in worth_drawing(summary, LADDERS) if row.number is not None]
    drawn = {}
    if numbers:
        with printer.progress("reading again") as progress:
            found = read_exchanges(
                list(options.files),
                numbers,
                max_flows=options.max_flows,
                verify_checksums=options.verify_checksums,
                progress=lambda _packets, done, total: progress.update(done, total),
            )
        drawn = {each.handshake.number: each for each in found.exchanges}
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    exchanges = [drawn[number] for number in numbers if number in drawn]
    return report_data(summary, exchanges, version=halfopen.__version__, generated_at=now)


@contextmanager
def replacing(path: Path) -> Iterator[Any]:
    """A file that takes the place of ``path`` when it is complete; until then, and on failure, that stays as it is.

    What is no regular file, a pipe for one, has no place to be taken and is written to.
    """
    with output_errors(str(path)):
        target = path.resolve()
        if target.exists() and not target.is_file():
            with target.open("wb") as file:
                yield file
            return
        new = target.with_name(f".{target.name[:200]}.{os.getpid()}")
        try:
            with new.open("xb") as file:
                yield file
            new.replace(target)
        except BaseException:
            with suppress(OSError):
                new.unlink()
            raise
