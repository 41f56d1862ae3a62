"""Runs ``halfopen trace`` and prints its answer in the form that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.errors import NotAvailableError

if TYPE_CHECKING:
    from halfopen.cli.exit_codes import ExitCode
    from halfopen.cli.printer import Printer
    from halfopen.cli.trace_options import TraceOptions


def show(printer: Printer, options: TraceOptions) -> ExitCode:
    """Read the captures, print, and say whether ``--fail-on`` was reached."""
    raise NotAvailableError(
        f"cannot print {printer.format} of", " ".join(options.files), "the tracker is not connected"
    )
