"""``halfopen lab run``: the results as they come, and one experiment whose packets or network are kept."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.cli.exit_codes import ExitCode
from halfopen.cli.interrupts import ended_politely
from halfopen.cli.printer import output_errors
from halfopen.cli.replacing import replacing
from halfopen.errors import OutputError
from halfopen.lab.privilege import mode
from halfopen.lab.runner import running
from halfopen.model.experiment import LabReport
from halfopen.model.quantity import plural
from halfopen.render.lab import render_markdown, render_result, render_tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from halfopen.cli.printer import Printer
    from halfopen.lab.protocol import RunOptions, Told
    from halfopen.model.experiment import ExperimentResult


_MODES = {
    "root": "runs as root",
    "user namespace": "runs in a user namespace",
    "none": "can run neither as root nor in a user namespace",
}


def tell_mode(printer: Printer) -> None:
    """As whom the experiments run, and what they then have to do without."""
    where = mode()
    missing = f"; missing: {'; '.join(where.missing)}" if where.missing else ""
    printer.note(f"{_MODES[where.name]}{missing}")


class _NotKeptError(Exception):
    """The packets are not there, or not whole: the file stays as it was."""


def run_single(printer: Printer, name: str, options: RunOptions, pcap: Path | None) -> ExitCode:
    """One experiment; its packets go to ``pcap``, and with ``options.keep`` its network stays until Ctrl-C.

    Raises:
        OutputError: the file cannot be written.
    """
    with ended_politely(), ExitStack() as process:
        # In its place before anybody looks around.
        with _packets_to(printer, pcap, options) as wanted:
            told = process.enter_context(running(name, wanted))
            show(printer, told.result)
            code = finish(printer, [told.result])
            printer.flush()
            if pcap is not None:
                _expect_whole(told, pcap)
        if pcap is not None and told.whole:
            _tell_packets(printer, told, options.packets_of, pcap)
        if options.keep and told.hosts:
            _wait(printer, told)
    return code


def _expect_whole(told: Told, pcap: Path) -> None:
    if told.not_written is not None:
        raise OutputError("cannot write", str(pcap), told.not_written)
    if not told.whole:
        raise _NotKeptError


def _tell_packets(printer: Printer, told: Told, host: str | None, pcap: Path) -> None:
    packets = f"{plural(told.packets or 0, 'packet')} in {pcap}"
    if host is None and told.packets and len(told.hosts) > 1:
        packets += f", as each of {plural(len(told.hosts), 'host')} saw them: what crosses a link is in it twice"
    printer.note(packets)
    for gap in told.gaps:
        printer.note(f"  {gap}")


@contextmanager
def _packets_to(printer: Printer, pcap: Path | None, options: RunOptions) -> Iterator[RunOptions]:
    if pcap is None:
        yield options
        return
    try:
        with replacing(pcap) as path:
            with output_errors(str(pcap)):
                file = path.open("wb")
            with file:
                yield replace(options, packets_to=file.fileno())
    except _NotKeptError:
        written_to_itself = pcap.exists() and not pcap.is_file()
        left = "what is in it is not whole" if written_to_itself else "it is as it was"
        printer.note(f"no packets were kept in {pcap}: {left}")


def _wait(printer: Printer, told: Told) -> None:
    """Say how to look around, and wait for Ctrl-C."""
    state = "with its pitfall, nothing mended," if told.result.result == "passed" else "as it is"
    printer.note(f"the network is kept {state} until Ctrl-C; to look around in it:")
    user = "" if mode().name == "root" else _of_user(told)
    for name, place in told.hosts.items():
        printer.note(f"  {name}: nsenter {user}--net={place}")
    with suppress(KeyboardInterrupt):
        signal.pause()


def _of_user(told: Told) -> str:
    process = next(iter(told.hosts.values())).split("/")[2]
    return f"--user=/proc/{process}/ns/user --preserve-credentials "


def show(printer: Printer, result: ExperimentResult) -> None:
    """One result, as soon as it is there; for JSON only a remark."""
    if printer.format == "text":
        printer.text(render_result(result, width=printer.width, color=printer.color))
    elif printer.format == "markdown":
        printer.text(render_markdown(result))
    else:
        printer.note(f"{result.name}: {result.result} in {result.seconds:.1f} s")


def finish(printer: Printer, results: Sequence[ExperimentResult]) -> ExitCode:
    """What is said of all of them, and the exit code."""
    if printer.format == "json":
        import msgspec

        where = mode()
        report = LabReport(
            kernel=os.uname().release, mode=where.name, missing=where.missing, experiments=tuple(results)
        )
        printer.text(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
    elif len(results) > 1 and printer.format == "text":
        printer.text(render_tally(results))
    if all(result.result == "skipped" for result in results):
        return ExitCode.NOT_AVAILABLE
    return ExitCode.FINDINGS if any(result.result == "failed" for result in results) else ExitCode.OK
