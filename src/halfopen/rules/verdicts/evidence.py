"""What speaks for a verdict: the target's listener where it is this host's, the capture, what followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import endpoint, grouped, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.rules.listening import Listening
    from halfopen.rules.verdicts.facts import Facts


def evidence(facts: Facts, *, blamed: bool = False) -> tuple[str, ...]:
    """Sentences; ``blamed``: the verdict is one on the target's listener, which no lack of drops exonerates then."""
    return (*_capture(facts), *_translation(facts), *_listener(facts, blamed), *_deferred(facts), *facts.answers)


def _deferred(facts: Facts) -> Iterator[str]:
    # Where something came, a segment without data may be the server's FIN, or the ACK of what was sent.
    silent = (one.data for one in facts.established if one.data is not None and one.data.end == "silent")
    most = max((data.syn_acks_received for data in silent), default=0)
    if most == 1:
        yield (
            "Its SYN-ACK came once more after the handshake: the server defers accept() until the client speaks "
            "(TCP_DEFER_ACCEPT), or the last ACK was lost."
        )


def _capture(facts: Facts) -> Iterator[str]:
    packets = facts.packets
    sent = sum(result.handshake.syn_sent or 0 for result in facts.failed)
    if packets is None or packets.own_syn_sent is None or not sent or facts.sent_on is not None:
        return
    if not packets.own_syn_sent:
        yield f"A capture shows none of the {plural(sent, 'SYN')} that TCP sent: what stops them stands between."
    elif packets.own_syn_ack_sent:
        yield f"A capture shows {plural(packets.own_syn_ack_sent, 'answer')} to these connects coming in."
    else:
        yield f"A capture shows their {plural(packets.own_syn_sent, 'SYN')} leave this host, and no SYN-ACK come in."


def _translation(facts: Facts) -> Iterator[str]:
    if facts.sent_on is not None:
        yield facts.sent_on.sentence


def _listener(facts: Facts, blamed: bool) -> Iterator[str]:
    """What the target's listener says, where the target is this host; without drops it is exonerated."""
    if not facts.own:
        return
    if facts.listening is None:
        place = endpoint(facts.address or facts.target.host, facts.target.port)
        if facts.sockets_unread:
            yield f"The target is {facts.where}, whose sockets could not be read: what serves {place} is not known."
        else:
            yield f"The target is {facts.where}, and none of its listeners serves {place}."
        return
    first = facts.listening.first
    yield (
        f"Its listener {facts.listening.name} holds {plural(first.accept_queue, 'connection')} (its limit: "
        f"{grouped(first.accept_queue_limit)}, and one more fits) and "
        f"{plural(facts.listening.syn_queue, 'half-open request')}."
    )
    yield from _drops(facts, blamed)
    if facts.silent and not facts.established and _answers(facts.listening):
        yield (
            "Half-open requests wait there for their last ACK: if they are these connects', the SYN arrives, and its "
            "answer is lost on the way back."
        )


def _answers(listening: Listening) -> bool:
    """Whether it sends SYN-ACKs in vain, and not for want of room."""
    return listening.syn_queue_retransmitted > 0 and listening.syn_queue < listening.syn_queue_limit


def _drops(facts: Facts, blamed: bool) -> Iterator[str]:
    drops = facts.drops
    if drops is None:
        return
    listen_drops = None if facts.there is None else facts.there.growth("ListenDrops")
    if drops.count and drops.measured and listen_drops is not None and not listen_drops.count:
        # A socket also counts repeated SYNs and the bare ACKs of TCP_DEFER_ACCEPT (fact F101).
        yield (
            f"It ignored {plural(drops.count, 'packet')} {drops.when}, and dropped no connection (ListenDrops stands "
            "still)."
        )
    elif drops.count:
        yield f"It dropped {plural(drops.count, 'packet')} {drops.when}."
    elif drops.measured:
        yield f"It dropped nothing {drops.when}{'' if blamed else ': the listener is exonerated'}."
