"""Names to addresses, timed, and without being stuck: a resolver that hangs can be given up or interrupted."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Literal

from halfopen.errors import ResolveError

if TYPE_CHECKING:
    from halfopen.model.target import Target

Family = Literal["any", "ipv4", "ipv6"]
_FAMILIES = {"any": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
_WRONG_FAMILY = {"ipv4": "it has no IPv4 address", "ipv6": "it has no IPv6 address"}
_MISSING = frozenset({socket.EAI_ADDRFAMILY, socket.EAI_NODATA, socket.EAI_NONAME})

#: How long a name may take: the C library's own limit for one server that never answers (resolv.conf(5): 5 s, 2 tries).
RESOLVE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Destination:
    """One address of a target."""

    address: str
    """IPv4 or IPv6, without a scope."""
    port: int
    """1 to 65535."""
    scope_id: int = 0
    """The interface's index of a link-local IPv6 address, 0 otherwise."""

    @property
    def is_ipv6(self) -> bool:
        """Whether it is an IPv6 address."""
        return ":" in self.address


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a target's name stands for."""

    target: Target
    """The target."""
    destinations: tuple[Destination, ...]
    """Its addresses in the order of RFC 6724, as the C library gives them; at least one."""
    resolve_us: float | None
    """Time that the resolution took, microseconds; None for an address, which needs none."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses alone."""
        return tuple(destination.address for destination in self.destinations)


def resolve(target: Target, family: Family = "any", timeout_s: float = RESOLVE_TIMEOUT_S) -> Resolution:
    """Ask the system's resolver (``getaddrinfo``: hosts file, DNS, whatever nsswitch.conf names).

    Args:
        target: whom to find.
        family: only addresses of this one.
        timeout_s: when to give up, seconds.

    Raises:
        ResolveError: there is no such name, no address of the family, or no answer in time.
    """
    if numeric := _numeric(target, family):
        return Resolution(target, numeric, None)
    begin = time.perf_counter_ns()
    destinations = _ask(target, family, timeout_s)
    return Resolution(target, destinations, (time.perf_counter_ns() - begin) / 1000)


def _numeric(target: Target, family: Family) -> tuple[Destination, ...]:
    """The target's own address; nothing where it is a name."""
    try:
        (found,) = _lookup(target, "any", socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return ()
    if family != "any" and found.is_ipv6 != (family == "ipv6"):
        raise ResolveError("cannot resolve", target.host, _WRONG_FAMILY[family])
    return (found,)


def _ask(target: Target, family: Family, timeout_s: float) -> tuple[Destination, ...]:
    """The C library cannot be interrupted while it waits, a thread of ours can be left behind."""
    answers: SimpleQueue[tuple[Destination, ...] | OSError | UnicodeError] = SimpleQueue()

    def work() -> None:
        try:
            answers.put(_lookup(target, family))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    Thread(target=work, daemon=True, name=f"resolve {target.host}").start()
    try:
        answer = answers.get(timeout=timeout_s)
    except Empty:
        raise ResolveError("cannot resolve", target.host, f"no answer within {timeout_s:g} s") from None
    if isinstance(answer, UnicodeError):
        raise ResolveError("cannot resolve", target.host, "it is no host name")
    if isinstance(answer, OSError):
        raise _refused(target, family, answer)
    return answer


def _lookup(target: Target, family: Family, flags: int = 0) -> tuple[Destination, ...]:
    found = socket.getaddrinfo(
        target.host, target.port, _FAMILIES[family], socket.SOCK_STREAM, socket.IPPROTO_TCP, flags
    )
    rows = [(address[0], address[3] if len(address) == 4 else 0) for *_, address in found]
    # An IPv6 address with a scope is printed with it; the scope travels as a number.
    return tuple(
        dict.fromkeys(Destination(str(host).partition("%")[0], target.port, int(scope)) for host, scope in rows)
    )


def _refused(target: Target, family: Family, error: OSError) -> ResolveError:
    """A name without an address of the family looks to the C library like no name at all."""
    if family != "any" and error.errno in _MISSING:
        return ResolveError("cannot resolve", target.host, _WRONG_FAMILY[family])
    _, _, scope = target.host.partition("%")
    if scope and scope not in {name for _, name in socket.if_nameindex()}:
        return ResolveError("cannot resolve", target.host, f"there is no interface {scope}")
    return ResolveError("cannot resolve", target.host, error.strerror or str(error))
