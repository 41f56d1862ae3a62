"""Real clients beside a flood: they come at a fixed rate, connect, and wait for the server's first byte."""

from __future__ import annotations

import selectors
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halfopen.lab.traffic import family_of

if TYPE_CHECKING:
    from halfopen.lab.namespace import Namespace, Task
    from halfopen.lab.traffic import Target

#: How long a visitor waits before he goes away, unless he is told otherwise.
PATIENCE_S = 3.0
BANNER = b"!"


@dataclass(slots=True)
class Visit:
    """One client's visit."""

    socket: socket.socket
    begun_s: float
    """On the monotonic clock."""
    connected_s: float | None = None
    """How long connect() took."""
    served_s: float | None = None
    """How long it took until the server's first byte."""


class Doorman:
    """A server that accepts at once, says one byte and closes."""

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


@dataclass(slots=True)
class Visitors:
    """What became of all of them."""

    visits: list[Visit] = field(default_factory=list)

    @property
    def served(self) -> int:
        """Who got the server's byte."""
        return sum(visit.served_s is not None for visit in self.visits)

    @property
    def median_ms(self) -> float | None:
        """How long those who were served waited for it, at the median."""
        times = sorted(visit.served_s for visit in self.visits if visit.served_s is not None)
        return times[len(times) // 2] * 1000 if times else None


def visit(host: Namespace, target: Target, count: int, rate: float, patience_s: float = PATIENCE_S) -> Visitors:
    """Send ``count`` visitors, ``rate`` a second, and wait until each was served or has lost patience."""
    return host.run(_visit, target, count, rate, patience_s)


def _visit(target: Target, count: int, rate: float, patience_s: float) -> Visitors:
    visitors = Visitors()
    start = time.monotonic()
    with selectors.DefaultSelector() as selector:
        while len(visitors.visits) < count or selector.get_map():
            now = time.monotonic()
            while len(visitors.visits) < count and now >= start + len(visitors.visits) / rate:
                visitors.visits.append(_arrive(selector, target))
            for key, _ in selector.select(_pause(start, visitors, count, rate)):
                _step(selector, key.data)
            _give_up(selector, patience_s)
    return visitors


def _pause(start: float, visitors: Visitors, count: int, rate: float) -> float:
    """Until the next visitor comes, or somebody might lose patience."""
    if len(visitors.visits) < count:
        return max(0.0, start + len(visitors.visits) / rate - time.monotonic())
    return 0.05


def _arrive(selector: selectors.BaseSelector, target: Target) -> Visit:
    client = socket.socket(family_of(target.address), socket.SOCK_STREAM)
    client.setblocking(False)  # noqa: FBT003  (the library's signature)
    client.connect_ex((target.address, target.port))
    guest = Visit(client, time.monotonic())
    selector.register(client, selectors.EVENT_WRITE, guest)
    return guest


def _step(selector: selectors.BaseSelector, guest: Visit) -> None:
    elapsed = time.monotonic() - guest.begun_s
    if guest.connected_s is None:
        if guest.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return _leave(selector, guest)
        guest.connected_s = elapsed
        selector.modify(guest.socket, selectors.EVENT_READ, guest)
        return None
    try:
        served = guest.socket.recv(1) == BANNER
    except OSError:
        served = False
    guest.served_s = elapsed if served else None
    return _leave(selector, guest)


def _give_up(selector: selectors.BaseSelector, patience_s: float) -> None:
    now = time.monotonic()
    for key in list(selector.get_map().values()):
        if now - key.data.begun_s > patience_s:
            _leave(selector, key.data)


def _leave(selector: selectors.BaseSelector, guest: Visit) -> None:
    selector.unregister(guest.socket)
    guest.socket.close()
