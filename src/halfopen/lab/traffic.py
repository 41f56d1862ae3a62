"""Small servers and clients whose every step the experiment decides."""

from __future__ import annotations

import errno
import selectors
import socket
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.lab.sequence import choose_first

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from halfopen.lab.namespace import Namespace

#: Port of the experiments' servers.
PORT = 8000

#: Whoever accepts a connection that never comes is told so, and not kept for ever.
ACCEPT_MAX_S = 30.0

Option = tuple[int, int, int | bytes]
#: Of a socket that says RST when it is closed, and leaves no TIME_WAIT.
BY_RST: Option = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))


def family_of(address: str) -> socket.AddressFamily:
    """AF_INET6 for an address with a colon."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listen(
    host: Namespace, address: str, backlog: int, *, port: int = PORT, options: Sequence[Option] = ()
) -> socket.socket:
    """A listener that nobody accepts from until the experiment does; TimeoutError after ``ACCEPT_MAX_S``."""

    def make() -> socket.socket:
        listener = socket.socket(family_of(address), socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option in options:
            listener.setsockopt(*option)
        listener.bind((address, port))
        listener.listen(backlog)
        listener.settimeout(ACCEPT_MAX_S)
        return listener

    return host.run(make)


@dataclass(slots=True)
class Attempt:
    """One connect()."""

    socket: socket.socket
    error: str | None = None
    """Name of the error; null while it is under way and when it succeeded."""
    seconds: float | None = None
    """How long it took; null while it is under way."""

    @property
    def connected(self) -> bool:
        """Whether connect() succeeded, as its caller sees it."""
        return self.seconds is not None and self.error is None

    @property
    def told(self) -> str:
        """What its caller knows: ``connected``, the name of the error, or ``no answer`` as yet."""
        return self.error or ("no answer" if self.seconds is None else "connected")

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to connect to, and how."""

    address: str
    port: int = PORT
    options: tuple[Option, ...] = ()
    """Socket options, set before connect()."""
    bind: tuple[str, int] | None = None
    """Local address and port, bound before connect()."""
    first: int | None = None
    """The ISN; the kernel's choice where there is none."""


def connect(
    host: Namespace,
    target: Target | str,
    count: int = 1,
    *,
    timeout_s: float = 2.0,
    until: Callable[[list[Attempt]], bool] | None = None,
) -> list[Attempt]:
    """Begin ``count`` connects at once, and wait until all have ended, ``until`` is true, or time is up."""
    wanted = Target(target) if isinstance(target, str) else target
    return host.run(_connect, wanted, count, timeout_s, until)


def _connect(
    target: Target, count: int, timeout_s: float, until: Callable[[list[Attempt]], bool] | None
) -> list[Attempt]:
    with selectors.DefaultSelector() as selector:
        begin = time.monotonic()
        attempts = [_begin(target) for _ in range(count)]
        for attempt in attempts:
            if attempt.seconds is None:
                selector.register(attempt.socket, selectors.EVENT_WRITE, attempt)
        while selector.get_map() and not (until and until(attempts)):
            left = begin + timeout_s - time.monotonic()
            if left <= 0:
                break
            for key, _ in selector.select(left):
                _finish(key.data, time.monotonic() - begin)
                selector.unregister(key.fileobj)
    return attempts


def _begin(target: Target) -> Attempt:
    client = socket.socket(family_of(target.address), socket.SOCK_STREAM)
    client.setblocking(False)  # noqa: FBT003  (the library's signature)
    attempt = Attempt(client)
    begin = time.monotonic()
    try:
        if target.first is not None:
            choose_first(client, target.first)
        for option in target.options:
            client.setsockopt(*option)
        if target.bind is not None:
            client.bind(target.bind)
        client.connect((target.address, target.port))
    except BlockingIOError:
        return attempt
    except OSError as error:
        attempt.error = error_name(error.errno)
    attempt.seconds = time.monotonic() - begin
    return attempt


def _finish(attempt: Attempt, seconds: float) -> None:
    number = attempt.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    attempt.error = error_name(number) if number else None
    attempt.seconds = seconds


def error_name(number: int | None) -> str:
    """``ECONNREFUSED``, as the kernel spells it: not ENOTSUP, which is the same number here."""
    return "EOPNOTSUPP" if number == errno.EOPNOTSUPP else errno.errorcode.get(number or 0, str(number))


def close_all(attempts: Sequence[Attempt]) -> None:
    """Close what the client holds."""
    for attempt in attempts:
        attempt.close()
