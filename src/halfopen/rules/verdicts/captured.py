"""What a capture of the connects says of the local causes: packets that were seen were not stopped before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.model.cause import LocalCause, Stopped
    from halfopen.rules.verdicts.facts import Facts

#: Outgoing packets are captured after the packet filter, incoming ones before it (fact F115).
_OUT: tuple[Stopped, ...] = ("syn_out",)
_BACK: tuple[Stopped, ...] = ("answer",)


def by_capture(facts: Facts) -> tuple[LocalCause, ...]:
    """The causes as the capture leaves them; as they were where there is none, or where it lost packets."""
    packets, causes = facts.packets, facts.causes
    if packets is None or packets.dropped or packets.own_syn_sent is None or facts.established or facts.sent_on:
        return causes
    if not any(result.handshake.syn_sent for result in facts.failed):
        return causes
    if not packets.own_syn_sent:
        return _accuse(causes, _OUT)
    causes = _acquit(causes, _OUT, "SYNs of these connects left this host, as the capture shows.")
    if packets.own_syn_ack_sent:
        return _accuse(causes, _BACK) if facts.silent else causes
    # What would drop the answer here had none to drop; in another namespace it may have.
    return causes


def _accuse(causes: tuple[LocalCause, ...], stopped: tuple[Stopped, ...]) -> tuple[LocalCause, ...]:
    """What may stop such packets is it, where it alone may."""
    may = [cause for cause in causes if cause.verdict == "possible" and cause.stops in stopped]
    if len(may) != 1:
        return causes
    guilty = replace(may[0], verdict="cause", sentence=may[0].if_sure or may[0].sentence)
    return tuple(guilty if cause is may[0] else cause for cause in causes)


def _acquit(causes: tuple[LocalCause, ...], stopped: tuple[Stopped, ...], why: str) -> tuple[LocalCause, ...]:
    return tuple(
        replace(cause, verdict="exonerated", sentence=why, remedy=None)
        if cause.stops in stopped and cause.verdict in {"cause", "possible"}
        else cause
        for cause in causes
    )
