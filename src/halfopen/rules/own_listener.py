"""What the target's listener says of connects that went wrong, where the target is this host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import endpoint, plural
from halfopen.rules.accepting import is_full, take_sooner
from halfopen.rules.routing import is_own
from halfopen.rules.serving import serving

if TYPE_CHECKING:
    from halfopen.model.probe import DataReport, ProbeResult
    from halfopen.rules.listening import Listening
    from halfopen.rules.space import Space

_DEFERRED = Remedy("Take TCP_DEFER_ACCEPT out of a server that speaks first, or let the client speak first.")
_NOT_THERE = Remedy("Start the service, or have it listen on that address.")


def own_listener(space: Space, result: ProbeResult) -> LocalCause | None:
    """Why a connect failed, was slow or brought no data, as far as the listener tells.

    None where the target is another host, or where the listener has nothing to do with it.

    Args:
        space: the namespace that was connected from, after the connect.
        result: the connect.
    """
    row = result.handshake
    if not is_own(space.now, row.server):
        return None
    listening = serving(space, row.server, row.server_port)
    if listening is None:
        return _nobody(space, result) if row.errno == "ECONNREFUSED" else None
    if result.established and not result.syn_retransmissions:
        return None if result.data is None else _after_the_handshake(space, listening, result.data)
    unanswered = row.errno in {None, "ETIMEDOUT"}
    return _waiting(space, listening) if unanswered and _is_full(listening) else None


def _nobody(space: Space, result: ProbeResult) -> LocalCause:
    row = result.handshake
    others = [one.name for one in space.listening if one.port == row.server_port]
    but = f"; what listens on that port is {others[0]}" if others else ""
    sentence = f"Nothing on this host listens on {endpoint(row.server, row.server_port)}{but}."
    return LocalCause("listener", "cause", sentence, remedy=_NOT_THERE, confirm=_command(space, row.server_port))


def _after_the_handshake(space: Space, listening: Listening, report: DataReport) -> LocalCause:
    options, confirm = listening.first.options, _command(space, listening.port)
    if not report.sent_bytes and options is not None and options.defer_accept_s and not _is_full(listening):
        # Once the client has closed, such a connection comes into the queue after all.
        sentence = (
            f"{listening.name} has TCP_DEFER_ACCEPT ({options.defer_accept_s} s): its program learns of a connection "
            "when data comes."
        )
        return LocalCause("listener", "cause", sentence, _evidence(listening), _DEFERRED, confirm)
    if any(listener.accept_queue for listener, _ in listening.members):
        return _waiting(space, listening)
    sentence = f"The accept queue of {listening.name} is empty: its program has taken the connection."
    return LocalCause("listener", "exonerated", sentence, _evidence(listening), confirm=confirm)


def _waiting(space: Space, listening: Listening) -> LocalCause:
    count = sum(listener.accept_queue for listener, _ in listening.members)
    full = ", and the queue is full: further SYNs and last ACKs are dropped" if _is_full(listening) else ""
    verb = "waits" if count == 1 else "wait"
    sentence = f"{plural(count, 'connection')} {verb} for the accept() of {listening.name}{full}."
    fullest = max((listener for listener, _ in listening.members), key=lambda one: one.accept_queue)
    confirm = _command(space, listening.port)
    return LocalCause("listener", "cause", sentence, _evidence(listening), take_sooner(fullest), confirm)


def _is_full(listening: Listening) -> bool:
    return any(is_full(listener) for listener, _ in listening.members)


def _command(space: Space, port: int) -> str:
    return space.command(f"ss -Hltnp 'sport = :{port}'")


def _evidence(listening: Listening) -> tuple[Evidence, ...]:
    members = [listener for listener, _ in listening.members]
    options = listening.first.options
    found = [
        Evidence("accept queue", sum(one.accept_queue for one in members), "connections", "sock_diag"),
        Evidence("its limit", sum(one.accept_queue_limit for one in members), "connections", "sock_diag"),
    ]
    if options is not None and options.defer_accept_s is not None:
        found.append(Evidence("TCP_DEFER_ACCEPT", options.defer_accept_s, "s", "getsockopt"))
    return tuple(found)
