"""``halfopen probe``: the options. The work is done by ``cli.probe_run``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from halfopen.cli.command import with_printer
from halfopen.cli.values import BytesType, DurationType

if TYPE_CHECKING:
    from halfopen.cli.exit_codes import ExitCode
    from halfopen.cli.printer import Printer

#: Not checked by click: a file that cannot be written is an output error (3) and no wrong command line (2).
FILE = click.Path(path_type=Path, readable=False)


@click.command("probe")
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@click.option("--count", "-c", metavar="N", type=click.IntRange(min=1), help="Connect N times. [default: 1]")
@click.option("--interval", "-i", type=DurationType(), help="From one connect to the next: 200ms, 1s. [default: 1s]")
@click.option("--rate", metavar="R", type=click.FloatRange(min=0, min_open=True), help="Instead: R connects a second.")
@click.option("--timeout", type=DurationType(), default=5.0, help="Give a connect up after this. [default: 5s]")
@click.option("--port", metavar="PORT", type=click.IntRange(1, 65535), default=443, show_default=True,
              help="Port of targets that name none.")  # fmt: skip
@click.option("-4", "ipv4", is_flag=True, help="Only IPv4 addresses.")
@click.option("-6", "ipv6", is_flag=True, help="Only IPv6 addresses.")
@click.option("--all-addresses", is_flag=True,
              help="Connect to every address of a name; else to the next only when one fails.")  # fmt: skip
@click.option("--source", metavar="ADDR|IFACE", help="Local address, or the interface whose address it is.")
@click.option("--source-port", metavar="PORT", type=click.IntRange(1, 65535), help="Local port.")
@click.option("--interface", metavar="IFACE", help="Send through this interface only (SO_BINDTODEVICE).")
@click.option(
    "--mark", metavar="N", type=click.IntRange(0, 2**32 - 1), help="Firewall mark (SO_MARK); needs CAP_NET_ADMIN."
)
@click.option("--ttl", metavar="N", type=click.IntRange(1, 255), help="TTL or hop limit of the packets.")
@click.option("--mss", metavar="BYTES", type=click.IntRange(88, 32767), help="Offer no larger segments (TCP_MAXSEG).")
@click.option("--nodelay", is_flag=True, help="TCP_NODELAY.")
@click.option("--quickack/--no-quickack", default=None, help="TCP_QUICKACK; without it the last ACK waits for data.")
@click.option("--syn-retries", metavar="N", type=click.IntRange(1, 127),
              help="SYN retransmissions (TCP_SYNCNT) until the kernel gives up.")  # fmt: skip
@click.option("--await-data", is_flag=True, help="After the handshake, wait for the server's first byte.")
@click.option("--send", type=BytesType(), help=r"Send this before: 'GET / HTTP/1.0\r\n\r\n'.")
@click.option("--fast-open", is_flag=True, help="Beside each connect, one with data in the SYN (RFC 7413).")
@click.option("--explain", is_flag=True,
              help="Look for causes on this host where a connect failed or a SYN was lost.")  # fmt: skip
@click.option("--watch", is_flag=True, help="Draw a live plot until Ctrl-C; lines where there is no terminal.")
@click.option("--output", "-o", metavar="FILE", type=FILE, help="Write the result to this file. [default: stdout]")
@with_printer("text", "json", "jsonl", "csv", "parquet")
def command(printer: Printer, /, **values: object) -> ExitCode:
    """Measure a connect: time, SYN round trip, retransmissions, cause of failure.

    TARGET is host, host:port, [v6]:port, or @FILE with one of these a line (@- for standard input). Exits with 0 when
    every target could be reached, with 1 when one could not.

    \b
    halfopen probe example.com:443
    halfopen probe -c 20 -i 200ms db1:5432 db2:5432
    halfopen probe --await-data --send 'GET / HTTP/1.0\\r\\n\\r\\n' web:80
    """
    from halfopen.cli.probe_options import ProbeOptions
    from halfopen.cli.probe_run import show

    # click converted each; the names are compared by a test
    return show(printer, ProbeOptions(**values))  # type: ignore[arg-type]
