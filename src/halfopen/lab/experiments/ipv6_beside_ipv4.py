"""The same handshake over IPv6: what is counted together, what apart, and which capture filter does not see it."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from halfopen.errors import NotAvailableError
from halfopen.knowledge.mib_text import parse_sockstat
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, listener_row
from halfopen.lab.programs import run_program
from halfopen.lab.recording import Recording
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import Target, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from halfopen.lab.namespace import Namespace
    from halfopen.lab.story import Story

BACKLOG = 4
FIT = BACKLOG + 1
#: As many of each family; the queue is full with the first of them.
CLIENTS = 8
SYN_FILTER = "tcp[tcpflags] & tcp-syn != 0"
BOTH_FILTER = "tcp port 8000"


def run(story: Story) -> None:
    """A listener on ``[::]`` for clients of both families: sizes, queues, counters, and tcpdump's filters."""
    net = pair(story.network)
    here, there = net.link.ends[0].v6, net.server_address6
    for host, own, peer in ((net.client, here, there), (net.server, there, here)):
        until(lambda: host.run(_is_ready, own, peer), "IPv6 to be ready")  # noqa: B023  (called within the turn)
    story.say("A server listens on [::], as most do. One client comes over IPv4, and one over IPv6:")
    with listen(net.server, "::", BACKLOG):
        packets = Recording(net.client)
        both = [connect(net.client, address)[0] for address in (net.server_address, net.server_address6)]
        story.expect("clients that are connected", 2, sum(attempt.connected for attempt in both))
        four, six = packets.handshakes()
        for row, name, size in ((four, "IPv4", 1460), (six, "IPv6", 1440)):
            assert row.client_options is not None
            story.expect(f"{name}: outcome, SYNs, by trace", "established, 1", f"{row.outcome}, {row.syn_sent}")
            story.expect("  MSS that the client offers: MTU less both headers", size, row.client_options.mss)
        story.expect("connections in the one accept queue", 2, listener_row(net.server)["accept_queue"])
        used = net.server.run(_in_use)
        story.expect("sockets in use by /proc/net/sockstat, TCP", 0, used["TCP"])
        story.expect("  and by sockstat6, TCP6: the listener and both connections", 3, used["TCP6"])
        story.pitfall()
        close_all(both)
        _overflow(story, net)
    _filters(story, net.client, packets)


def _overflow(story: Story, net: Pair) -> None:
    story.say(f"Of {CLIENTS} more of each family, those that find the queue of {FIT} full are dropped:")
    moment, kept, dropped = Moment.of(net.server), [], 0
    for address in (net.server_address, net.server_address6):
        attempts = connect(net.client, Target(address), CLIENTS, timeout_s=0.5)
        lost = [attempt for attempt in attempts if not attempt.connected]
        close_all(lost)  # before their SYNs are sent again
        dropped += len(lost)
        kept += [attempt for attempt in attempts if attempt.connected]
    story.expect("clients that got in: the queue holds two already", FIT - 2, len(kept))
    until(lambda: moment.since("ListenOverflows") >= dropped, "every SYN to be counted")
    story.expect("  ListenOverflows, one counter for both", dropped, moment.since("ListenOverflows"))
    close_all(kept)


def _is_ready(own: str, peer: str) -> bool:
    """Whether the calling thread's namespace would send to ``peer``, and hears who asks for its link address."""
    return _has_way(peer) and _asked_for(own) in Path("/proc/thread-self/net/igmp6").read_text(encoding="ascii")


def _asked_for(address: str) -> str:
    """The group that neighbours ask (RFC 4291, section 2.7.1), as ``igmp6`` spells it.

    A work queue of the kernel joins it some time after the address was added, more than a second on a busy machine.
    """
    return f"ff0200000000000000000001ff{socket.inet_pton(socket.AF_INET6, address)[-3:].hex()}"


def _has_way(address: str) -> bool:
    """Whether the calling thread's namespace would send there: IPv6 takes a link up later than IPv4 does."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect((address, 9))
        except OSError:
            return False
    return True


def _in_use() -> dict[str, int]:
    """{``TCP``: sockets}: the two files of the calling thread's namespace."""
    text = "".join(
        Path(f"/proc/thread-self/net/{name}").read_text(encoding="ascii") for name in ("sockstat", "sockstat6")
    )
    return {name: numbers["inuse"] for name, numbers in parse_sockstat(text).items() if name.startswith("TCP")}


def _filters(story: Story, client: Namespace, packets: Recording) -> None:
    """What tcpdump finds of the two handshakes; the packets are read from where they are kept."""
    story.say(f"The packets of the first two, read by tcpdump with the filter of most guides, «{SYN_FILTER}»:")
    try:
        story.expect("packets of both handshakes that it shows, of 6", 2, _matched(client, packets, SYN_FILTER))
        story.remedy(f"Capture all packets of the port, «{BOTH_FILTER}», and let `halfopen trace` find the handshakes.")
        story.expect("packets that it shows", 6, _matched(client, packets, BOTH_FILTER))
    except NotAvailableError as error:
        story.say(f"tcpdump: not available here: {error}")


def _matched(client: Namespace, packets: Recording, expression: str) -> int:
    # It looks at its own descriptors under /proc/self, and would leave this user behind.
    file = packets.path.replace("self", str(os.getpid()))
    shown = run_program(client, "tcpdump", "-Z", "root", "-nr", file, expression)
    return len(shown.splitlines())


EXPERIMENT = Experiment(
    name="ipv6-beside-ipv4",
    title="The same handshake over IPv6, and what does not see it",
    claim="IPv6 has the same handshake, queues and counters; its connections are in sockstat6 only, where those over "
    "IPv4 to a listener on [::] are, too; and a capture filter on the SYN flag shows none of it.",
    run=run,
)
