"""SYN cookies that real clients get, cookies that fail, and the line in the kernel's log that tells neither apart."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from halfopen.errors import NotAvailableError
from halfopen.lab.examine import Examination, snapshot
from halfopen.lab.experiment import Experiment, hosts_of_pairs
from halfopen.lab.observe import Moment, states
from halfopen.lab.own_files import own_files
from halfopen.lab.programs import nft
from halfopen.lab.spoofing import flood, lead_answers_away
from halfopen.lab.story import AtLeast
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import BY_RST, PORT, Attempt, Target, connect, listen
from halfopen.lab.visitors import serving, visit
from halfopen.lab.waiting import stopwatch, until

if TYPE_CHECKING:
    from halfopen.lab.story import Story
    from halfopen.model.snapshot import Snapshot

#: A client's SYN-ACK and ACK take that long together, which is less than the second after which a SYN is sent again.
FAR, ROUND_TRIP_S = "delay=400ms", 0.8
RATE, VISITORS = 80, 120
UNDER_WAY = round(RATE * ROUND_TRIP_S)
#: Too short for what is under way, and long enough for the quarter of a second that a busy machine may take to accept.
BACKLOG, ROOM = 24, 1024
PATIENCE_S = 10.0
#: The kernel's log may leave a line out: it takes ten in five seconds from all of the network code of
#: the machine (net.core.message_burst, message_cost). The next listener then waits for the next five.
LOG_TRIES, LOG_WAIT_S = 5, 5.5
#: The log is the whole machine's, and every run has the same addresses: each has ports of its own there, below those
#: that are chosen for outgoing connections, and one more for the listener after the remedy.
LOG_PORT = 20_000 + os.getpid() % 2000 * (LOG_TRIES + 1)
BURST, BURST_RATE = 40, 400
OLD = 80
#: A machine that loses its power sends nothing more.
SILENCE = "table inet t {\n chain c {\n type filter hook output priority 0\n tcp flags rst drop\n }\n}\n"


def run(story: Story) -> None:
    """Clients that are far away, a restart under cookies, and the log."""
    far, restart, log = (pair(story.network, relayed=far, suffix=suffix) for far, suffix in _NETS)
    _far(story, far, BACKLOG)
    _stray(story, restart)
    with own_files() as files:
        quiet = Examination.begin(log.server, files)
        port = _log(story, log, quiet)
        story.remedy(
            "Real clients need a longer backlog: rate x round trip. Nothing needs to be done about old connections' "
            "ACKs, nor about a line in the log that names a queue which was full once."
        )
        _far(story, far, ROOM)
        _no_more(story, restart)
        _room(story, log, quiet, port + LOG_TRIES)


_NETS = ((True, ""), (False, "2"), (False, "3"))


def _far(story: Story, net: Pair, backlog: int) -> None:
    """``VISITORS`` to a server that accepts at once."""
    net.relay.set_links(FAR, FAR)
    story.say(
        f"{RATE} clients a second come from {ROUND_TRIP_S} s away, and are accepted at once. The backlog is {backlog}; "
        f"under way are {RATE} x {ROUND_TRIP_S} s = {UNDER_WAY}."
    )
    doctor, moment = Examination.begin(net.server), Moment.of(net.server)
    with serving(net.server, net.server_address, PORT, backlog):
        visitors = visit(net.client, Target(net.server_address), VISITORS, RATE, PATIENCE_S)
        story.expect(f"clients served, of {VISITORS}", VISITORS, visitors.served)
        short = backlog < UNDER_WAY
        expected = AtLeast(VISITORS // 4) if short else 0
        story.expect("SYN cookies sent", expected, moment.since("SyncookiesSent"))
        story.expect("  and returned by clients", expected, moment.since("SyncookiesRecv"))
        doctor.expect(story, "HO403", found=short)
        doctor.expect(story, "HO402", found=False)
        if short:
            story.pitfall()


def _stray(story: Story, net: Pair) -> None:
    """A server that loses its connections without a word, and serves again when its clients go on."""
    lead_answers_away(net)
    with listen(net.server, net.server_address, OLD) as listener:
        clients = connect(net.client, net.server_address, OLD)
        guests = [net.server.run(listener.accept)[0] for _ in range(OLD)]
        nft(net.server, SILENCE)
        for guest in guests:
            guest.setsockopt(*BY_RST)
            guest.close()
        nft(net.server, "flush ruleset")
    story.say(f"A server with {OLD} connections loses its power. It comes back, and a burst of SYNs fills its queue.")
    with listen(net.server, net.server_address, 4):
        flood(net, BURST, rate=BURST_RATE).wait()
        doctor, moment = Examination.begin(net.server), Moment.of(net.server)
        story.say("Its old clients send on what they believe to be connections:")
        _send_on(clients)
        until(lambda: moment.since("SyncookiesFailed") >= OLD, "the ACKs to arrive")
        story.expect("SyncookiesFailed: ACKs that are no cookie's", OLD, moment.since("SyncookiesFailed"))
        story.expect("SyncookiesRecv", 0, moment.since("SyncookiesRecv"))
        doctor.expect(story, "HO405", found=True)
    until(lambda: states(net.client).get("ESTABLISHED", 0) == 0, "the clients to be told")


def _send_on(clients: list[Attempt]) -> None:
    for client in clients:
        client.socket.send(b"?")


def _no_more(story: Story, net: Pair) -> None:
    story.say("The old clients were told by a RST, and come again:")
    with listen(net.server, net.server_address, OLD):
        doctor = Examination.begin(net.server)
        attempts = connect(net.client, net.server_address, OLD)
        story.expect("connected", OLD, sum(attempt.connected for attempt in attempts))
        doctor.expect(story, "HO405", found=False)


def _log(story: Story, net: Pair, doctor: Examination) -> int:
    """A small flood of one listener after another, until the log has a line; the port of that listener."""
    _must_be_readable(doctor.first)
    lead_answers_away(net)
    story.say(f"{BURST} SYNs from nowhere come to a listener with a backlog of 4.")
    for port in range(LOG_PORT, LOG_PORT + LOG_TRIES):
        with listen(net.server, net.server_address, 4, port=port):
            moment = Moment.of(net.server)
            flood(net, BURST, port=port, rate=BURST_RATE).wait()
            if not moment.since("SyncookiesSent"):
                continue
            lines = _lines(doctor, port)
            if lines:
                story.expect("lines of the kernel's log about it", 1, lines)
                doctor.expect(story, "HO406", found=True)
                return port
        _let_the_log_rest()
    left_out = f"it left out those of {LOG_TRIES} listeners: it takes ten in five seconds (net_ratelimit)"
    raise NotAvailableError("cannot see", "a line of the kernel's log", left_out)


def _let_the_log_rest() -> None:
    elapsed = stopwatch()
    until(lambda: elapsed() > LOG_WAIT_S, "the log to take lines again")


def _must_be_readable(seen: Snapshot) -> None:
    refused = next((item.why for item in seen.unavailable if item.what == "the kernel's log"), None)
    if refused is not None:
        raise NotAvailableError("cannot see", "the kernel's log", refused)


def _room(story: Story, net: Pair, doctor: Examination, port: int) -> None:
    story.say(f"The same burst, and a backlog of {ROOM}:")
    with listen(net.server, net.server_address, ROOM, port=port):
        moment = Moment.of(net.server)
        flood(net, BURST, port=port, rate=BURST_RATE).wait()
        story.expect("SYN cookies sent", 0, moment.since("SyncookiesSent"))
        story.expect("lines of the kernel's log about it", 0, _lines(doctor, port))


def _lines(doctor: Examination, port: int) -> int:
    """Lines of the log about one listener, since ``doctor`` began. Not the finding's, which shows the last three."""
    return _about(snapshot(doctor.host, doctor.files), port) - _about(doctor.first, port)


def _about(seen: Snapshot, port: int) -> int:
    return sum("SYN flooding" in line.text and f":{port}." in line.text for line in seen.kernel_log)


EXPERIMENT = Experiment(
    name="cookies-for-clients",
    title="SYN cookies without an attack: clients from far away, and a restart",
    claim="A backlog below rate x round trip gives real clients cookies, which come back; ACKs of connections that a "
    "server has lost are counted as cookies that failed; the kernel's log says «possible SYN flooding» of each, once.",
    run=run,
    proves=("HO403", "HO405", "HO406"),
    hosts=hosts_of_pairs(*(suffix for _, suffix in _NETS)),
)
