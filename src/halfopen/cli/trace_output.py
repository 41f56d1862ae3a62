"""Runs ``halfopen trace`` and prints its answer in the form that was asked for."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from halfopen.cli.exit_codes import ExitCode
from halfopen.cli.printer import complain, output_errors
from halfopen.cli.replacing import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from halfopen.capture.trace import Records, Trace
    from halfopen.cli.printer import Printer
    from halfopen.cli.trace_options import TraceOptions
    from halfopen.model.summary import Input, Summary

#: Rows of each table of the screen.
ROWS = 10
#: Rows of the tables in a report, which have pages.
REPORT_ROWS = 200


def show(printer: Printer, options: TraceOptions) -> ExitCode:
    """Read the captures, print, and say whether ``--fail-on`` was reached."""
    if options.ladder is not None:
        from halfopen.cli.trace_ladder import show_ladder

        return show_ladder(printer, options)
    if options.report is None:
        return _verdict(options, _show(printer, options))
    from halfopen.cli.trace_report import write_report

    with _readable_again(options) as rewind, replacing(options.report) as page:
        summary = _show(printer, options)
        rewind()
        write_report(printer, options, summary, page)
    printer.note(f"the report is in {options.report}")
    return _verdict(options, summary)


def _readable_again(options: TraceOptions) -> AbstractContextManager[Callable[[], None]]:
    if "-" not in options.files:
        return nullcontext(lambda: None)
    from halfopen.cli.rereadable import rereadable_stdin

    return rereadable_stdin()


def _show(printer: Printer, options: TraceOptions) -> Summary:
    if printer.format in {"jsonl", "csv", "parquet"}:
        summary = _write_records(printer, options)
        _say_losses(printer, summary)
    else:
        trace = _read(printer, options, "none" if options.sort is None else "columns")
        summary = trace.summary
        _print_summary(printer, options, trace)
    for source in summary.inputs:
        if source.failure:
            complain(f"cannot read {source.path}: {source.failure}; the others were read")
    if _is_without_tcp(summary):
        complain(without_tcp(summary.packets, summary.inputs))
    return summary


def _read(printer: Printer, options: TraceOptions, records: Records = "none", output: str | None = None) -> Trace:
    from halfopen.capture.trace import read

    rows = options.top or ROWS
    with printer.progress("reading") as progress:
        return read(
            list(options.files),
            where=options.where,
            since=options.since,
            until=options.until,
            max_flows=options.max_flows,
            verify_checksums=options.verify_checksums,
            sort=options.sort,
            top=rows if records == "columns" else options.top,
            rows=rows if options.report is None else max(rows, REPORT_ROWS),
            records=records,
            output=output,
            progress=lambda _packets, done, total: progress.update(done, total),
        )


def _write_records(printer: Printer, options: TraceOptions) -> Summary:
    """Records go straight from the core to the file, so that two million of them need no memory here."""
    records: Any = printer.format
    if options.output is None or str(options.output) == "-":
        with printer.destination(None):
            return _read(printer, options, records).summary
    with replacing(options.output) as path, output_errors(str(options.output)):
        return _read(printer, options, records, str(path)).summary


def _say_losses(printer: Printer, summary: Summary) -> None:
    """Records have no place for what is lost before there is one; the summary of the other formats has."""
    from halfopen.handshakes.notices.capture import losses

    for notice in losses(summary):
        printer.note(notice.text[0].lower() + notice.text[1:].rstrip("."))


def _print_summary(printer: Printer, options: TraceOptions, trace: Trace) -> None:
    from halfopen.handshakes.worst import shortened

    rows = options.top or ROWS
    summary = trace.summary if options.report is None else shortened(trace.summary, rows)
    listed = None if options.sort is None else list(trace.records())
    if printer.format == "json":
        import json

        from halfopen.render.json import summary_object

        text = json.dumps(summary_object(summary, listed), ensure_ascii=False, indent=2)
    else:
        from halfopen.render.listing import Order
        from halfopen.render.text import render_summary

        color = printer.color and options.output is None
        order = Order(options.sort, listed) if options.sort and listed is not None else None
        text = render_summary(
            summary, width=printer.width, color=color, top=rows, order=order, remarks=not printer.quiet
        )
    with printer.destination(options.output) as out:
        out.write((text.rstrip("\n") + "\n").encode(errors="backslashreplace"))


def without_tcp(packets: int, inputs: Sequence[Input]) -> str:
    """The sentence about captures that were read and hold no TCP segment."""
    names = " and ".join(source.path for source in inputs[:2])
    more = f" and {len(inputs) - 2} more" if len(inputs) > 2 else ""
    is_cut = any(source.defects.get("tcp_truncated") for source in inputs)
    lack = "are no packets" if not packets else "is no whole TCP header" if is_cut else "is no TCP"
    return f"there {lack} in {names}{more}"


def _is_without_tcp(summary: Summary) -> bool:
    """Whether every input was read, and none of them holds what this command is about (ADR 19)."""
    return not summary.tcp_segments and not any(source.failure for source in summary.inputs)


def _verdict(options: TraceOptions, summary: Summary) -> ExitCode:
    if any(source.failure for source in summary.inputs) or _is_without_tcp(summary):
        return ExitCode.FILE
    # Who was still waiting when the capture ended has not failed.
    failed = summary.handshakes - summary.outcome("established", "partial") - sum(summary.undecided.values())
    reached = {"never": False, "failed": failed > 0, "anomaly": failed > 0 or bool(summary.anomalies)}
    return ExitCode.FINDINGS if reached[options.fail_on] else ExitCode.OK
