"""``halfopen load``: the options; the load itself is ``halfopen.active.load``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from halfopen.cli.addresses import SourcesType
from halfopen.cli.command import with_printer
from halfopen.cli.exit_codes import ExitCode
from halfopen.cli.values import BytesType, DurationType

if TYPE_CHECKING:
    from halfopen.active.load_options import LoadOptions
    from halfopen.cli.printer import Printer
    from halfopen.model.load import LoadReport, Plan

#: More connections a second than any machine opens; the schedule counts in nanoseconds.
RATE_MAX = 100_000_000
THREADS_MAX = 256
CONNECTIONS_MAX = 1_000_000


class ThreadsType(click.ParamType[int]):
    """``--threads``."""

    name = "n|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401
        """A number; ``all`` is one for each processor that the process may use."""
        if str(value).lower() == "all":
            return len(os.sched_getaffinity(0))
        return click.IntRange(1, THREADS_MAX).convert(value, param, ctx)


class ExpectType(click.ParamType[Any]):
    """``--expect``."""

    name = "n|eof"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:  # noqa: ANN401
        """Bytes, or the word."""
        return "eof" if str(value).lower() == "eof" else click.IntRange(1).convert(value, param, ctx)


@click.command("load")
@click.argument("target")
@click.option("--connections", "-c", metavar="N", type=click.IntRange(1, CONNECTIONS_MAX),
              help="At the same time, at most. [default: 10; with --rate 10000]")  # fmt: skip
@click.option("--total", "-n", metavar="N", type=click.IntRange(1), help="In all. [default: 1000]")
@click.option("--rate", metavar="N", type=click.IntRange(1, RATE_MAX),
              help="So many a second, whatever the server does; latency counts from when each was due.")  # fmt: skip
@click.option("--for", "duration_s", type=DurationType(), help="How long to open new ones: 10s, 1m30s")
@click.option(
    "--http", metavar="[PATH]", is_flag=False, flag_value="/", help="Send a GET request, and read its answer."
)
@click.option("--reuse", metavar="N", type=click.IntRange(1, 1_000_000),
              help="HTTP requests on each connection: shows what a pool would save.")  # fmt: skip
@click.option("--send", type=BytesType(), help=r"Send this, and wait for an answer: 'PING\r\n'")
@click.option("--expect", type=ExpectType(),
              help="The answer to --send is so many bytes, or lasts until the server closes. [default: 1]")  # fmt: skip
@click.option("--close", type=click.Choice(["fin", "rst", "server-first"]),
              help="Who ends a connection, and keeps TIME_WAIT. [default: rst: nobody does]")  # fmt: skip
@click.option("--source", "sources", type=SourcesType(), multiple=True,
              help="Local address; several (or a prefix) are used in turn, each with all its ports.")  # fmt: skip
@click.option("--threads", type=ThreadsType(), default=1, show_default=True, help="Threads; all: one a processor.")
@click.option("--timeout", "timeout_s", type=DurationType(), default="10s", show_default=True,
              help="Longest life of a connection that does not succeed.")  # fmt: skip
@click.option("-4", "family", flag_value="ipv4", help="Only IPv4 addresses of the target.")
@click.option("-6", "family", flag_value="ipv6", help="Only IPv6 addresses of the target.")
@click.option("--yes-i-may", "anywhere", is_flag=True,
              help="Load an address that is neither loopback nor private: its owner agreed.")  # fmt: skip
@with_printer("text", "json")
def command(printer: Printer, /, target: str, sources: tuple[tuple[str, ...], ...], **values: Any) -> ExitCode:  # noqa: ANN401
    """Open connections to a server as fast as asked, and measure.

    TARGET is host:port or [v6]:port; without a port it is 443, with --http 80.

    A closed loop opens a connection when one ends. With --rate an open loop opens them on time, so that a stalled
    server cannot hide. Ctrl-C ends it with the report so far. Exits with 1 when no connection was established.

    \b
    halfopen load 10.0.0.5:443 -c 100 -n 10000
    halfopen load 10.0.0.5:80 --http / --rate 2000 --for 10s
    halfopen load 10.0.0.5:80 --http / --reuse 20
    """
    from halfopen.active.load_options import HTTP_PORT, LoadOptions
    from halfopen.model.target import DEFAULT_PORT, Target, second_reading

    if doubt := second_reading(target):
        printer.note(doubt)
    default_port = DEFAULT_PORT if values["http"] is None else HTTP_PORT
    flat = tuple(dict.fromkeys(source for group in sources for source in group))
    values["family"] = values["family"] or "any"
    options = LoadOptions(target=Target.parse(target, default_port), sources=flat, **values)
    report = _run(printer, options)
    _print(printer, report)
    if report.interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.OK if report.established else ExitCode.FINDINGS


def _run(printer: Printer, options: LoadOptions) -> LoadReport:
    from halfopen.active.load import run_load
    from halfopen.cli.interrupts import ended_politely
    from halfopen.cli.load_progress import progress_words

    plans: list[Plan] = []
    with printer.progress("loading") as progress, ended_politely():
        return run_load(
            options,
            plans.append,
            lambda *counts: progress.show(progress_words(plans[0], *counts)),
        )


def _print(printer: Printer, report: LoadReport) -> None:
    if printer.format == "json":
        import json

        from halfopen.render.load import load_object

        printer.text(json.dumps(load_object(report), indent=2))
        return
    from halfopen.render.load import render_load

    printer.text(render_load(report, width=printer.width, color=printer.color))
