"""What limits the SYN queue: the listener's backlog with cookies, three quarters of tcp_max_syn_backlog without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, listener_row
from halfopen.lab.spoofing import flood, lead_answers_away
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import PORT, listen
from halfopen.lab.waiting import steady, until

if TYPE_CHECKING:
    from halfopen.lab.story import Story

COOKIES = "net.ipv4.tcp_syncookies"
MAX_SYN_BACKLOG = "net.ipv4.tcp_max_syn_backlog"
SYNS = 200


@dataclass(frozen=True, slots=True)
class Case:
    """One row: the settings, and what they make of 200 SYNs from 200 addresses that do not answer."""

    cookies: int
    max_syn_backlog: int
    backlog: int
    half_open: int
    counters: tuple[tuple[str, int], ...]
    code: str | None = None
    """What the doctor finds, if it finds something."""


#: From net/ipv4/tcp_input.c: inet_csk_reqsk_queue_is_full() lets backlog + 1 in; without cookies, a SYN is dropped once
#: max_syn_backlog - queue length < max_syn_backlog / 4.
CASES = (
    Case(
        1,
        16,
        100,
        101,
        (("TCPReqQFullDoCookies", SYNS - 101), ("SyncookiesSent", SYNS - 101), ("ListenDrops", 0)),
        "HO105",
    ),
    Case(1, 2048, 8, 9, (("TCPReqQFullDoCookies", SYNS - 9), ("SyncookiesSent", SYNS - 9), ("ListenDrops", 0))),
    Case(0, 2048, 8, 9, (("TCPReqQFullDrop", SYNS - 9), ("ListenDrops", SYNS - 9), ("ListenOverflows", 0)), "HO106"),
    Case(0, 64, 4096, 49, (("TCPReqQFullDrop", 0), ("ListenDrops", SYNS - 49), ("ListenOverflows", 0)), "HO108"),
    Case(2, 2048, 100, 0, (("TCPReqQFullDoCookies", SYNS), ("SyncookiesSent", SYNS), ("ListenDrops", 0))),
)


def run(story: Story) -> None:
    """Each case with a listener of its own."""
    net = pair(story.network)
    lead_answers_away(net)
    story.say(f"{SYNS} SYNs arrive from {SYNS} addresses that never answer a SYN-ACK. What becomes of them depends on:")
    for number, case in enumerate(CASES):
        _judge(story, net, case, PORT + number)


def _judge(story: Story, net: Pair, case: Case, port: int) -> None:
    net.server.set_sysctl(COOKIES, case.cookies)
    net.server.set_sysctl(MAX_SYN_BACKLOG, case.max_syn_backlog)
    label = f"syncookies {case.cookies}, max_syn_backlog {case.max_syn_backlog}, listen({case.backlog})"
    listener = listen(net.server, net.server_address, case.backlog, port=port)
    moment, doctor = Moment.of(net.server), Examination.begin(net.server)
    flood(net, SYNS, port=port, seed=port).wait()
    until(lambda: moment.since("InSegs") >= SYNS, "every SYN to arrive")
    half_open = steady(lambda: listener_row(net.server, port)["syn_queue"], "the SYN queue", 0.1)
    story.expect(f"{label}: half-open", case.half_open, half_open)
    for name, expected in case.counters:
        story.expect(f"{label}: {name}", expected, moment.since(name))
    if case.code is not None:
        doctor.expect(story, case.code, found=True)
    listener.close()


EXPERIMENT = Experiment(
    name="syn-queue-limits",
    title="What limits the SYN queue, and which counter tells",
    claim="With SYN cookies on, the SYN queue holds the listener's backlog and one more, and tcp_max_syn_backlog is "
    "not consulted; without them three quarters of it are a second limit, whose drops only ListenDrops counts.",
    run=run,
    proves=("HO105", "HO106", "HO108", "HO202", "HO207"),
)
