"""``halfopen serve``: the options and the loop; the server is ``halfopen.active.server``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from halfopen.cli.addresses import AddressType
from halfopen.cli.command import with_printer
from halfopen.cli.values import BytesType, DurationType, SecondsType

if TYPE_CHECKING:
    from halfopen.active.server import TestServer
    from halfopen.cli.printer import Printer

#: What fits into the kernel's int.
INT_MAX = 2**31 - 1


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port; 0 takes a free one. [default: 0]")
@click.option("--address", "addresses", type=AddressType(), multiple=True,
              help="Where to listen; may be given several times. [default: 127.0.0.1]")  # fmt: skip
@click.option("--backlog", type=click.IntRange(0, INT_MAX), default=4096, show_default=True,
              help="Of listen(); the kernel cuts it at net.core.somaxconn.")  # fmt: skip
@click.option("--defer-accept", metavar="TIME", type=SecondsType(3600), help="TCP_DEFER_ACCEPT, whole seconds: 5s")
@click.option("--fast-open", metavar="QLEN", type=click.IntRange(1, INT_MAX),
              help="TCP_FASTOPEN with a queue of so many; needs bit 2 of net.ipv4.tcp_fastopen.")  # fmt: skip
@click.option("--reuse-port", metavar="N", type=click.IntRange(1, 256), default=1, show_default=True,
              help="SO_REUSEPORT listeners for each address, a thread each.")  # fmt: skip
@click.option("--accept-delay", "accept_delay_s", type=DurationType(), help="Before each accept(): 200ms")
@click.option(
    "--accept-rate", metavar="N", type=click.IntRange(1, 1_000_000), help="accept() so often a second at most."
)
@click.option("--never-accept", is_flag=True, help="Listen only: the accept queue fills.")
@click.option(
    "--banner",
    type=BytesType(),
    is_flag=False,
    flag_value=r"220 halfopen\r\n",
    help=r"Send this at once: '220 hello\r\n'",
)
@click.option("--echo", is_flag=True, help="Send back what comes.")
@click.option(
    "--http",
    metavar="[BODY]",
    type=BytesType(),
    is_flag=False,
    flag_value="ok\n",
    help="Answer HTTP/1.1 requests with this body.",
)
@click.option("--close", type=click.Choice(["client", "fin", "rst"]), default="client", show_default=True,
              help="Who closes first: the client, or the server after its first reply.")  # fmt: skip
@click.option("--quickack/--no-quickack", default=None, help="TCP_QUICKACK of accepted sockets.")
@click.option("--nodelay", is_flag=True, help="TCP_NODELAY of accepted sockets.")
@click.option("--events/--no-events", default=True, help="Print each connection, or the summary only (fast).")
@with_printer("text", "jsonl")
def command(printer: Printer, /, addresses: tuple[str, ...], **values: Any) -> None:  # noqa: ANN401
    """Run a test server with every knob of the handshake.

    Says «listening on …» on standard error when it is ready, prints each connection, and ends with a summary on Ctrl-C
    or SIGTERM.

    \b
    halfopen serve --port 8080 --http hello
    halfopen serve --port 8080 --backlog 5 --accept-delay 200ms
    halfopen serve --address 10.0.0.5 --port 2525 --banner '220 hi\\r\\n' --defer-accept 5
    """
    from halfopen.active.server import TestServer
    from halfopen.cli.interrupts import asked_to_end
    from halfopen.model.quantity import endpoint
    from halfopen.model.serving import ServeOptions

    options = ServeOptions(**{**values, **({"addresses": addresses} if addresses else {})})
    with asked_to_end() as over, TestServer(options) as server:
        for address, port in server.listening:
            if printer.format == "jsonl":
                _print(printer, [{"event": "listening", "address": address, "port": port}])
            printer.note(f"listening on {endpoint(address, port)}")
        for portion in server.events(over):
            _print(printer, portion)
        _end(printer, server)


def _print(printer: Printer, events: list[dict[str, Any]]) -> None:
    if not events:
        return
    if printer.format == "jsonl":
        import json

        lines = [json.dumps(event) for event in events]
    else:
        from halfopen.render.layout import Paint
        from halfopen.render.serve import event_line

        paint = Paint(printer.color)
        lines = [event_line(event, paint) for event in events]
    printer.text("\n".join(lines))
    printer.flush()


def _end(printer: Printer, server: TestServer) -> None:
    if printer.format == "jsonl":
        _print(printer, [server.summary()])
        return
    from halfopen.render.serve import summary_text

    printer.text(summary_text(server.summary(), width=printer.width, color=printer.color))
