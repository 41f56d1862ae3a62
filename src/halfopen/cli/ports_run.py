"""Takes or reads the snapshots, computes what is left of the ports, and prints it, once or again and again."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.cli import two_snapshots
from halfopen.cli.examined import unexamined
from halfopen.cli.printer import is_terminal
from halfopen.errors import UsageError
from halfopen.rules.port_use import port_use

if TYPE_CHECKING:
    from halfopen.cli.printer import Printer
    from halfopen.cli.two_snapshots import Netns
    from halfopen.model.ports import Ports
    from halfopen.model.snapshot import Snapshot

#: Collectors that are needed.
NEEDED = ("sockets", "sysctls")
WATCH_S = 2.0
CLEAR_SCREEN = "\x1b[H\x1b[2J"


@dataclass(frozen=True, slots=True)
class PortsOptions:
    """The command line."""

    for_s: float | None = None
    watch: bool = False
    files: tuple[str, ...] = ()
    netns: Netns = "all"
    top: int = 20

    def check(self) -> None:
        """Raise UsageError for what cannot be meant."""
        two_snapshots.check(self.for_s, self.files)
        if self.watch and self.files:
            raise UsageError("--watch looks at this host, and --snapshot is about a file")


def run(printer: Printer, options: PortsOptions) -> None:
    """The whole command."""
    options.check()
    # Whoever watches sees the first table at once, and rates from the second one on.
    for_s = None if options.watch else options.for_s
    now, before = two_snapshots.snapshots(printer, for_s=for_s, files=options.files, netns=options.netns, only=NEEDED)
    _show(printer, now, before, options)
    while options.watch:
        from halfopen.collect import take

        two_snapshots.watch(printer, now, options.for_s or WATCH_S)
        before, now = now, take(NEEDED, options.netns)
        _show(printer, now, before, options)


def _show(printer: Printer, now: Snapshot, before: Snapshot | None, options: PortsOptions) -> None:
    """One table, at once where somebody reads along. Raises when no socket could be read."""
    ports = port_use(now, before)
    if options.watch:
        _clear(printer)
    _print(printer, ports, options)
    printer.flush()
    if not ports.examined:
        raise unexamined(ports.unseen, options.files)


def _print(printer: Printer, ports: Ports, options: PortsOptions) -> None:
    if printer.format == "json":
        from halfopen.render.document import document

        # One object a line while watching: whoever reads it can tell where one ends.
        printer.raw(document(ports, indent=None if options.watch else 2))
        return
    from halfopen.render.layout import Paint
    from halfopen.render.ports import render_ports

    text = render_ports(ports, printer.width, Paint(printer.color), options.top, timed=options.watch)
    printer.text(text + "\n" * options.watch)


def _clear(printer: Printer) -> None:
    if printer.format == "text" and is_terminal(sys.stdout):
        printer.raw(CLEAR_SCREEN.encode())
