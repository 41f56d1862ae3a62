"""What a SYN cookie costs: with timestamps next to nothing, without them every option but a rounded MSS."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, states
from halfopen.lab.recording import Recording
from halfopen.lab.spoofing import flood, lead_answers_away
from halfopen.lab.story import AtLeast
from halfopen.lab.tcp_info import TcpInfo
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import Attempt, Target, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from halfopen.lab.story import Story

COOKIES = "net.ipv4.tcp_syncookies"
TIMESTAMPS = "net.ipv4.tcp_timestamps"
#: A cookie's timestamp is rounded down by up to 63 ms: so many connections have one by 5 ms at the least.
TRIPS = 10
ALL = "timestamps, SACK, window scaling, ECN"
#: What a client offers as MSS, and what the server's cookie remembers of it: msstab of net/ipv4/syncookies.c.
SEGMENTS = ((500, 536), (1200, 536), (1360, 1300), (1450, 1440), (1460, 1460))


def run(story: Story) -> None:
    """The same connection with a request socket, and with a cookie with and without timestamps."""
    net = pair(story.network)
    net.client.set_sysctl("net.ipv4.tcp_ecn", 1)
    story.say("Without a cookie, the server agrees to what the client offers:")
    _expect(story, net, ALL, scale=True)
    net.server.set_sysctl(COOKIES, 2)
    story.say(f"With {COOKIES} = 2 every handshake is one of cookies, as they are when the SYN queue is full.")
    _expect(story, net, ALL, scale=True)
    Examination.begin(net.server).expect(story, "HO208", found=True)
    _made_up(story, net)
    _once_only(story, net)
    net.client.set_sysctl(TIMESTAMPS, 0)
    story.say(f"The same for a client with {TIMESTAMPS} = 0, which some hardening guides ask for:")
    _expect(story, net, "none", scale=False)
    Examination.begin(net.client).expect(story, "HO205", found=True)
    story.say("And an MSS that is not one of four is rounded down, or up to the smallest of them:")
    for offered, remembered in SEGMENTS:
        story.expect(f"bytes in a segment to a client that offered {offered}", remembered, _segment(net, offered))

    story.remedy(f"Leave {TIMESTAMPS} at 1, on clients and servers, and {COOKIES} at 1.")
    net.client.set_sysctl(TIMESTAMPS, 1)
    net.server.set_sysctl(COOKIES, 1)
    _expect(story, net, ALL, scale=True)
    Examination.begin(net.server).expect(story, "HO208", found=False)
    Examination.begin(net.client).expect(story, "HO205", found=False)


def _made_up(story: Story, net: Pair) -> None:
    """The server's round trip comes from the timestamp, whose low bits hold the options."""
    trips_us = []
    for _ in range(TRIPS):
        accepted, attempt = _accept(net, Target(net.server_address))
        with accepted:
            trips_us.append(TcpInfo.of(accepted).rtt_us)
        close_all([attempt])
    story.expect(f"the server's round trips (TCP_INFO): largest of {TRIPS}, ms", AtLeast(5), max(trips_us) / 1000)


def _once_only(story: Story, net: Pair) -> None:
    """A SYN whose SYN-ACK nobody answers; then one without a cookie, which tells when another SYN-ACK was due."""
    lead_answers_away(net)
    with listen(net.server, net.server_address, 8):
        moment, packets = Moment.of(net.server), Recording(net.server)
        flood(net, 1).wait()
        until(lambda: moment.since("SyncookiesSent"), "the cookie to be sent")
        story.expect("half-open requests after a SYN that is not completed", 0, states(net.server).get("SYN_RECV", 0))
        net.server.set_sysctl(COOKIES, 1)
        flood(net, 1, seed=2).wait()
        until(lambda: moment.since("TCPSynRetrans"), "the SYN-ACK without a cookie to be sent again")
        net.server.set_sysctl(COOKIES, 2)
        cookie, request = packets.handshakes()
        story.expect("  SYN-ACKs that it had", 1, cookie.syn_ack_sent)
        story.expect("  by then, of a later one that had no cookie", AtLeast(2), request.syn_ack_sent)


def _segment(net: Pair, offered: int) -> int:
    """Bytes of data that the server puts into a segment."""
    limit = (socket.IPPROTO_TCP, socket.TCP_MAXSEG, offered)
    accepted, attempt = _accept(net, Target(net.server_address, options=(limit,)))
    with accepted:
        size = TcpInfo.of(accepted).send_mss
    close_all([attempt])
    return size


def _accept(net: Pair, target: Target) -> tuple[socket.socket, Attempt]:
    listener = listen(net.server, net.server_address, 8)
    (attempt,) = connect(net.client, target)
    accepted, _ = net.server.run(listener.accept)
    listener.close()
    return accepted, attempt


def _expect(story: Story, net: Pair, options: str, *, scale: bool) -> None:
    moment = Moment.of(net.server)
    cookies = net.server.sysctl(COOKIES) == "2"
    accepted, attempt = _accept(net, Target(net.server_address))
    info = TcpInfo.of(accepted)
    story.expect("options in force", options, info.survived)
    story.expect("window scaling of the client is known to the server", int(scale), int(info.send_scale > 0))
    story.expect("SyncookiesSent", int(cookies), moment.since("SyncookiesSent"))
    if options != ALL:
        story.pitfall()
    accepted.close()
    close_all([attempt])
    until(lambda: states(net.server).get("SYN_RECV", 0) == 0, "the queue to be empty")


EXPERIMENT = Experiment(
    name="cookie-options",
    title="What a SYN cookie costs: a rounded MSS with timestamps, every option without",
    claim="A connection opened by a SYN cookie keeps window scaling, SACK and ECN when the client sends "
    "timestamps, and loses them all when it does not; its MSS becomes one of four, and its SYN-ACK is sent once only.",
    run=run,
    proves=("HO205", "HO208"),
)
