"""A SYN that a packet filter, the reverse path filter or the client's own OUTPUT chain drops: the signature of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen import _core
from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, states
from halfopen.lab.programs import nft
from halfopen.lab.recording import Recording
from halfopen.lab.spoofing import flood, lead_answers_away
from halfopen.lab.topology import Pair, add_addresses, pair
from halfopen.lab.traffic import PORT, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from halfopen.lab.story import Story

#: With one retry and at once a second one: long enough for a second SYN.
WAIT_S = 1.6
#: More than the doctor takes for chance.
SYNS = 10


@dataclass(frozen=True, slots=True)
class Drop:
    """Where a SYN gets lost, and what tells."""

    name: str
    error: str | None
    """What the client is told within ``WAIT_S``."""
    arrived: bool
    """Whether the server's IP layer saw the SYN (InReceives)."""
    counter: str | None
    """The server's counters that move, if there are any."""
    seen: str = "1 unanswered"
    """What `halfopen trace` makes of the packets on the client's wire."""


def _chain(hook: str, verdict: str) -> str:
    rule = f"tcp dport 8000 tcp flags syn {verdict}"
    return f"table inet t {{\n chain c {{\n type filter hook {hook} priority 0\n {rule}\n }}\n}}\n"


def _input(net: Pair) -> None:
    nft(net.server, _chain("input", "counter drop"))


def _reject(net: Pair) -> None:
    nft(net.server, _chain("input", "reject with tcp reset"))


def _prohibit(net: Pair) -> None:
    nft(net.server, _chain("input", "reject with icmpx type admin-prohibited"))


def _limit(net: Pair) -> None:
    """The first SYN takes what there is for a minute."""
    nft(net.server, _chain("input", "limit rate over 1/minute burst 1 packets counter drop"))
    close_all(connect(net.client, net.server_address))


def _output(net: Pair) -> None:
    nft(net.client, _chain("output", "counter drop"))


def _rp_filter(net: Pair) -> None:
    """The client sends from an address that the server would not answer on this link."""
    net.client.run(add_addresses, net.link.ends[0].interface, [(STRANGER, 32)])
    for place in ("all", net.link.ends[1].interface):
        net.server.set_sysctl(f"net.ipv4.conf.{place}.rp_filter", 1)


def _no_route(net: Pair) -> None:
    net.client.run(add_addresses, net.link.ends[0].interface, [(STRANGER, 32)])


STRANGER = "203.0.113.7"
CASES: tuple[tuple[Drop, Callable[[Pair], None], str | None], ...] = (
    (Drop("the server's INPUT chain drops the SYN", None, arrived=True, counter=None), _input, None),
    (Drop("a rate limit for all SYNs is used up", None, arrived=True, counter=None), _limit, None),
    (
        Drop(
            "the server's INPUT chain rejects it with RST",
            "ECONNREFUSED",
            arrived=True,
            counter=None,
            seen="1 refused",
        ),
        _reject,
        None,
    ),
    (
        Drop(
            "the server's INPUT chain rejects it with ICMP",
            "EHOSTUNREACH",
            arrived=True,
            counter=None,
            seen="1 unreachable",
        ),
        _prohibit,
        None,
    ),
    (Drop("the client's own OUTPUT chain drops it", None, arrived=False, counter=None, seen="none"), _output, None),
    (
        Drop("strict rp_filter, and no route back", None, arrived=True, counter="IPReversePathFilter"),
        _rp_filter,
        STRANGER,
    ),
    (
        Drop("no rp_filter, and no route back", None, arrived=True, counter="ListenDrops, OutNoRoutes"),
        _no_route,
        STRANGER,
    ),
)
_DROPPED, _STRICT = 0, 5
#: Counters of packets and bytes, which tell that something arrived, and not what became of it.
TRAFFIC = frozenset(
    {"InReceives", "InDelivers", "InOctets", "InNoECTPkts", "InSegs", "OutRequests", "OutTransmits", "OutOctets"}
)


