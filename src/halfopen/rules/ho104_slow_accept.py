"""HO104: connections wait for accept(), though none is dropped yet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.rules.accepting import exhausted, holds_up, is_known, queue_evidence, starving, take_sooner
from halfopen.rules.listening import listener_identity, listener_name
from halfopen.rules.rule import Rule
from halfopen.rules.taking import pace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

LIMITS = "Is it out of workers or descriptors, throttled by its control group, or slow at its work?"


class SlowAccept(Rule):
    """Connections wait for accept(): the application is starving them.

    ## What it finds
    A listener whose oldest waiting connection is a second old or more, while its queue is not full.

    ## Why it matters
    To the client the connection is established, and its request gets no answer: latency that no network tool shows.
    When the queue has filled, new clients will be dropped.

    ## Evidence
    The age of connections with inode 0 behind the listener, from their last activity, and the length of the queue.

    ## Confirm by hand
    `ss -Htneo state established 'sport = :PORT' | grep ino:0`; `ss -ltn` shows `Recv-Q` above 0 again and again.

    ## Remedy
    Look at what keeps the process from it: blocked in a call (`/proc/PID/task/*/wchan`), no free worker, throttled by
    its control group (`cpu.stat`), a long garbage collection, stopped.

    ## When it is wrong
    An application that takes connections by a schedule of its own, such as one that is limited to N clients on purpose,
    or a listener whose owner reads from other sockets first.

    ## References
    Linux `net/ipv4/inet_connection_sock.c` `inet_csk_accept`; accept(2).
    """

    code = "HO104"
    name = "slow-accept"
    severity = "warning"
    harm = "slow"
    proof = "stalled-accept"
    needs = ("sockets",)
    absorbs = ("HO109",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each socket."""
        for space in context.spaces:
            for listener, before in (member for listening in space.listening for member in listening.members):
                if not listener.accept_queue or not starving(listener):
                    continue
                rate = pace(space, listener, before)
                remedy = take_sooner(listener, takes=rate is not None)
                yield self.finding(
                    space.subject("listener", listener_name(listener), **listener_identity(listener)),
                    f"Connections wait for accept(): {holds_up(listener, rate)}.",
                    (*queue_evidence(space, listener), None if rate is None else rate.evidence),
                    remedy=remedy if is_known(listener) else replace(remedy, person=(*remedy.person, LIMITS)),
                    confirm=space.command(f"ss -ltn 'sport = :{listener.port}'"),
                    severity="critical" if exhausted(listener) else None,
                    harm="failing" if exhausted(listener) else None,
                )
