"""``halfopen ports``: the options. ``cli.ports_run`` takes the snapshots, ``halfopen.rules.ports`` computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from halfopen.cli.command import with_printer
from halfopen.cli.values import DurationType

if TYPE_CHECKING:
    from halfopen.cli.printer import Printer


@click.command("ports")
@click.option("--for", "for_s", metavar="TIME", type=DurationType(),
              help="Watch for so long, and see how open connections grow. [default with --watch: 2s]")  # fmt: skip
@click.option("--watch", is_flag=True, help="Again and again, until Ctrl-C.")
@click.option("--snapshot", "files", metavar="FILE", multiple=True, type=click.Path(path_type=str, readable=False),
              help="Look at this snapshot instead of this host; two of them, an earlier and a later one.")  # fmt: skip
@click.option("--netns", type=click.Choice(["all", "own"]), default="all", show_default=True,
              help="Which network namespaces: every one, or that of this process.")  # fmt: skip
@click.option("--top", metavar="N", type=click.IntRange(min=1), default=20, show_default=True,
              help="Rows of the table; JSON holds every destination.")  # fmt: skip
@with_printer("text", "json")
def command(
    printer: Printer,
    /,
    for_s: float | None,
    files: tuple[str, ...],
    netns: Literal["all", "own"],
    top: int,
    *,
    watch: bool,
) -> None:
    """Show how many local ports each destination has taken, and when they run out.

    A connection needs a local port that no other one to the same address and port has, TIME_WAIT included. From half of
    the range on, connect() becomes slow; at its end it fails with EADDRNOTAVAIL, and no counter of the kernel tells.

    \b
    halfopen ports
    halfopen ports --watch
    halfopen ports --for 5s --format json | jq '.destinations[0]'
    """
    from halfopen.cli.ports_run import PortsOptions, run

    run(printer, PortsOptions(for_s, watch, files, netns, top))
