"""Addresses on a command line, one or a whole prefix of them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import click

#: Addresses of one prefix. More would not be bound by anybody by hand.
_MOST = 4096


def parse_sources(text: str) -> tuple[str, ...]:
    """``192.0.2.1``, ``192.0.2.1,192.0.2.9``, ``127.0.1.0/28`` (every host of it).

    Raises:
        ValueError: none of these, or more than 4096.
    """
    addresses: list[str] = []
    for part in text.split(","):
        addresses += _prefix(part.strip()) if "/" in part else [_address(part.strip())]
    return tuple(addresses)


def _address(text: str) -> str:
    """Without a scope: the link of a link-local address is that of the target."""
    return str(ip_address(text)).partition("%")[0]


def _prefix(text: str) -> list[str]:
    network = ip_network(text, strict=False)
    if network.num_addresses > _MOST:
        raise ValueError(f"{text} are {network.num_addresses} addresses, and {_MOST} are the most")
    return [str(address) for address in network.hosts()]


class SourcesType(click.ParamType[tuple[str, ...]]):
    """``--source`` of a load."""

    name = "addr"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:  # noqa: ANN401
        """The addresses; anything else is a usage error."""
        try:
            return value if isinstance(value, tuple) else parse_sources(str(value))
        except ValueError:
            self.fail(f"{value!r} is no address: 10.0.0.5, 10.0.0.5,10.0.0.6 and 127.0.1.0/28 are", param, ctx)


class AddressType(click.ParamType[str]):
    """``--address`` of a server."""

    name = "addr"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        """The address in its canonical form; a name is a usage error."""
        text = str(value).removeprefix("[").removesuffix("]")
        try:
            return str(ip_address(text))
        except ValueError:
            self.fail(f"{value!r} is no address: 127.0.0.1, ::1 and 0.0.0.0 are", param, ctx)
