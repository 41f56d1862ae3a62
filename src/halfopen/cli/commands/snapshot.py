"""``halfopen snapshot``: the options. ``halfopen.collect`` does the work, ``cli.snapshot_output`` the writing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from halfopen.cli.command import with_printer

if TYPE_CHECKING:
    from halfopen.cli.printer import Printer


@click.command("snapshot")
@click.option("--output", "-o", metavar="FILE", type=click.Path(path_type=Path, readable=False),
              help="Write to this file, readable by you alone; compressed when its name ends in .gz.")  # fmt: skip
@click.option("--only", metavar="NAME", multiple=True, help="Run this collector only; may be given several times.")
@click.option("--netns", type=click.Choice(["all", "own"]), default="all", show_default=True,
              help="Which network namespaces: every one, or that of this process.")  # fmt: skip
@with_printer("json")
def command(printer: Printer, output: Path | None, only: tuple[str, ...], netns: Literal["all", "own"]) -> None:
    """Write down what this host says of its connections, as one JSON document.

    Everything that doctor reads, in every network namespace: settings, counters, sockets and their owners, routes,
    packet filters, the kernel's log. Keys and cookies are left out. What could not be read is named in the document
    and on standard error.

    \b
    halfopen snapshot -o host.json.gz
    halfopen snapshot | jq '.netns[] | {name, sockets}'
    """
    from halfopen.cli.snapshot_output import check_whole, write
    from halfopen.collect import take

    snapshot = take(only or None, netns)
    write(printer, snapshot, output)
    if not only:
        check_whole(snapshot)
