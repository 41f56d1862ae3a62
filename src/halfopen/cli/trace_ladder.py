"""``halfopen trace --ladder``: draws one handshake, or all between two ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.cli.exit_codes import ExitCode
from halfopen.errors import InputError, UsageError
from halfopen.model.exchange import FourTuple
from halfopen.model.quantity import endpoint, plural

if TYPE_CHECKING:
    from halfopen.cli.printer import Printer
    from halfopen.cli.trace_options import TraceOptions
    from halfopen.model.exchange import Exchanges


def show_ladder(printer: Printer, options: TraceOptions) -> ExitCode:
    """Read the captures, draw what ``--ladder`` named, and say whether ``--fail-on`` was reached.

    Raises:
        UsageError: the captures have no such handshake.
        InputError: they have none at all.
    """
    from halfopen.capture.exchanges import read_exchanges
    from halfopen.render.ladder import render_ladder

    which = options.ladder
    assert which is not None
    with printer.progress("reading") as progress:
        found = read_exchanges(
            list(options.files),
            which if isinstance(which, FourTuple) else [which],
            max_flows=options.max_flows,
            verify_checksums=options.verify_checksums,
            progress=lambda _packets, done, total: progress.update(done, total),
        )
    if not found.exchanges:
        raise _nothing(which, found)
    color = printer.color and options.output is None
    text = "\n".join(render_ladder(each, width=printer.width, color=color) for each in found.exchanges)
    with printer.destination(options.output) as out:
        out.write(text.encode(errors="backslashreplace"))
    if found.left_out:
        printer.note(f"{plural(found.left_out, 'later handshake')} between these ends not drawn")
    return _verdict(options, found)


def _nothing(which: int | FourTuple, found: Exchanges) -> UsageError | InputError:
    if not found.handshakes:
        return InputError("there is nothing to draw", why="no handshake is in the capture")
    if isinstance(which, FourTuple):
        ends = f"{endpoint(which.address, which.port)} and {endpoint(which.peer, which.peer_port)}"
        others = f"the capture has {plural(found.handshakes, 'handshake')} between other ends"
        return UsageError("there is no handshake between", ends, others)
    return UsageError(f"there is no handshake {which}", why=f"the capture has {plural(found.handshakes, 'handshake')}")


def _verdict(options: TraceOptions, found: Exchanges) -> ExitCode:
    drawn = [exchange.handshake for exchange in found.exchanges]
    failed = any(row.outcome not in ("established", "partial") for row in drawn)
    odd = failed or any(row.anomalies for row in drawn)
    reached = {"never": False, "failed": failed, "anomaly": odd}
    return ExitCode.FINDINGS if reached[options.fail_on] else ExitCode.OK
