"""Real clients at a fixed rate, who wait for the server's first byte; and servers that say it.

The clients are those of ``halfopen load``, the server is that of ``halfopen serve``. Where an experiment decides when
accept() begins, there is a doorman for its own listener.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from statistics import median_low
from typing import TYPE_CHECKING, Any

from halfopen import _core
from halfopen.model.quantity import endpoint

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from halfopen.lab.namespace import Namespace, Task
    from halfopen.lab.traffic import Target

#: How long a visitor waits before he goes away, unless he is told otherwise.
PATIENCE_S = 3.0
BANNER = b"!"


@contextmanager
def serving(host: Namespace, address: str, port: int, backlog: int) -> Iterator[_core.Server]:
    """A server that accepts at once, says one byte and closes."""
    where = [endpoint(address, port)]
    server = host.run(lambda: _core.Server(where, backlog=backlog, banner=BANNER, close="fin", events=False))
    try:
        yield server
    finally:
        server.stop()


class Doorman:
    """The same for a listener of the experiment's, from the moment when this is made."""

    def __init__(self, host: Namespace, listener: socket.socket) -> None:
        self.listener = listener
        self._stopped = False
        listener.settimeout(0.05)
        self._task: Task[None] = host.start(self._serve)

    def _serve(self) -> None:
        while not self._stopped:
            try:
                guest, _ = self.listener.accept()
            except TimeoutError:
                continue
            # A guest who has gone meanwhile is no fault of the door.
            with guest, suppress(ConnectionError):
                guest.sendall(BANNER)

    def stop(self) -> None:
        """Close the door, and the listener."""
        self._stopped = True
        self._task.result(5.0)
        self.listener.close()


@dataclass(frozen=True, slots=True)
class Visitors:
    """What became of all of them."""

    served: int = 0
    """Who got the server's byte."""
    connected_s: tuple[float, ...] = ()
    """How long connect() took those who were connected, in order."""
    median_ms: float | None = None
    """How long those who were served waited for it, at the median."""


def visit(host: Namespace, target: Target, count: int, rate: int, patience_s: float = PATIENCE_S) -> Visitors:
    """Send ``count`` visitors, ``rate`` a second, and wait until each was served or has lost patience."""
    return host.run(_visit, endpoint(target.address, target.port), count, rate, patience_s)


def _visit(target: str, count: int, rate: int, patience_s: float) -> Visitors:
    served, connected, waited = 0, list[float](), list[float]()
    while count:
        result = _core.load(
            target,
            sources=[],
            connections=count,
            rate=rate,
            # Until half an interval after the last one is due: rounding makes it neither more nor fewer.
            duration_s=(count - 0.5) / rate,
            send=(b"", len(BANNER)),
            close="fin",
            timeout_s=patience_s,
            threads=1,
        )
        served += result["completed"]
        connected += _times_s(result["connect"])
        waited += _times_s(result["response"])
        # A load does not begin what a busy machine kept from beginning until its end: they come all the same.
        count = result["unstarted"]
    return Visitors(served, tuple(sorted(connected)), median_low(waited) * 1e3 if waited else None)


def _times_s(latency: dict[str, Any]) -> list[float]:
    return [bound_us / 1e6 for bound_us, many in latency["buckets"] for _ in range(many)]
