"""What a SYN cookie costs: with timestamps next to nothing, without them every option but a rounded MSS."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, states
from halfopen.lab.tcp_info import TcpInfo
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import Attempt, Target, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from halfopen.lab.story import Story

COOKIES = "net.ipv4.tcp_syncookies"
TIMESTAMPS = "net.ipv4.tcp_timestamps"
#: Timestamps take 12 bytes of every segment, RFC 7323 appendix A.
TIMESTAMP_BYTES = 12


def run(story: Story) -> None:
    """The same connection with a request socket, and with a cookie with and without timestamps."""
    net = pair(story.network)
    story.say("Without a cookie, the server agrees to what the client offers:")
    _expect(story, net, "timestamps, SACK, window scaling", scale=True)
    net.server.set_sysctl(COOKIES, 2)
    story.say(f"With {COOKIES} = 2 every handshake is one of cookies, as they are when the SYN queue is full.")
    _expect(story, net, "timestamps, SACK, window scaling", scale=True)
    Examination.begin(net.server).expect(story, "HO208", found=True)
    net.client.set_sysctl(TIMESTAMPS, 0)
    story.say(f"The same for a client with {TIMESTAMPS} = 0, which some hardening guides ask for:")
    _expect(story, net, "none", scale=False)
    Examination.begin(net.client).expect(story, "HO205", found=True)
    story.say("And an MSS that is not one of four is rounded down:")
    limit = (socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1200)
    accepted, attempt = _accept(net, Target(net.server_address, options=(limit,)))
    story.expect("bytes that the server puts into a segment for a client that offered 1200", 536,
                 TcpInfo.of(accepted).send_mss)  # fmt: skip
    accepted.close()
    close_all([attempt])

    story.remedy(f"Leave {TIMESTAMPS} at 1, on clients and servers, and {COOKIES} at 1.")
    net.client.set_sysctl(TIMESTAMPS, 1)
    net.server.set_sysctl(COOKIES, 1)
    _expect(story, net, "timestamps, SACK, window scaling", scale=True)
    Examination.begin(net.server).expect(story, "HO208", found=False)
    Examination.begin(net.client).expect(story, "HO205", found=False)


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
    accepted.close()
    close_all([attempt])
    until(lambda: states(net.server).get("SYN_RECV", 0) == 0, "the queue to be empty")


EXPERIMENT = Experiment(
    name="cookie-options",
    title="What a SYN cookie costs: nothing with timestamps, every option without",
    claim="A connection opened by a SYN cookie keeps window scaling and SACK when the client sends timestamps, and "
    "loses them all when it does not; its MSS is rounded down to one of four.",
    run=run,
    proves=("HO205", "HO208"),
)
