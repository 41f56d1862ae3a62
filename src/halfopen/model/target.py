"""Whom to connect to, as a person writes it: ``host``, ``host:port``, ``[v6]:port``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from typing import Self

from halfopen.errors import UsageError
from halfopen.model.quantity import endpoint

#: The port of a target without one: HTTPS, as most of what is asked about.
DEFAULT_PORT = 443

_PORT_MAX = 0xFFFF
#: The longest name in DNS, RFC 1035 section 2.3.4; an IPv6 literal with a scope is shorter.
_HOST_MAX = 255
_BRACKETS = re.compile(r"\[(?P<host>[^\[\]]*:[^\[\]]*)\](?::(?P<port>.*))?")
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>[^/?#]*)")
_SCHEME_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """A host and a port, not resolved."""

    host: str
    """A name or an address, without brackets; a link-local address with its ``%interface``."""
    port: int
    """1 to 65535."""

    def __str__(self) -> str:
        """``example.com:443``, ``[2001:db8::1]:443``."""
        return endpoint(self.host, self.port)

    @classmethod
    def parse(cls, text: str, default_port: int = DEFAULT_PORT) -> Self:
        """``host``, ``host:port``, ``[v6]:port``, ``v6``.

        Raises:
            UsageError: none of these.
        """
        if found := _URL.match(text):
            raise UsageError(f"{text!r} is a URL, not a target", hint=f"write {_of_url(found)}")
        host, port = _split(text)
        return cls(_host(host, text), default_port if port is None else _port(port, text))


def second_reading(text: str) -> str | None:
    """What else somebody may have meant who wrote ``::1:80``: an address as it stands, and perhaps one with a port.

    None where there is nothing else to be meant: brackets leave no doubt.
    """
    host, _, port = text.rpartition(":")
    if _is_ipv6(text) and _is_ipv6(host) and port.isdecimal() and 1 <= int(port) <= _PORT_MAX:
        return f"{text} is read as an IPv6 address: port {port} of {host} is written {endpoint(host, int(port))}"
    return None


def _of_url(found: re.Match[str]) -> str:
    place = found["rest"].rpartition("@")[2]
    port = _SCHEME_PORTS.get(found["scheme"].lower())
    return place if _split(place)[1] is not None or port is None else f"{place}:{port}"


def _split(text: str) -> tuple[str, str | None]:
    """The host and the port as written; brackets stay where they do not enclose the host."""
    if found := _BRACKETS.fullmatch(text):
        return found["host"], found["port"]
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, None


def _host(host: str, text: str) -> str:
    if not host or len(host) > _HOST_MAX or any(char.isspace() or not char.isprintable() for char in host):
        raise UsageError(f"{text!r} is no target", why="it names no host")
    if "[" in host or "]" in host or (":" in host and not _is_ipv6(host)):
        raise UsageError(f"{text!r} is no target", why="host:port, [2001:db8::1]:443 and 192.0.2.1 are")
    return host


def _port(port: str, text: str) -> int:
    if port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= _PORT_MAX:
        return int(port)
    raise UsageError(f"{text!r} is no target", why=f"{port!r} is no port: 1 to {_PORT_MAX} are")


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True
