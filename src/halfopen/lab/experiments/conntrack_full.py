"""A full table of tracked connections drops new ones in silence, unless what fills it can be evicted."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

from halfopen.collect.per_cpu import parse_summed
from halfopen.lab import tracked
from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment
from halfopen.lab.programs import nft
from halfopen.lab.recording import Recording
from halfopen.lab.story import AtLeast
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import Target, close_all, connect, listen

if TYPE_CHECKING:
    from halfopen.lab.story import Story

CLIENTS = 10
#: Two SYNs within this time.
ONCE_MORE = (socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
WAIT_S = 1.5
NEARLY = 0.8

#: One rule that asks for the state of a connection makes the namespace track all of them.
TRACKING = """table inet t {
    chain input { type filter hook input priority filter
        ct state established accept
    }
}"""
NOTRACK = """table inet raw {
    chain in { type filter hook prerouting priority raw
        tcp dport 8000 notrack
    }
    chain out { type filter hook output priority raw
        tcp sport 8000 notrack
    }
}"""


def run(story: Story) -> None:
    """Fill the table with entries that can be evicted, and with such as cannot; then do not track what is busy."""
    net = pair(story.network)
    nft(net.server, TRACKING)
    with listen(net.server, net.server_address, 8 * CLIENTS):
        story.say(
            f"The server's packet filter tracks connections; its table holds {net.server.sysctl(tracked.MAX)} "
            f"({tracked.MAX}). A SYN flood has filled it with entries of half-open connections."
        )
        tracked.fill(net.server, assured=False)
        before = _counts(net)
        _judge(story, net, CLIENTS)
        story.expect(
            "entries that were evicted for them (early_drop)", AtLeast(CLIENTS), _since(net, before, "early_drop")
        )
        tracked.empty(net.server)
        _full(story, net)

        story.remedy(
            f"Raise {tracked.MAX} on the host (it is one for all namespaces, so not here), or do not track the busy "
            "port: notrack. Then find out what fills the table."
        )
        nft(net.server, NOTRACK)
        _judge(story, net, CLIENTS)
        story.expect("  of a table that is as full as before: entries", int(net.server.sysctl(tracked.MAX)), _used(net))
        tracked.empty(net.server)
        for code in EXPERIMENT.proves:
            Examination.begin(net.server).expect(story, code, found=False)


def _full(story: Story, net: Pair) -> None:
    story.say("Open connections cannot be evicted. They take four fifths of the table:")
    tracked.fill(net.server, assured=True, share=NEARLY)
    Examination.begin(net.server).expect(story, "HO601", found=True)
    _judge(story, net, CLIENTS)
    story.say("And all of it:")
    # The clients' own entries would run out, and make room again.
    tracked.empty(net.server)
    tracked.fill(net.server, assured=True)
    doctor, before = Examination.begin(net.server), _counts(net)
    moment, packets = Moment.of(net.server), Recording(net.server)
    _judge(story, net, 0)
    story.expect("handshakes that arrived, by trace", f"{CLIENTS} unanswered", packets.outcomes())
    story.expect("packets that the server dropped (drop)", AtLeast(CLIENTS), _since(net, before, "drop"))
    counters = ("ListenDrops", "ListenOverflows", "IPReversePathFilter", "OutNoRoutes")
    moved = ", ".join(name for name in counters if moment.since(name)) or "none"
    story.expect("counters of TCP and IP that moved", "none", moved)
    doctor.expect(story, "HO604", found=True)
    story.say("The server's own connects fare no better:")
    (own,) = connect(net.server, Target(net.client_address, options=(ONCE_MORE,)), timeout_s=WAIT_S)
    story.expect("told, where a port without a listener would have refused", "no answer", own.told)
    close_all([own])


def _judge(story: Story, net: Pair, connected: int) -> None:
    """How many of some clients get in, and that the others are told nothing."""
    target = Target(net.server_address, options=(ONCE_MORE,))
    attempts = connect(net.client, target, CLIENTS, timeout_s=WAIT_S)
    story.expect(f"clients that are connected, of {CLIENTS}", connected, sum(each.connected for each in attempts))
    story.expect("  that are told anything", 0, sum(each.error is not None for each in attempts))
    close_all(attempts)


def _counts(net: Pair) -> dict[str, int]:
    """/proc/net/stat/nf_conntrack of the server."""
    return net.server.run(lambda: parse_summed(Path("/proc/thread-self/net/stat/nf_conntrack").read_text()))


def _since(net: Pair, before: dict[str, int], name: str) -> int:
    return _counts(net)[name] - before[name]


def _used(net: Pair) -> int:
    return int(net.server.sysctl("net.netfilter.nf_conntrack_count"))


EXPERIMENT = Experiment(
    name="conntrack-full",
    title="A full conntrack table: half-open entries give way, open ones do not",
    claim="A table of tracked connections that a flood of SYNs has filled gives way to new ones; one full of open "
    "connections drops every new one, in and out, without a word to the client and without a counter of TCP.",
    run=run,
    proves=("HO601", "HO604"),
    time_max_s=300.0,
)
