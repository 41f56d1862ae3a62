"""The sentences of verdicts: what would falsify each, what to do next, and what the target's own listener says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import grouped, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.verdict import VerdictKind
    from halfopen.rules.growth import Growth
    from halfopen.rules.listening import Listening

MEASURE = "See what users see, over a longer time: `halfopen probe {target} -c 60`."
WHERE_LOST = (
    "At the server: `halfopen doctor --for 10s`, and a capture. A SYN that arrives while its ListenDrops stands "
    "still is lost in "
    "its packet filter, its connection tracking or its reverse path filter; ListenDrops that moves means a queue, or "
    "no route back."
)
CAPTURE = (
    "Capture here and at the target at the same time: `halfopen trace HERE --against THERE` says where it was lost."
)
OWN_LOST = (
    "It is {place}: where its listener dropped nothing, a rule at the input of the packet filter did (`nft list "
    "ruleset`)."
)

NEIGHBOUR_ANSWERS = "`ip neigh show` with that address, or its gateway, in state REACHABLE while a connect fails."

FALSIFIED: dict[VerdictKind, str] = {
    "healthy": "A connect that fails or needs a second SYN in a longer run, or from where the users are.",
    "slow_syn": (
        "A capture at the server that shows the first SYN answered at once: then the answer was lost on its way back."
    ),
    "accept_starvation": (
        "`ss -ltn` at the server with an empty queue, or an answer of the application to the next request."
    ),
    "refused": (
        "A listener on that address and port (`ss -ltn` at the server), and a RST that comes from another machine."
    ),
    "unreachable": (
        "The same connect from another host in the network of the target that works: then the way is at fault."
    ),
    "silent_drop": (
        "A capture at this host that shows an answer coming in: then it is dropped here, and not on the way."
    ),
    "not_sent": "A SYN to the target in a capture at this host.",
    "not_resolved": "`getent ahosts NAME` that prints an address.",
    "mixed": "A longer run in which all connects end alike.",
}

STEPS: dict[VerdictKind, tuple[str, ...]] = {
    "healthy": (),
    "slow_syn": ("Look for a full accept queue at the server first: it drops SYNs in silence.",),
    "accept_starvation": ("Look at the application: it holds the port and does not call accept().",),
    "refused": ("Start the service, or have it listen on that address.",),
    "unreachable": ("Ask whoever sent the ICMP message: the attempts name it.",),
    "silent_drop": (),
    "not_sent": ("Repair what this host lacks.",),
    "not_resolved": ("Look at /etc/resolv.conf, /etc/hosts and the name.",),
    "mixed": ("Something overflows now and then, or one of several addresses is down.",),
}


def local_evidence(
    listening: Listening | None, drops: Growth | None, place: str | None = None, *, own: bool
) -> Iterator[str]:
    """What the target's listener says, where the target is this host; without drops it is exonerated."""
    if not own:
        return
    if listening is None:
        where = "this host" if place is None else f"network namespace {place} of this host"
        yield f"The target is {where}, and no listener of its serves that address and port."
        return
    first = listening.first
    yield (
        f"Its listener {listening.name} holds {plural(first.accept_queue, 'connection')} (its limit: "
        f"{grouped(first.accept_queue_limit)}, and one more fits) and "
        f"{plural(listening.syn_queue, 'half-open request')}."
    )
    if drops is None:
        return
    if drops.count:
        yield f"It dropped {plural(drops.count, 'packet')} {drops.when}."
    elif drops.measured:
        yield f"It dropped nothing {drops.when}: the listener is exonerated."
