"""Two settings that promise to tame TIME_WAIT: the one resets peers, the other one leaves clients hanging."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment, hosts_of_pairs
from halfopen.lab.observe import Moment, states
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import Target, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from halfopen.lab.story import Story

BUCKETS = "net.ipv4.tcp_max_tw_buckets"
RFC1337 = "net.ipv4.tcp_rfc1337"
TIMESTAMPS = "net.ipv4.tcp_timestamps"
LIMIT, CLOSED = 3, 10
#: Long enough for a SYN, an ACK, a RST and the second SYN a second later; far below the 60 s of TIME_WAIT.
PATIENCE_S = 2.5
#: Initial sequence numbers advance by 16 million a second (secure_seq.c, a tick is 64 ns): who sends more than that
#: meanwhile comes back from the same port with a number that is older than his last one.
SENT_BYTES = 96 << 20
CHUNK_BYTES = 1 << 20
OLD_PORT = Target("", options=((socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),), bind=("0.0.0.0", 41000))  # noqa: S104  (in a namespace)


def run(story: Story) -> None:
    """A server that closes first, with few buckets and with the kernel's default; then a client that comes back."""
    few, back = pair(story.network), pair(story.network, suffix="2")
    listeners = [listen(net.server, net.server_address, CLOSED) for net in (few, back)]

    few.server.set_sysctl(BUCKETS, LIMIT)
    story.say(f"{BUCKETS} is {LIMIT}. The server closes {CLOSED} connections, and the clients do it after it.")
    doctor = Examination.begin(few.server)
    moment = _close_first(few, listeners[0], LIMIT)
    story.expect("TIME_WAIT on the server", LIMIT, states(few.server).get("TIME_WAIT", 0))
    story.expect("TCPTimeWaitOverflow: connections that ended without it", CLOSED - LIMIT,
                 moment.since("TCPTimeWaitOverflow"))  # fmt: skip
    story.expect("RSTs that their clients got", CLOSED - LIMIT, moment.since("OutRsts"))
    overflow = doctor.expect(story, "HO204", found=True)

    back.server.set_sysctl(RFC1337, 1)
    back.client.set_sysctl(TIMESTAMPS, 0)
    story.say(f"{RFC1337} is 1. A client without timestamps comes back from its old port with an older number.")
    story.expect(f"connected within {PATIENCE_S} s", 0, int(_come_back(back, listeners[1])))
    ignored = Examination.begin(back.server).expect(story, "HO209", found=True)

    story.remedy("Give TIME_WAIT the room that the kernel gives it by default, and let a RST end it.")
    doctor.cure(story, overflow)
    after = Examination.begin(few.server)
    moment = _close_first(few, listeners[0], LIMIT + CLOSED)
    story.expect("TIME_WAIT on the server: all that it closed", LIMIT + CLOSED, states(few.server)["TIME_WAIT"])
    story.expect("TCPTimeWaitOverflow", 0, moment.since("TCPTimeWaitOverflow"))
    story.expect("RSTs", 0, moment.since("OutRsts"))
    after.expect(story, "HO204", found=False)
    after = Examination.begin(back.server)
    after.cure(story, ignored)
    story.expect("the client that comes back with an older number is connected", 1, int(_come_back(back, listeners[1])))
    after.expect(story, "HO209", found=False)
    for listener in listeners:
        listener.close()


def _close_first(net: Pair, listener: socket.socket, left: int) -> Moment:
    """Let the server close ``CLOSED`` connections; ``left`` are then in TIME_WAIT."""
    moment = Moment.of(net.server)
    attempts = connect(net.client, net.server_address, CLOSED)
    for _ in attempts:
        net.server.run(listener.accept)[0].close()
        # The bucket is taken when the ACK of the FIN comes (tcp_time_wait), and the kernel compares the count before it
        # raises it: two such ACKs on two CPUs may both find the last bucket free. One at a time, the limit is exact. A
        # client's FIN that carried the late ACK would be acknowledged once more, too.
        until(lambda: states(net.server).get("FIN_WAIT1", 0) == 0, "the ACK of the server's FIN")
    until(lambda: states(net.client).get("CLOSE_WAIT", 0) == CLOSED, "the server's FINs")
    close_all(attempts)
    until(lambda: states(net.client).get("LAST_ACK", 0) == 0, "the clients to be through")
    until(lambda: states(net.server).get("TIME_WAIT", 0) == left, f"{left} sockets in TIME_WAIT")
    return moment


def _come_back(net: Pair, listener: socket.socket) -> bool:
    """One long exchange that the server closes first, and at once another connect from the same port."""
    target = Target(net.server_address, options=OLD_PORT.options, bind=OLD_PORT.bind)
    (first,) = connect(net.client, target, timeout_s=PATIENCE_S)
    guest, _ = net.server.run(listener.accept)
    with guest:
        reading = net.server.start(_read, guest)
        first.socket.setblocking(True)  # noqa: FBT003  (the library's signature)
        for _ in range(SENT_BYTES // CHUNK_BYTES):
            first.socket.sendall(bytes(CHUNK_BYTES))
        reading.result()
    until(lambda: states(net.client).get("CLOSE_WAIT", 0) == 1, "the server's FIN")
    first.close()
    until(lambda: states(net.client).get("LAST_ACK", 0) == 0, "the client to be through")
    (second,) = connect(net.client, target, timeout_s=PATIENCE_S)
    second.close()
    return second.connected


def _read(guest: socket.socket) -> None:
    left, buffer = SENT_BYTES, bytearray(CHUNK_BYTES)
    while left:
        left -= guest.recv_into(buffer)


EXPERIMENT = Experiment(
    name="time-wait-limits",
    title="tcp_max_tw_buckets and tcp_rfc1337: TIME_WAIT that is cut short, and one that nothing ends",
    claim="Beyond tcp_max_tw_buckets connections end without TIME_WAIT and their peers get a RST; with tcp_rfc1337=1 "
    "a client that comes back with an older sequence number hangs until TIME_WAIT is over.",
    run=run,
    proves=("HO204", "HO209"),
    hosts=hosts_of_pairs("", "2"),
)
