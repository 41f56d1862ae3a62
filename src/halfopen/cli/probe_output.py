"""The forms of the result of ``halfopen probe``: lines, the live plot, one object, or records as they come."""

from __future__ import annotations

import json
import sys
from typing import IO, TYPE_CHECKING, Any, Protocol

from halfopen.active.fast_open import read_fast_open
from halfopen.cli.printer import is_terminal
from halfopen.handshakes.probes.fast_open import local_reasons
from halfopen.render.probe import ProbeLines
from halfopen.render.probe_json import attempt_object, probe_object
from halfopen.render.records import arrow, csv_header, csv_line, json_line

if TYPE_CHECKING:
    from halfopen.cli.printer import Printer
    from halfopen.cli.probe_options import ProbeOptions
    from halfopen.handshakes.probes.board import Board
    from halfopen.model.handshake import Handshake
    from halfopen.model.probe import ProbeResult
    from halfopen.render.probe_json import Causes


class Output(Protocol):
    """One form of the result."""

    def begin(self, board: Board) -> None:
        """All names are resolved, as far as they can be."""

    def result(self, result: ProbeResult) -> None:
        """A connect ended."""

    def end(self, board: Board, causes: Causes | None) -> None:
        """It was the last one, or the run was interrupted; ``causes`` is None where none were asked for."""


def output_for(printer: Printer, options: ProbeOptions, out: IO[bytes]) -> Output:
    """The form that was asked for, written to ``out``."""
    fixed_port = options.source_port is not None
    if printer.format == "text" and options.watch and options.output is None and is_terminal(sys.stdout):
        from halfopen.cli.probe_watch import Watch

        return Watch(printer)
    if printer.format == "text":
        return _Text(printer, out, options, fixed_port=fixed_port)
    if printer.format == "json":
        return _Json(out, fixed_port=fixed_port)
    if printer.format == "parquet":
        return _Parquet(out)
    return _Lines(out, printer.format)


class _Text:
    """Lines for a person."""

    def __init__(self, printer: Printer, out: IO[bytes], options: ProbeOptions, *, fixed_port: bool) -> None:
        self._printer, self._out, self._options, self._fixed_port = printer, out, options, fixed_port
        self._lines = ProbeLines(1)

    def begin(self, board: Board) -> None:
        color = self._printer.color and self._options.output is None
        self._lines = ProbeLines(board.places, width=self._printer.width, color=color, fixed_port=self._fixed_port)
        if self._options.fast_open:
            self._write(self._lines.sentences(local_reasons(read_fast_open())))
        for report in board.reports():
            self._write(self._lines.opening(report))

    def result(self, result: ProbeResult) -> None:
        self._write(self._lines.result(result))

    def end(self, board: Board, causes: Causes | None) -> None:
        self._write(self._lines.closing(board.reports()))
        if causes is not None:
            self._write(self._lines.causes(causes))

    def _write(self, lines: list[str]) -> None:
        _put(self._out, "".join(f"{line}\n" for line in lines))


class _Json:
    """One object, at the end."""

    def __init__(self, out: IO[bytes], *, fixed_port: bool) -> None:
        self._out, self._fixed_port = out, fixed_port
        self._attempts: list[dict[str, Any]] = []

    def begin(self, board: Board) -> None:
        pass

    def result(self, result: ProbeResult) -> None:
        self._attempts.append(attempt_object(result, fixed_port=self._fixed_port))

    def end(self, board: Board, causes: Causes | None) -> None:
        document = probe_object(board.reports(), self._attempts, causes, reachable=board.reachable)
        _put(self._out, json.dumps(document, ensure_ascii=False, indent=2) + "\n")


class _Parquet:
    """One file, at the end."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._rows: list[Handshake] = []

    def begin(self, board: Board) -> None:
        pass

    def result(self, result: ProbeResult) -> None:
        self._rows.append(result.handshake)

    def end(self, board: Board, causes: Causes | None) -> None:  # noqa: ARG002  (a form like the others)
        self._out.write(arrow(self._rows).to_parquet())


class _Lines:
    """The records, each as it is made."""

    def __init__(self, out: IO[bytes], format_: str) -> None:
        self._out, self._format = out, format_

    def begin(self, board: Board) -> None:  # noqa: ARG002  (a form like the others)
        if self._format == "csv":
            _put(self._out, csv_header())

    def result(self, result: ProbeResult) -> None:
        row = result.handshake
        _put(self._out, csv_line(row) if self._format == "csv" else json_line(row) + "\n")

    def end(self, board: Board, causes: Causes | None) -> None:
        pass


def _put(out: IO[bytes], text: str) -> None:
    """At once: somebody may be waiting at the other end of a pipe."""
    out.write(text.encode(errors="backslashreplace"))
    out.flush()
