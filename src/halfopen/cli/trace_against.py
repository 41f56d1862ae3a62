"""Runs ``halfopen trace A --against B`` and prints its answer in the form that was asked for."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from halfopen.cli.exit_codes import ExitCode
from halfopen.cli.printer import complain, output_errors
from halfopen.cli.trace_output import without_tcp

if TYPE_CHECKING:
    from halfopen.cli.printer import Printer
    from halfopen.cli.trace_options import TraceOptions
    from halfopen.model.against import Against, PointTotals
    from halfopen.model.summary import Input

#: Rows of the table of handshakes.
ROWS = 10


def show(printer: Printer, options: TraceOptions, other: str) -> ExitCode:
    """Compare, print, and say whether ``--fail-on`` was reached."""
    if printer.format == "jsonl":
        found = _write_lines(printer, options, other)
    else:
        found = _compare(printer, options, other)
        _print(printer, options, found)
    for source in (*found.inputs_a, *found.inputs_b):
        if source.failure:
            complain(f"cannot read {source.path}: {source.failure}; the others were read")
    for point, inputs in _without_tcp(found):
        complain(without_tcp(point.packets, inputs))
    return _verdict(options, found)


def _without_tcp(found: Against) -> list[tuple[PointTotals, tuple[Input, ...]]]:
    """The captures that were read whole and hold no TCP: nothing could be compared (ADR 19)."""
    points = ((found.a, found.inputs_a), (found.b, found.inputs_b))
    return [
        (point, inputs)
        for point, inputs in points
        if not point.tcp_segments and not any(source.failure for source in inputs)
    ]


def _compare(
    printer: Printer, options: TraceOptions, other: str, *, lines: bool = False, output: str | None = None
) -> Against:
    from halfopen.capture.against import against

    with printer.progress("comparing") as progress:
        return against(
            options.files,
            other,
            max_flows=options.max_flows,
            verify_checksums=options.verify_checksums,
            top=options.top or ROWS,
            lines=lines,
            output=output,
            progress=lambda _packets, done, total: progress.update(done, total),
        )


def _write_lines(printer: Printer, options: TraceOptions, other: str) -> Against:
    """One line a handshake, straight from the core."""
    path = None if options.output is None or str(options.output) == "-" else options.output
    with printer.destination(None) if path is None else output_errors(str(path)):
        try:
            return _compare(printer, options, other, lines=True, output=None if path is None else str(path))
        except BaseException:
            if path is not None:
                with suppress(OSError):  # half a result is worse than none; that it is gone is no second failure
                    Path(path).unlink()
            raise


def _print(printer: Printer, options: TraceOptions, found: Against) -> None:
    if printer.format == "json":
        from halfopen.render.against import against_object

        text = json.dumps(against_object(found), ensure_ascii=False, indent=2)
    else:
        from halfopen.render.against import render_against

        color = printer.color and options.output is None
        text = render_against(found, width=printer.width, color=color, top=options.top or ROWS)
    with printer.destination(options.output) as out:
        out.write((text.rstrip("\n") + "\n").encode(errors="backslashreplace"))


def _verdict(options: TraceOptions, found: Against) -> ExitCode:
    """Losses, or nothing to compare, are a failure; the rest of what is odd, an anomaly."""
    if any(source.failure for source in (*found.inputs_a, *found.inputs_b)) or _without_tcp(found):
        return ExitCode.FILE
    failed = found.with_loss > 0 or found.common == 0
    odd = found.unanswered_syns or found.unanswered_syn_acks or found.rewritten or found.only_a or found.only_b
    missed = any(row.not_captured for row in found.packets)
    reached = {"never": False, "failed": failed, "anomaly": failed or missed or bool(odd)}
    return ExitCode.FINDINGS if reached[options.fail_on] else ExitCode.OK
