"""``halfopen doctor``: the options. ``cli.doctor_run`` takes the snapshots, ``halfopen.rules`` judges them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from halfopen.cli.command import with_printer
from halfopen.cli.doctor_options import FAIL_ON, DoctorOptions
from halfopen.cli.values import DurationType

if TYPE_CHECKING:
    from halfopen.cli.exit_codes import ExitCode
    from halfopen.cli.printer import Printer


@click.command("doctor")
@click.argument("target", metavar="[HOST:PORT]", required=False)
@click.option("--for", "for_s", metavar="TIME", type=DurationType(),
              help="Watch for so long, and judge what happens in it: 10s, 1m.")  # fmt: skip
@click.option("--snapshot", "snapshots", metavar="FILE", multiple=True, type=click.Path(path_type=str, readable=False),
              help="Judge this snapshot instead of this host; two of them, an earlier and a later one.")  # fmt: skip
@click.option("--netns", type=click.Choice(["all", "own"]), default="all", show_default=True,
              help="Which network namespaces: every one, or that of this process.")  # fmt: skip
@click.option("--fail-on", type=click.Choice(FAIL_ON), show_default="never; with a target critical",
              help="Exit with 1 when a finding, or the verdict on a target, is as severe as this.")  # fmt: skip
@click.option("--strace", metavar="PID|listener",
              help="With a target: what the threads of a process, or of the target's listener, do.")  # fmt: skip
@click.option("--capture", is_flag=True,
              help="With a target: capture the packets of the connects and say what they show.")  # fmt: skip
@click.option("--pcap", metavar="FILE", type=click.Path(path_type=str, dir_okay=False),
              help="Capture, and keep the packets in FILE.")  # fmt: skip
@click.option("--verbose", "-v", is_flag=True, help="All evidence, and the manual page of every rule that fired.")
@with_printer("text", "json", "markdown")
def command(printer: Printer, /, **values: object) -> ExitCode:
    """Say what is wrong with connections on this host, why, and what helps.

    Looks at listeners, destinations, counters, settings and packet filters in every network namespace, without changing
    anything. Counters tell of the time since boot; with --for, of what happens now.

    With HOST:PORT it connects there several times, says what became of it, and goes through what on this host could be
    the cause; if the target is this host, it looks at its listener. It exits with 1 where the target cannot be reached.

    \b
    halfopen doctor
    halfopen doctor --for 10s
    halfopen doctor db.example.com:5432
    halfopen doctor --snapshot before.json.gz --snapshot after.json.gz --format markdown
    """
    from halfopen.cli.doctor_run import run

    return run(printer, DoctorOptions(**values))  # type: ignore[arg-type]  # click converted each; the names are compared by a test
