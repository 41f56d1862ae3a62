"""Whom a load is aimed at and from where: one address of the target, and sources that are this host's own."""

from __future__ import annotations

import errno
import socket
from contextlib import closing
from ipaddress import ip_address
from typing import TYPE_CHECKING

from halfopen.active.resolve import resolve
from halfopen.active.safety import is_harmless
from halfopen.errors import UsageError
from halfopen.model.quantity import endpoint, listed

if TYPE_CHECKING:
    from halfopen.active.load_options import LoadOptions
    from halfopen.active.resolve import Destination

#: How long one address of several may take to show that it answers.
_TRIAL_S = 1.0

_UNUSABLE = {
    errno.EADDRNOTAVAIL: "it is no address of this host",
    errno.EINVAL: "it is link-local, and the target is not",
}


def aim(options: LoadOptions) -> Destination:
    """The address to load; nothing was sent to any that is not harmless.

    Of several addresses the first that accepts a connection, as a browser would choose; where none does, the first.

    Raises:
        ResolveError: the name stands for no address.
        UsageError: an address is neither loopback nor private and the caller did not say that this is meant, or a
            source does not fit.
    """
    found = resolve(options.target, options.family).destinations
    if not options.anywhere:
        _refuse_strangers(options, found)
    found = _of_family(found, options.sources)
    for source in options.sources:
        _check_source(source, found[0].scope_id)
    if len(found) == 1:
        return found[0]
    return next((destination for destination in found if _answers(destination)), found[0])


def literal(destination: Destination) -> str:
    """``192.0.2.1:80``, ``[fe80::1%2]:80``: what the core reads."""
    scope = f"%{destination.scope_id}" if destination.scope_id else ""
    return endpoint(destination.address + scope, destination.port)


def _refuse_strangers(options: LoadOptions, found: tuple[Destination, ...]) -> None:
    strangers = [each.address for each in found if not is_harmless(each.address)]
    if not strangers:
        return
    where = "" if options.target.host == strangers[0] else f" ({options.target.host})"
    raise UsageError(
        f"will not load {listed(strangers)}{where}",
        why="neither loopback nor private, and a load is an attack on whoever did not agree to it",
        hint="nothing was sent; --yes-i-may says that its owner agreed",
    )


def _of_family(found: tuple[Destination, ...], sources: tuple[str, ...]) -> tuple[Destination, ...]:
    wanted = {":" in source for source in sources}
    fitting = tuple(each for each in found if wanted <= {each.is_ipv6})
    if not fitting:
        addresses = listed([each.address for each in found])
        raise UsageError("--source and the target are of two families", why=f"{listed(list(sources))} to {addresses}")
    return fitting


def _check_source(source: str, scope_id: int) -> None:
    ipv6 = ":" in source
    # A link-local address means something on one link only, which is that of the target.
    scope = scope_id if ip_address(source).is_link_local else 0
    with closing(socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_STREAM)) as probe:
        try:
            probe.bind((source, 0, 0, scope) if ipv6 else (source, 0))
        except OSError as error:
            why = _UNUSABLE.get(error.errno or 0, error.strerror)
            raise UsageError(f"--source {source} cannot be used", why=why or str(error)) from None


def _answers(destination: Destination) -> bool:
    try:
        scope = f"%{destination.scope_id}" if destination.scope_id else ""
        address = (destination.address + scope, destination.port)
        with closing(socket.create_connection(address, timeout=_TRIAL_S)):
            return True
    except OSError:
        return False
