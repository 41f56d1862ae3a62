"""Option values that are more than a word or a number: moments, durations, bytes, one handshake of many."""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from math import inf
from typing import Any

import click

from halfopen.model.exchange import FourTuple
from halfopen.model.moment import Moment, duration_ns

_TUPLE_SEPARATOR = re.compile(r"\s*(?:->|→|>|,|\s|(?<=\d)-)\s*")


def parse_which(text: str) -> int | FourTuple:
    """``7``, the seventh handshake of the capture, or ``10.0.0.1:4242 10.0.0.2:443``, its two ends.

    The ends may be separated by a space, a comma, ``-``, ``->`` or ``→``. IPv6 is ``[2001:db8::1]:443``.

    Raises:
        ValueError: neither.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        if int(text) == 0:
            raise ValueError("handshakes are numbered from 1")
        return int(text)
    ends = [end for end in _TUPLE_SEPARATOR.split(text) if end]
    if len(ends) != 2:
        raise ValueError("neither a number nor two ends")
    return FourTuple(*_end(ends[0]), *_end(ends[1]))


def _end(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) <= 0xFFFF):
        raise ValueError(f"{text!r} has no port")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    return str(ip_address(host)), int(port)


class MomentType(click.ParamType[Any]):
    """``--since``, ``--until``."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Moment:  # noqa: ANN401
        """The moment; anything else is a usage error that shows the three forms."""
        try:
            return value if isinstance(value, Moment) else Moment.parse(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time: 2026-11-23T07:00:00Z, 1763884800.5 and +1m30s are", param, ctx)


class WhichType(click.ParamType[Any]):
    """``--ladder``."""

    name = "n|four-tuple"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | FourTuple:  # noqa: ANN401
        """The handshake meant; anything else is a usage error that shows both forms."""
        try:
            return value if isinstance(value, (int, FourTuple)) else parse_which(value)
        except ValueError:
            self.fail(
                f"{value!r} is no handshake: give its number, as 7, or its four-tuple, as 10.0.0.1:4242-10.0.0.2:443",
                param,
                ctx,
            )


class DurationType(click.ParamType[Any]):
    """``--timeout 200ms``: seconds as a float."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401
        """Seconds; a bare number is one of seconds, as ``ping`` and ``sleep`` take it."""
        try:
            if isinstance(value, float):
                return value
            seconds = float(value) if _PLAIN_NUMBER.fullmatch(value) else duration_ns(value) / 1e9
        except (ValueError, OverflowError):
            seconds = inf
        if seconds == inf:
            self.fail(f"{value!r} is no duration: 200ms, 1.5s, 5min and 1h30m are", param, ctx)
        return seconds


class SecondsType(DurationType):
    """``--defer-accept 5s``: what the kernel takes in whole seconds only."""

    def __init__(self, most: int) -> None:
        self.most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """The seconds as an integer, 1 to ``most``."""
        seconds = super().convert(value, param, ctx)
        if not (seconds.is_integer() and 1 <= seconds <= self.most):
            self.fail(f"{value!r} is not a whole number of seconds from 1 to {self.most}", param, ctx)
        return int(seconds)


class BytesType(click.ParamType[Any]):
    """``--send 'GET / HTTP/1.0\\r\\n\\r\\n'``: text with the escapes of C."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:  # noqa: ANN401
        """The bytes; ``\\r \\n \\t \\0 \\\\`` and ``\\xNN`` stand for what they stand for in C, the rest is UTF-8."""
        if isinstance(value, bytes):
            return value
        if _BAD_ESCAPE.search(value):
            self.fail(f"{value!r} holds an unknown escape: \\r \\n \\t \\0 \\\\ and \\xNN are known", param, ctx)
        return _ESCAPE.sub(_unescaped, os.fsencode(value))


_PLAIN_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_BAD_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\(?!\\|[rnt0]|x[0-9A-Fa-f]{2})")
_ESCAPE = re.compile(rb"\\(\\|[rnt0]|x[0-9A-Fa-f]{2})")
_ESCAPES = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return _ESCAPES[code] if code in _ESCAPES else bytes([int(code[1:], 16)])
