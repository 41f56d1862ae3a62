"""The test server: ``crates/kernel/src/serve`` with its events as dicts, its queues watched, its end counted."""

from __future__ import annotations

import socket
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from halfopen import _core
from halfopen.active.counters import moved, read_counters
from halfopen.active.setup import setup_error
from halfopen.errors import UsageError
from halfopen.model.quantity import endpoint
from halfopen.model.serving import Queue, Seen, ServeOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

#: How often the accept queues are looked at when nothing is accepted, seconds.
LOOK_EVERY_S = 0.1

#: Portions of the core's full queue of events: those who are still connecting must not keep a server alive.
_LAST_PORTIONS = 16

DELAY_MAX_S = 3600.0

Event = dict[str, Any]


def check(options: ServeOptions) -> None:
    """Refuse what cannot be meant.

    Raises:
        UsageError: two wishes exclude each other.
    """
    delay_s = options.accept_delay_s
    if delay_s is not None and not 0 < delay_s <= DELAY_MAX_S:
        raise UsageError(f"--accept-delay {delay_s:g} s is out of range", why="more than nothing, and an hour at most")
    accepts = {
        "--accept-delay": options.accept_delay_s is not None,
        "--accept-rate": options.accept_rate is not None,
        "--never-accept": options.never_accept,
    }
    replies = {"--banner": options.banner is not None, "--echo": options.echo, "--http": options.http is not None}
    for wishes, what in ((accepts, "when to accept"), (replies, "what to answer")):
        given = [name for name, wanted in wishes.items() if wanted]
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} both say {what}: give one of them")
    answer = next((name for name, wanted in replies.items() if wanted), None)
    if options.never_accept and answer is not None:
        raise UsageError(f"with --never-accept nobody is answered: {answer} has no meaning")


class TestServer:
    """A running server. Used as a context manager, so that it always ends.

    Attributes:
        listening: address and port of each listener.
    """

    __test__ = False  # for pytest: the name is the thing's, not a test's

    def __init__(self, options: ServeOptions) -> None:
        """Listen.

        Raises:
            UsageError: the options exclude each other, or the address is in use or not this host's.
            PrivilegeError: a port below 1024 without the capability.
        """
        check(options)
        self._seen = Seen()
        self._queue_max = 0
        self._queues: dict[tuple[str, int, int], Queue] = {}
        self._next_look = 0.0
        self._before = read_counters()
        self._heard = options.events
        self._server = _start(options)
        self.listening = self._server.addresses

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    def events(self, over: Callable[[], bool]) -> Iterator[list[Event]]:
        """What happens, in portions: ``accepted``, ``closed``, and ``queue`` when a depth has changed.

        Without events the portions are empty.

        Args:
            over: asked some times a second whether to end; what had happened until then still comes.
        """
        last = _LAST_PORTIONS
        while last:
            ending = over()
            portion = self._server.events(0 if ending else LOOK_EVERY_S)
            last = last - 1 if ending and portion else 0 if ending else last
            for event in portion:
                self._note(event)
            # An accepted connection tells of its queue itself.
            accepted = any(event["event"] == "accepted" for event in portion)
            changed = [] if accepted else self._changed_queues()
            # Without events the queues are looked at all the same: the summary tells how deep they were.
            yield portion + changed if self._heard else portion

    def queues(self) -> list[Queue]:
        """The accept queues now, one for each listener."""
        return [Queue(**queue) for queue in self._server.queues()]

    def summary(self) -> Event:
        """Totals, and the kernel's counters that moved; what only events tell is null where there were none."""
        seen = asdict(self._seen)
        return {
            "event": "summary",
            **self._server.totals(),
            **(seen if self._heard else dict.fromkeys(seen)),
            "queue_max": self._queue_max,
            "kernel_deltas": moved(self._before, read_counters()),
        }

    def _note(self, event: Event) -> None:
        self._seen.add(event)
        if event["event"] == "accepted":
            self._queue_max = max(self._queue_max, event["queue_depth"] or 0)

    def _changed_queues(self) -> list[Event]:
        now = time.monotonic()
        if now < self._next_look:
            return []
        self._next_look = now + LOOK_EVERY_S
        changed = []
        for index, queue in enumerate(self.queues()):
            key = (queue.address, queue.port, index)
            before = self._queues.get(key)
            self._queues[key] = queue
            self._queue_max = max(self._queue_max, queue.depth)
            if queue.depth != (before.depth if before else 0):
                changed.append({"event": "queue", **asdict(queue), "at_ns": time.time_ns()})
        return changed


def _numbered(address: str) -> str:
    """``fe80::1%eth0`` as the core reads it: ``fe80::1%2``.

    Raises:
        UsageError: there is no such interface.
    """
    host, _, scope = address.partition("%")
    if not scope or scope.isdecimal():
        return address
    try:
        return f"{host}%{socket.if_nametoindex(scope)}"
    except OSError:
        raise UsageError("cannot listen at", address, "there is no such interface") from None


def _start(options: ServeOptions) -> _core.Server:
    settings = {name: value for name, value in asdict(options).items() if name not in {"addresses", "port"}}
    addresses = [endpoint(_numbered(address), options.port) for address in options.addresses]
    try:
        return _core.Server(addresses, **settings)
    except _core.SocketSetupError as error:
        raise setup_error(*error.args) from None
