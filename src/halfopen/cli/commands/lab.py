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
    from halfopen.lab.story import Story
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


class _BeforeProgram(click.Command):
    """A command whose arguments end at ``--``; what follows is a program's command line, in ``ctx.meta``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[_PROGRAM] = args[at + 1 :]
        return super().parse_args(ctx, args[:at])


#: Where ``_BeforeProgram`` leaves the program.
_PROGRAM = "halfopen.lab.program"


@command.command("shell", cls=_BeforeProgram)
@click.argument("name")
@click.argument("host", metavar="[HOST] [-- COMMAND...]", required=False)
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), default=1, show_default=True, metavar="N",
              help="Seed of whatever is left to chance.")  # fmt: skip
@with_printer("text")
def shell(printer: Printer, name: str, host: str | None, seed: int) -> int:
    """Look around in an experiment, before its remedy.

    Runs the experiment until its pitfall has happened, then $SHELL, or COMMAND, inside HOST (by default the server),
    and lets everything go when that ends. The exit code is that of the command.

    What a host counts is there, and so are the connections that are open at that moment: `ss -tan`, `nstat -az`,
    `halfopen doctor --netns own`.
    """
    from halfopen.lab.experiments import load
    from halfopen.lab.shell import run_inside

    program = click.get_current_context().meta[_PROGRAM] or [os.environ.get("SHELL") or "/bin/sh"]

    def ready(story: Story, chosen: str) -> None:
        for sentence in story.lines:
            printer.note(sentence)
        hosts = ", ".join(story.network.hosts)
        printer.note(f"next, on the {chosen} and before the remedy: {' '.join(program)} (hosts: {hosts})")

    return run_inside(load(name), seed, host, program, ready)


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
