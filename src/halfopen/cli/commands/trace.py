"""``halfopen trace``: the options, and what they may be combined with. The work is done by ``cli.trace_output``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from halfopen.cli.command import with_printer
from halfopen.cli.trace_options import FAIL_ON, TraceOptions, check
from halfopen.cli.values import MomentType, WhichType

if TYPE_CHECKING:
    from halfopen.cli.exit_codes import ExitCode
    from halfopen.cli.printer import Printer

#: Not checked by click: a file that is missing, or may not be read, is an unreadable input (3) and no wrong command
#: line (2).
CAPTURE = click.Path(path_type=str, readable=False)
FILE = click.Path(path_type=Path, readable=False)


@click.command("trace")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=CAPTURE)
@click.option("--where", metavar="EXPR", help='Only handshakes for which this holds: outcome != "established"')
@click.option("--sort", metavar="FIELD", help="List handshakes by this field; -FIELD for the largest first.")
@click.option(
    "--top",
    metavar="N",
    type=click.IntRange(min=1),
    help="At most N of them: rows of each table, or records. [default: 10 rows, all records]",
)
@click.option("--since", type=MomentType(), help="Only handshakes begun at or after: 2026-11-23T07:00:00Z, +1m30s")
@click.option("--until", type=MomentType(), help="Only handshakes begun before.")
@click.option(
    "--ladder", type=WhichType(), help="Draw one handshake, packet by packet: its number, or 10.0.0.1:4242-10.0.0.2:443"
)
@click.option("--report", metavar="FILE", type=FILE, help="Write a self-contained HTML page as well.")
@click.option("--against", metavar="FILE", type=CAPTURE, help="Compare with a capture of it taken elsewhere.")
@click.option("--output", "-o", metavar="FILE", type=FILE, help="Write the result to this file. [default: stdout]")
@click.option("--fail-on", type=click.Choice(FAIL_ON), default="never", show_default=True,
              help="Exit with 1 when a handshake failed, or had any anomaly.")  # fmt: skip
@click.option(
    "--max-flows",
    metavar="N",
    type=click.IntRange(min=1),
    help="Connections remembered at a time. [default: 500000]",
)
@click.option(
    "--verify-checksums", is_flag=True, help="Mark handshakes with a wrong checksum (bad_checksum); offload makes many."
)
@with_printer("text", "json", "jsonl", "csv", "parquet")
def command(printer: Printer, /, **values: object) -> ExitCode:
    """Show every TCP handshake in capture files.

    Reads pcap and pcapng, plain, gzip or zstd; several files in time order, as one capture; - is standard input.

    \b
    halfopen trace capture.pcap
    halfopen trace ring.pcap*  --where 'outcome != "established" and server_port == 443'
    halfopen trace client.pcap --against server.pcap
    halfopen trace capture.pcap --format jsonl | jq .client
    """
    options = TraceOptions(**values)  # type: ignore[arg-type]  # click converted each; the names are compared by a test
    check(options, printer.format)
    if options.against is not None:
        from halfopen.cli import trace_against

        return trace_against.show(printer, options, options.against)
    from halfopen.cli.trace_output import show

    return show(printer, options)