def run(story: Story) -> None:
    """Each in a network of its own; then the same without the rule."""
    story.say(
        f"A client connects to a listener that is idle, and nothing comes of it. What it is told within {WAIT_S} s, "
        "and what moves on the server:"
    )
    nets = [pair(story.network, suffix=str(number)) for number in range(len(CASES))]
    listeners = [listen(net.server, net.server_address, 8) for net in nets]
    tasks, doctors = [], []
    for net, (_, prepare, source) in zip(nets, CASES, strict=True):
        # So that the two know each other's link address: rp_filter stops ARP, too.
        close_all(connect(net.client, net.server_address))
        prepare(net)
        _settle(net)
        doctors.append(Examination.begin(net.server))
        moment, packets = Moment.of(net.server), Recording(net.client)
        tasks.append((moment, packets, net.client.start(_try, net.server_address, source)))
    for (drop, _, _), (moment, packets, task) in zip(CASES, tasks, strict=True):
        error = task.result()
        story.expect(f"{drop.name}: told", drop.error, error)
        story.expect("  handshakes on the client's wire, by trace", drop.seen, packets.outcomes())
        story.expect("  the SYN reached the server's IP layer", int(drop.arrived), int(moment.since("InReceives") > 0))
        story.expect("  counters of TCP and IP that moved on the server", drop.counter or "none", _moved(moment))
    story.say(
        "A SYN that is dropped before TCP moves no counter of TCP: ListenDrops tells queues and routes from filters."
    )

    dropped, strict = nets[_DROPPED], nets[_STRICT]
    doctors[_DROPPED].expect(story, "HO605", found=True)
    story.say(f"{SYNS} SYNs more, from other addresses to which strict rp_filter knows no way back:")
    flood(strict, SYNS).wait()
    doctors[_STRICT].expect(story, "HO602", found=True)

    story.remedy("Take the rule away, or put an accept before it; give the server a route back to its clients.")
    nft(dropped.server, "flush ruleset")
    lead_answers_away(strict)
    _mended(story, dropped, "HO605")
    doctor, moment = Examination.begin(strict.server), Moment.of(strict.server)
    flood(strict, SYNS).wait()
    story.expect(f"{SYNS} SYNs with a route back: IPReversePathFilter", 0, moment.since("IPReversePathFilter"))
    doctor.expect(story, "HO602", found=False)
    for listener in listeners:
        listener.close()


def _settle(net: Pair) -> None:
    """Wait for the end of what came before: its packets are not to count."""
    until(lambda: "FIN_WAIT1" not in states(net.client), "the last FIN to be acknowledged")


def _mended(story: Story, net: Pair, code: str) -> None:
    doctor = Examination.begin(net.server)
    (attempt,) = connect(net.client, net.server_address)
    story.expect("the client is connected", 1, int(attempt.connected))
    doctor.expect(story, code, found=False)
    close_all([attempt])


def _try(address: str, source: str | None) -> str | None:
    """What the caller of connect() is told, by ``halfopen probe``."""
    found = _core.probe(address, PORT, source=source, timeout_s=WAIT_S, syn_retries=1)
    return None if found["outcome"] == "timeout" else found["errno"]


def _moved(moment: Moment) -> str:
    """Counters of TCP and IP that moved, but those of traffic."""
    return ", ".join(sorted(moment.moved().keys() - TRAFFIC)) or "none"


EXPERIMENT = Experiment(
    name="filters",
    title="Where a SYN was dropped: packet filter, rate limit, rp_filter, no route, the client's own rules",
    claim="A SYN that a filter, a rate limit or rp_filter drops moves no counter of TCP (rp_filter has "
    "one of its own, IPReversePathFilter); without a route back ListenDrops and OutNoRoutes move; the client's own "
    "OUTPUT chain drops it as silently as a filter far away.",
    run=run,
    proves=("HO602", "HO605"),
)
