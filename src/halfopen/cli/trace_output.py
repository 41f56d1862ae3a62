"""Runs ``halfopen trace`` and prints its answer in the form that was asked for."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from halfopen.cli.exit_codes import ExitCode
from halfopen.cli.printer import output_errors

if TYPE_CHECKING:
    from halfopen.capture.trace import Moment, Records, Trace
    from halfopen.cli.printer import Printer
    from halfopen.cli.trace_options import TraceOptions
    from halfopen.model.summary import Summary

#: Rows of each table of the screen.
ROWS = 10


def show(printer: Printer, options: TraceOptions) -> ExitCode:
    """Read the captures, print, and say whether ``--fail-on`` was reached."""
    if options.ladder is not None:
        from halfopen.cli.trace_ladder import show_ladder

        return show_ladder(printer, options)
    if printer.format in {"jsonl", "csv", "parquet"}:
        summary = _write_records(printer, options)
    else:
        summary = _read(printer, options).summary
        _print_summary(printer, options, summary)
    for source in summary.inputs:
        if source.failure:
            printer.note(f"cannot read {source.path}: {source.failure}; the others were read")
    return _verdict(options, summary)


def _read(printer: Printer, options: TraceOptions, records: Records = "none", output: str | None = None) -> Trace:
    from halfopen.capture.trace import read

    with printer.progress("reading") as progress:
        return read(
            list(options.files),
            where=options.where,
            since=_moment(options.since),
            until=_moment(options.until),
            max_flows=options.max_flows,
            verify_checksums=options.verify_checksums,
            sort=options.sort,
            top=options.top,
            rows=options.top or ROWS,
            records=records,
            output=output,
            progress=lambda _packets, done, total: progress.update(done, total),
        )


def _moment(value: Any) -> Moment | None:
    from halfopen.capture.trace import Moment

    return None if value is None else Moment(value.ns, value.relative)


def _write_records(printer: Printer, options: TraceOptions) -> Summary:
    """Records go straight from the core to the file, so that two million of them need no memory here."""
    records: Any = printer.format
    path = None if options.output is None or str(options.output) == "-" else str(options.output)
    name = path or "standard output"
    with printer.destination(None) if path is None else output_errors(name):
        try:
            return _read(printer, options, records, path).summary
        except BaseException:
            if path is not None:
                with suppress(OSError):  # half a result is worse than none; that it is gone is no second failure
                    os.unlink(path)
            raise


def _print_summary(printer: Printer, options: TraceOptions, summary: Summary) -> None:
    if printer.format == "json":
        import json

        from halfopen.render.json import summary_object

        text = json.dumps(summary_object(summary), ensure_ascii=False, indent=2)
    else:
        from halfopen.render.text import render_summary

        color = printer.color and options.output is None
        text = render_summary(summary, width=printer.width, color=color, top=options.top or ROWS)
    with printer.destination(options.output) as out:
        out.write((text.rstrip("\n") + "\n").encode(errors="backslashreplace"))


def _verdict(options: TraceOptions, summary: Summary) -> ExitCode:
    failed = summary.handshakes - summary.outcome("established", "partial")
    reached = {"never": False, "failed": failed > 0, "anomaly": failed > 0 or bool(summary.anomalies)}
    return ExitCode.FINDINGS if reached[options.fail_on] else ExitCode.OK
