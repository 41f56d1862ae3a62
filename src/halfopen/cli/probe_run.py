"""Runs ``halfopen probe``: names, connects, each printed as it ends, and at the end the numbers and the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.active.runner import Unresolved, resolve_all, run
from halfopen.active.targets import read_targets
from halfopen.cli.exit_codes import ExitCode
from halfopen.cli.probe_output import output_for
from halfopen.handshakes.probes.board import Board

if TYPE_CHECKING:
    from halfopen.active.explain import Explainer
    from halfopen.active.resolve import Resolution
    from halfopen.active.runner import ProbePlan
    from halfopen.cli.printer import Printer
    from halfopen.cli.probe_options import ProbeOptions
    from halfopen.cli.probe_output import Output


def show(printer: Printer, options: ProbeOptions) -> ExitCode:
    """Probe, print, and say whether every target was reachable."""
    plan = options.plan(printer.format)
    targets = read_targets(options.targets, options.port, printer.note)
    board = Board(every_address=plan.every_address)
    with printer.destination(options.output) as out:
        output = output_for(printer, options, out)
        resolutions = []
        for found in resolve_all(targets, plan):
            if isinstance(found, Unresolved):
                board.unresolved(found.target, str(found.error))
                if printer.format != "text":
                    printer.note(str(found.error))
            else:
                board.resolved(found.target, found.addresses, found.resolve_us)
                resolutions.append(found)
        output.begin(board)
        _connect(resolutions, plan, board, output, _explainer(options) if options.explain else None)
    return ExitCode.OK if board.reachable else ExitCode.FINDINGS


def _explainer(options: ProbeOptions) -> Explainer:
    from halfopen.active.explain import Explainer
    from halfopen.rules.connect_causes import Asked

    return Explainer(Asked(options.syn_retries, options.mark or 0, options.interface))


def _connect(
    resolutions: list[Resolution], plan: ProbePlan, board: Board, output: Output, explainer: Explainer | None
) -> None:
    interrupted = None
    try:
        for result in run(resolutions, plan):
            # What was cut short is shown, and says nothing of the target but for the SYNs that were lost.
            if not result.interrupted:
                board.add(result)
            if explainer is not None and (not result.interrupted or result.syn_retransmissions):
                explainer.add(result)
            output.result(result)
    except KeyboardInterrupt as error:
        # What was found so far is worth having. A run without end ends this way, others are cut short by it.
        interrupted = error
    output.end(board, None if explainer is None else explainer.causes())
    if interrupted is not None and plan.count is not None:
        raise interrupted
