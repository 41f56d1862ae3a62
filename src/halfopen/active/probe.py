"""``halfopen.probe``: how long a connect takes, and where the time goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from halfopen.active.options import ConnectOptions
from halfopen.active.runner import INTERVAL_S, ProbePlan, Unresolved, resolve_all, run
from halfopen.active.targets import read_targets
from halfopen.handshakes.probes.board import Board
from halfopen.render.records import arrow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from halfopen.model.handshake import Handshake
    from halfopen.model.probe import ProbeResult, TargetReport


class Probe:
    """What a run of probes found. Iterating gives the connects in order, as :class:`ProbeResult`.

    The object is an Arrow stream of the handshake records: ``polars.DataFrame(found)``, ``pyarrow.table(found)``.

    Attributes:
        results: the connects in order.
        targets: each target with its addresses and the numbers of the connects to them.
        reachable: a connect to every target ended as it should.
    """

    results: tuple[ProbeResult, ...]
    targets: tuple[TargetReport, ...]
    reachable: bool

    def __init__(self, results: Iterable[ProbeResult], board: Board) -> None:
        self.results = tuple(results)
        self.targets = tuple(board.reports())
        self.reachable = board.reachable

    @property
    def handshakes(self) -> list[Handshake]:
        """The records, with ``source`` ``probe``."""
        return [result.handshake for result in self.results]

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The records as Arrow columns, the schema ``halfopen.handshake/1``: the Arrow PyCapsule interface."""
        return arrow(self.handshakes).__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        """How many connects were made."""
        return len(self.results)

    def __iter__(self) -> Iterator[ProbeResult]:
        """The connects in order."""
        return iter(self.results)

    def __repr__(self) -> str:
        """Says how much there is."""
        established = sum(result.established for result in self.results)
        return f"<halfopen.Probe: {established} of {len(self)} connected>"


def probe(
    target: str | Iterable[str],
    *,
    count: int = 1,
    interval_s: float = INTERVAL_S,
    timeout_s: float = 5.0,
    family: Literal["any", "ipv4", "ipv6"] = "any",
    every_address: bool = False,
    source: str | None = None,
    await_data: bool = False,
    send: bytes = b"",
    fast_open: bool = False,
    options: ConnectOptions | None = None,
) -> Probe:
    """Connect, measure, close; as often as asked.

    Args:
        target: ``"host:443"``, ``"[2001:db8::1]:443"``, ``"host"`` (port 443), or several of them.
        count: rounds.
        interval_s: begin of one round to begin of the next, seconds.
        timeout_s: when a connect, or the wait for data after it, is given up, seconds.
        family: only addresses of this one.
        every_address: connect to every address of a name; else to the next one only when one fails.
        source: local address, or the name of the interface whose address it is.
        await_data: after the handshake wait for the server's first byte.
        send: what to send before that.
        fast_open: beside each ordinary connect make one with data in the SYN.
        options: all that a socket can be told; instead of ``timeout_s``, ``source``, ``await_data`` and ``send``.

    Returns:
        The connects. Times are in microseconds (``…_us``). A failed connect is a result, and so is a name that stands
        for no address (``targets[i].error``).

    Raises:
        halfopen.UsageError: a target or an option cannot be meant, or the socket cannot be made as asked.
        halfopen.PrivilegeError: it may not be.

    Privileges: none; ``mark`` needs CAP_NET_ADMIN.

    Example:
        >>> import halfopen, socket
        >>> server = socket.create_server(("127.0.0.1", 0))
        >>> found = halfopen.probe(f"127.0.0.1:{server.getsockname()[1]}", count=3, interval_s=0)
        >>> found.reachable
        True
        >>> [(result.handshake.outcome, result.rtt_validity) for result in found]
        [('established', 'valid'), ('established', 'valid'), ('established', 'valid')]
        >>> found.targets[0].summaries["127.0.0.1"].connect_us.p50 < 1e6
        True
        >>> server.close()
    """
    connect = options or ConnectOptions(timeout_s=timeout_s, source=source, await_data=await_data, send=send)
    plan = ProbePlan(
        count=count,
        interval_s=interval_s,
        family=family,
        every_address=every_address,
        fast_open=fast_open,
        connect=connect,
    )
    plan.check()
    board = Board(every_address=every_address)
    resolutions = []
    for found in resolve_all(read_targets([target] if isinstance(target, str) else target), plan):
        if isinstance(found, Unresolved):
            board.unresolved(found.target, str(found.error))
        else:
            board.resolved(found.target, found.addresses, found.resolve_us)
            resolutions.append(found)
    results = []
    for result in run(resolutions, plan):
        board.add(result)
        results.append(result)
    return Probe(results, board)
