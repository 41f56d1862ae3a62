"""``halfopen lab``: experiments on the kernel at hand, in network namespaces that vanish afterwards."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from halfopen.cli.command import with_printer
from halfopen.cli.exit_codes import ExitCode
from halfopen.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.cli.printer import Printer
    from halfopen.model.experiment import ExperimentResult


@click.group("lab")
def command() -> None:
    """Reproduce pitfalls of the handshake in throw-away namespaces.

    Each experiment builds a small network, makes the thing happen on this kernel, shows what it looks like, applies the
    remedy, and shows that it is gone. Nothing leaves the namespaces, and nothing is left behind.

    Needs root, or a kernel that allows user namespaces.
    """


@command.command("list")
@with_printer("text", "json")
def list_(printer: Printer) -> None:
    """Name the experiments."""
    from halfopen.lab.experiments import EXPERIMENTS, load

    experiments = [load(name) for name in EXPERIMENTS]
    if printer.format == "json":
        import json

        rows = [{"name": e.name, "title": e.title, "claim": e.claim, "proves": list(e.proves)} for e in experiments]
        printer.text(json.dumps({"schema": "halfopen.lab-list/1", "experiments": rows}, indent=2))
        return
    width = max(len(experiment.name) for experiment in experiments)
    for experiment in experiments:
        printer.text(f"{experiment.name:<{width}}  {experiment.title}")


@command.command("run")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Run every experiment.")
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=1, show_default=True, metavar="N",
              help="Seed of whatever is left to chance.")  # fmt: skip
@click.option("--jobs", "-j", type=click.IntRange(1, 64), default=None, metavar="N",
              help="Experiments at the same time. [default: two for each processor]")  # fmt: skip
@with_printer("text", "json", "markdown")
def run(printer: Printer, names: tuple[str, ...], every: bool, seed: int, jobs: int | None) -> ExitCode:
    """Run experiments; exit 1 when what they expected was not observed.

    An experiment that this kernel or user cannot run is skipped, with the reason; exit 5 when that is all of them.
    """
    from halfopen.lab.experiments import EXPERIMENTS, load
    from halfopen.lab.runner import run_all

    if every == bool(names):
        raise UsageError("name experiments, or say --all", hint="halfopen lab list names them")
    chosen = EXPERIMENTS if every else names
    for name in chosen:
        load(name)
    results = []
    for result in run_all(chosen, seed=seed, jobs=jobs or 2 * (os.cpu_count() or 1)):
        results.append(result)
        _show(printer, result)
    _finish(printer, results)
    if all(result.result == "skipped" for result in results):
        return ExitCode.NOT_AVAILABLE
    return ExitCode.FINDINGS if any(result.result == "failed" for result in results) else ExitCode.OK


def _show(printer: Printer, result: ExperimentResult) -> None:
    from halfopen.render.lab import render_markdown, render_result

    if printer.format == "text":
        printer.text(render_result(result, width=printer.width, color=printer.color))
    elif printer.format == "markdown":
        printer.text(render_markdown(result))
    else:
        printer.note(f"{result.name}: {result.result} in {result.seconds:.1f} s")


def _finish(printer: Printer, results: Sequence[ExperimentResult]) -> None:
    from halfopen.render.lab import render_tally

    if printer.format == "json":
        import platform

        import msgspec

        from halfopen.lab.privilege import mode
        from halfopen.model.experiment import LabReport

        where = mode()
        report = LabReport(
            kernel=platform.release(), mode=where.name, missing=where.missing, experiments=tuple(results)
        )
        printer.text(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
    elif len(results) > 1 and printer.format == "text":
        printer.text(render_tally(results))
