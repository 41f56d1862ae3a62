"""A listened-on address and port as rules see it: SO_REUSEPORT members together, and who serves it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from halfopen.model.quantity import endpoint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halfopen.model.owner import Owner
    from halfopen.model.sockets import AcceptQueue, Listener


@dataclass(frozen=True, slots=True)
class Listening:
    """One address, port and interface; ``members`` is one socket, or an SO_REUSEPORT group."""

    members: tuple[tuple[Listener, Listener | None], ...]
    """Each socket now, and before when there are two snapshots and it existed then."""
    gone: int = 0
    """Sockets of the group that closed between the snapshots."""

    @property
    def first(self) -> Listener:
        """The member that stands for what they share."""
        return self.members[0][0]

    @property
    def port(self) -> int:
        """The local port."""
        return self.first.port

    @property
    def name(self) -> str:
        """``0.0.0.0:443 (nginx)``."""
        return listener_name(self.first)

    @property
    def syn_queue(self) -> int:
        """Half-open requests to it: the kernel does not say to which member (fact F102)."""
        return max(listener.syn_queue for listener, _ in self.members)

    @property
    def syn_queue_retransmitted(self) -> int:
        """How many of them have had their SYN-ACK sent again."""
        return max(listener.syn_queue_retransmitted for listener, _ in self.members)

    @property
    def syn_queue_limit(self) -> int:
        """Half-open requests that all members take before cookies or drops begin: one more than the backlog each."""
        return sum(listener.accept_queue_limit + 1 for listener, _ in self.members)

    @property
    def queued(self) -> AcceptQueue | None:
        """What waits for accept() in all of them."""
        return next((listener.queued for listener, _ in self.members if listener.queued is not None), None)

    @property
    def owner(self) -> Owner | None:
        """A process that serves it."""
        return next((listener.owner for listener, _ in self.members if listener.owner is not None), None)

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.first.address)

    def identity(self) -> dict[str, Any]:
        """The fields of a ``Subject``."""
        return listener_identity(self.first)


def listener_name(listener: Listener) -> str:
    """``0.0.0.0:443 (nginx)``."""
    where = endpoint(listener.address, listener.port)
    return f"{where} ({listener.owner.comm})" if listener.owner else where


def listener_identity(listener: Listener) -> dict[str, Any]:
    """The fields of a ``Subject`` that name a listener and its owner."""
    owner = listener.owner
    who = {"process": owner.comm, "pid": owner.pid, "unit": owner.unit, "container": owner.container} if owner else {}
    return {"address": listener.address, "port": listener.port, **who}


def is_loopback(address: str) -> bool:
    """127.0.0.0/8, ::1, and either written as the other."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback


def group_listeners(now: Iterable[Listener], before: Iterable[Listener]) -> tuple[Listening, ...]:
    """Listeners grouped by address, port and interface, each beside itself in the earlier snapshot."""
    earlier = {_socket(listener): listener for listener in before}
    present: dict[tuple[object, ...], list[tuple[Listener, Listener | None]]] = {}
    kept: set[tuple[object, ...]] = set()
    for listener in now:
        kept.add(_socket(listener))
        present.setdefault(_place(listener), []).append((listener, earlier.get(_socket(listener))))
    gone: dict[tuple[object, ...], int] = {}
    for socket, listener in earlier.items():
        if socket not in kept:
            gone[_place(listener)] = gone.get(_place(listener), 0) + 1
    return tuple(Listening(tuple(members), gone.get(place, 0)) for place, members in present.items())


def _place(listener: Listener) -> tuple[object, ...]:
    return listener.address, listener.port, listener.interface, listener.family


def _socket(listener: Listener) -> tuple[object, ...]:
    return (listener.cookie,) if listener.cookie else (*_place(listener), listener.inode)
