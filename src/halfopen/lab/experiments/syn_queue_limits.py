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
    import socket

    from halfopen.lab.story import Story
    from halfopen.model.experiment import Check

COOKIES = "net.ipv4.tcp_syncookies"
MAX_SYN_BACKLOG = "net.ipv4.tcp_max_syn_backlog"
SYNS = 200
HALF_OPEN = ": half-open"
#: More than the default of any machine.
RAISED = 1_048_576


@dataclass(frozen=True, slots=True)
class Case:
    """One row: the settings, and what they make of 200 SYNs from 200 addresses that do not answer."""

    cookies: int
    max_syn_backlog: int
    backlog: int
    half_open: int
    counters: tuple[tuple[str, int], ...]
    codes: tuple[str, ...] = ()
    """What the doctor finds."""


def _cookies(count: int) -> tuple[tuple[str, int], ...]:
    return ("TCPReqQFullDoCookies", count), ("SyncookiesSent", count), ("ListenDrops", 0)


def _drops(count: int, *, full: bool) -> tuple[tuple[str, int], ...]:
    return ("TCPReqQFullDrop", count if full else 0), ("ListenDrops", count), ("ListenOverflows", 0)


#: From net/ipv4/tcp_input.c: inet_csk_reqsk_queue_is_full() lets backlog + 1 in; without cookies, a SYN is dropped once
#: max_syn_backlog - queue length < max_syn_backlog / 4.
CASES = (
    Case(1, 16, 100, 101, _cookies(SYNS - 101), ("HO105",)),
    Case(1, RAISED, 8, 9, _cookies(SYNS - 9), ("HO105", "HO202")),
    Case(0, 2048, 8, 9, _drops(SYNS - 9, full=True), ("HO106", "HO207")),
    Case(0, 64, 4096, 49, _drops(SYNS - 49, full=False), ("HO108", "HO207")),
    Case(2, 2048, 100, 0, _cookies(SYNS)),
)
#: What the SYN queue is to hold, it holds: nothing is found.
MENDED = Case(1, 2048, 256, SYNS, (*_cookies(0), ("ListenOverflows", 0)))


def run(story: Story) -> None:
    """Each case with a listener of its own."""
    net = pair(story.network)
    lead_answers_away(net)
    story.say(f"{SYNS} SYNs arrive from {SYNS} addresses that never answer a SYN-ACK. What becomes of them depends on:")
    listeners = [_judge(story, net, case, PORT + number) for number, case in enumerate(CASES)]
    story.remedy(
        f"Leave {COOKIES} at 1 and {MAX_SYN_BACKLOG} alone. Where such a number of clients is real, give the listener "
        "a backlog that holds them."
    )
    for listener in listeners:
        listener.close()
    _judge(story, net, MENDED, PORT + len(CASES)).close()
    story.compare(f"Half-open, of {SYNS} SYNs", "requests", [_bar(check) for check in _half_open(story)])


def _half_open(story: Story) -> list[Check]:
    return [check for check in (*story.before, *story.after) if check.what.endswith(HALF_OPEN)]


def _bar(check: Check) -> tuple[str, float]:
    assert isinstance(check.observed, int | float)
    return check.what.removesuffix(HALF_OPEN), check.observed


def _judge(story: Story, net: Pair, case: Case, port: int) -> socket.socket:
    """What becomes of the SYNs; its listener stays, for those who look around."""
    net.server.set_sysctl(COOKIES, case.cookies)
    net.server.set_sysctl(MAX_SYN_BACKLOG, case.max_syn_backlog)
    label = f"syncookies {case.cookies}, max_syn_backlog {case.max_syn_backlog}, listen({case.backlog})"
    listener = listen(net.server, net.server_address, case.backlog, port=port)
    moment, doctor = Moment.of(net.server), Examination.begin(net.server)
    flood(net, SYNS, port=port, seed=port).wait()
    until(lambda: moment.since("InSegs") >= SYNS, "every SYN to arrive")
    half_open = steady(lambda: listener_row(net.server, port)["syn_queue"], "the SYN queue", 0.1)
    story.expect(f"{label}{HALF_OPEN}", case.half_open, half_open)
    for name, expected in case.counters:
        story.expect(f"{label}: {name}", expected, moment.since(name))
    for code in case.codes or EXPERIMENT.proves if case is MENDED else case.codes:
        doctor.expect(story, code, found=case is not MENDED)
    return listener


EXPERIMENT = Experiment(
    name="syn-queue-limits",
    title="What limits the SYN queue, and which counter tells",
    claim="With SYN cookies on, the SYN queue holds the listener's backlog and one more, and tcp_max_syn_backlog is "
    "not consulted; without them three quarters of it are a second limit, whose drops only ListenDrops counts.",
    run=run,
    proves=("HO105", "HO106", "HO108", "HO202", "HO207"),
)
