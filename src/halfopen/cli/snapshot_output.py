"""Where a snapshot goes: standard output, or a file that only its owner may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.cli.examined import unexamined
from halfopen.cli.printer import output_errors
from halfopen.cli.replacing import replacing
from halfopen.collect.document import compressed, encode
from halfopen.render.document import document
from halfopen.render.gaps import gap_sentences

if TYPE_CHECKING:
    from pathlib import Path

    from halfopen.cli.printer import Printer
    from halfopen.model.snapshot import Snapshot

MODE = 0o600
"""It names processes, their arguments, addresses and firewall rules."""
GAPS_SHOWN = 10


def write(printer: Printer, snapshot: Snapshot, output: Path | None) -> None:
    """Write the document, then say on standard error what is not in it."""
    if output is None or str(output) == "-":
        printer.raw(document(snapshot))
    else:
        data = encode(snapshot)
        save(compressed(data) if output.suffix == ".gz" else data, output)
        printer.note(f"wrote {output}: {_extent(snapshot)}")
    gaps = gap_sentences(snapshot.unavailable)
    for gap in gaps[:GAPS_SHOWN]:
        printer.note(gap)
    if len(gaps) > GAPS_SHOWN:
        printer.note(f"and {_counted(len(gaps) - GAPS_SHOWN, 'more gap')}: see «unavailable» in the document")


def check_whole(snapshot: Snapshot) -> None:
    """Raise NotAvailableError for a snapshot by which no host can be judged: whoever keeps it is to know now."""
    from halfopen.rules.context import Context
    from halfopen.rules.coverage import is_examined, unseen

    context = Context.of(snapshot)
    if not is_examined(context):
        raise unexamined(unseen(context))


def save(data: bytes, output: Path) -> None:
    """Put ``data`` in the place of ``output``, whole or not at all."""
    with replacing(output) as new, output_errors(str(output)):
        if new != output:
            new.chmod(MODE)
        new.write_bytes(data)


def _extent(snapshot: Snapshot) -> str:
    seen = [netns.sockets for netns in snapshot.netns if netns.sockets]
    spaces = _counted(len(snapshot.netns), "network namespace")
    if not seen:
        return f"{spaces}, no sockets"
    return f"{spaces}, {_counted(sum(sum(sockets.states.values()) for sockets in seen), 'TCP socket')}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
