"""``halfopen lab``: experiments on the kernel at hand, in network namespaces that vanish afterwards."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from halfopen.cli.command import with_printer
from halfopen.errors import UsageError

if TYPE_CHECKING:
    from halfopen.cli.exit_codes import ExitCode
    from halfopen.cli.printer import Printer
    from halfopen.lab.story import Story


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
@click.option("--pcap", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Keep the packets of every host, as pcapng with an interface for each of theirs.")  # fmt: skip
@click.option("--host", metavar="HOST", help="With --pcap: only the packets that this host sees.")
@click.option("--ladder", is_flag=True, help="Draw one handshake of each kind, packet by packet.")
@click.option(
    "--keep",
    is_flag=True,
    help="Stop where the pitfall is to be seen, keep the network until Ctrl-C, and say how to enter it.",
)
@with_printer("text", "json", "markdown")
def run(
    printer: Printer,
    names: tuple[str, ...],
    *,
    every: bool,
    seed: int,
    jobs: int | None,
    pcap: Path | None,
    host: str | None,
    ladder: bool,
    keep: bool,
) -> ExitCode:
    """Run experiments; exit 1 when what they expected was not observed.

    An experiment that this kernel or user cannot run is skipped, with the reason; exit 5 when that is all of them.
    """
    from halfopen.cli.interrupts import ended_politely
    from halfopen.cli.lab_run import finish, run_single, show, tell_mode
    from halfopen.lab.experiments import EXPERIMENTS, load
    from halfopen.lab.protocol import RunOptions
    from halfopen.lab.runner import run_all
    from halfopen.lab.shell import check_host

    if every == bool(names):
        raise UsageError("name experiments, or say --all", hint="halfopen lab list names them")
    chosen = EXPERIMENTS if every else tuple(dict.fromkeys(names))
    experiments = [load(name) for name in chosen]
    single = pcap is not None or keep
    if single and len(chosen) > 1:
        raise UsageError(f"{'--pcap' if pcap is not None else '--keep'} is for one experiment at a time")
    if host is not None and pcap is None:
        raise UsageError("--host chooses what --pcap keeps", hint="give --pcap FILE, too")
    if pcap == Path("-"):
        raise UsageError("--pcap needs a file", why="standard output is for the story")
    check_host(experiments[0], host)
    tell_mode(printer)
    options = RunOptions(seed=seed, packets_of=host, ladder_width=printer.width if ladder else None, keep=keep)
    if single:
        return run_single(printer, chosen[0], options, pcap)
    results = []
    with ended_politely():
        for result in run_all(chosen, options, jobs=jobs or 2 * (os.cpu_count() or 1)):
            results.append(result)
            show(printer, result)
    return finish(printer, results)


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
    """Look around in an experiment, where its pitfall is to be seen.

    Runs the experiment until its pitfall is there, then $SHELL, or COMMAND, inside HOST (by default the server), and
    lets everything go when that ends. The exit code is that of the command, and 127 where there is no such command.

    What a host counts is there, and so are the connections that are open at that moment: `ss -tan`, `nstat -az`,
    `halfopen doctor --netns own`.
    """
    from halfopen.cli.lab_run import tell_mode
    from halfopen.lab.experiments import load
    from halfopen.lab.shell import check_host, run_inside

    experiment = load(name)
    check_host(experiment, host)
    tell_mode(printer)
    program = click.get_current_context().meta[_PROGRAM] or [os.environ.get("SHELL") or "/bin/sh"]

    def ready(story: Story, chosen: str) -> None:
        for sentence in story.lines:
            printer.note(sentence)
        hosts = ", ".join(story.network.hosts)
        printer.note(f"next, on the {chosen}, with nothing mended: {' '.join(program)} (hosts: {hosts})")

    return run_inside(experiment, seed, host, program, ready)
