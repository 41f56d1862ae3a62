"""What a load was asked to do, and what of it cannot be meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from halfopen.errors import UsageError

if TYPE_CHECKING:
    from halfopen.active.resolve import Family
    from halfopen.model.load import Close
    from halfopen.model.target import Target

#: Connections at a time in a closed loop, and in all.
CONNECTIONS, TOTAL = 10, 1000
#: Connections at a time in an open loop: ten seconds' worth of patience at a thousand a second.
IN_FLIGHT = 10_000
TIMEOUT_S = 10.0
#: A load stops by itself within a day; a connection that takes an hour is a hang.
DURATION_MAX_S, TIMEOUT_MAX_S = 86_400.0, 3600.0
#: Of a target without one; an HTTP request goes out in the clear, and the port of HTTPS has no answer to it.
HTTP_PORT = 80

Expect = int | Literal["eof"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """The options, under their names; None is «not given»."""

    target: Target
    family: Family = "any"
    connections: int | None = None
    """At the same time at most."""
    total: int | None = None
    rate: int | None = None
    """Connections a second: an open loop."""
    duration_s: float | None = None
    http: str | None = None
    """Path of a GET request."""
    reuse: int | None = None
    """Requests on each connection."""
    send: bytes | None = None
    expect: Expect | None = None
    """Bytes of the whole answer, or ``eof``: until the server closes. Otherwise its first bytes will do."""
    close: Close | None = None
    sources: tuple[str, ...] = ()
    threads: int = 1
    timeout_s: float = TIMEOUT_S
    anywhere: bool = False
    """The caller may load addresses that are not private."""

    def close_mode(self) -> Close:
        """As asked; else by RST, which leaves no TIME_WAIT on either side, so that neither runs out of anything."""
        return self.close or "rst"


def check(options: LoadOptions) -> None:
    """Refuse what cannot be meant.

    Raises:
        UsageError: two wishes exclude each other, or one needs another.
    """
    if options.rate is not None and options.duration_s is None and options.total is None:
        raise UsageError("--rate goes on for ever", hint="say how long with --for 10s, or how many with -n")
    if options.rate is not None and options.duration_s is not None and options.total is not None:
        raise UsageError("with --rate, --for and -n say the same thing: give one of them")
    if options.duration_s is not None and not 0 < options.duration_s <= DURATION_MAX_S:
        raise UsageError(f"--for {options.duration_s:g} s is out of range", why="more than nothing, and a day at most")
    if not 0 < options.timeout_s <= TIMEOUT_MAX_S:
        raise UsageError(f"--timeout {options.timeout_s:g} s is out of range", why="more than nothing, an hour at most")
    if options.http is not None and options.send is not None:
        raise UsageError("--http and --send are two different requests: give one of them")
    if options.http is not None:
        _check_path(options.http)
    if options.reuse is not None and options.http is None:
        raise UsageError("--reuse sends several requests on a connection: it needs --http")
    if options.expect is not None and options.send is None:
        raise UsageError("--expect is the answer to --send: give that too", hint="--send '' sends nothing and waits")


def _check_path(path: str) -> None:
    if not path.startswith("/"):
        raise UsageError(f"--http {path!r} is no path", why="it begins with /", hint=f"write --http /{path}")
    if any(char.isspace() or not char.isprintable() or not char.isascii() for char in path):
        raise UsageError(f"--http {path!r} is no path", why="blanks and what is not ASCII are written as %20 and so on")
