"""``halfopen trace --report``: the page, made from the summary and a second reading for the packets of the worst."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halfopen.cli.printer import output_errors

if TYPE_CHECKING:
    from pathlib import Path

    from halfopen.cli.printer import Printer
    from halfopen.cli.trace_options import TraceOptions
    from halfopen.model.summary import Summary

#: Handshakes that are drawn.
LADDERS = 12


def write_report(printer: Printer, options: TraceOptions, summary: Summary, path: Path) -> None:
    """Read the captures a second time for the ladders, and write the page to ``path``.

    Raises:
        OutputError: the page cannot be written.
    """
    from halfopen.render.html import render_report

    page = render_report(_data(printer, options, summary))
    with output_errors(str(options.report)):
        path.write_text(page, encoding="utf-8")


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
