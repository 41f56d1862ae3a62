"""TCP Fast Open: a cookie first, data in the SYN then; and everything that quietly makes it an ordinary handshake."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.fast_opening import (
    BOTH,
    FAST_OPEN,
    KEY,
    MSG_FASTOPEN,
    ONCE_AGAIN_S,
    REQUEST,
    SERVER,
    asking_for,
    exchange,
)
from halfopen.lab.observe import Moment
from halfopen.lab.recording import Recording
from halfopen.lab.topology import pair
from halfopen.lab.traffic import PORT, error_name, listen

if TYPE_CHECKING:
    from halfopen.lab.story import Story

QUEUE = 16


def run(story: Story) -> None:
    """Half configured, configured, with another key, and through a path that eats data in SYNs."""
    net = pair(story.network, relayed=True)
    story.say(f"{FAST_OPEN} = 3 on both sides, which is the usual advice; the server's listener is an ordinary one.")
    for host in (net.client, net.server):
        host.set_sysctl(FAST_OPEN, BOTH)
    plain = listen(net.server, net.server_address, 16)
    exchange(net, plain)
    story.expect("second connect: data in the SYN was accepted", 0, int(exchange(net, plain)[0].syn_data))
    Examination.begin(net.server).expect(story, "HO501", found=True)
    story.pitfall()
    plain.close()

    listener = listen(net.server, net.server_address, 16, port=PORT + 1, options=(asking_for(QUEUE),))
    story.say(f"The listener asks for it, too: setsockopt(TCP_FASTOPEN, {QUEUE}).")
    moment, own = Moment.of(net.server), Moment.of(net.client)
    packets = Recording(net.client, ports=[PORT + 1])
    story.expect("first connect: data in the SYN was accepted", 0, int(exchange(net, listener)[0].syn_data))
    story.expect("  TCPFastOpenCookieReqd on the server: a cookie was asked", 1, moment.since("TCPFastOpenCookieReqd"))
    story.expect("second connect: data in the SYN was accepted", 1, int(exchange(net, listener)[0].syn_data))
    story.expect("  TCPFastOpenPassive on the server", 1, moment.since("TCPFastOpenPassive"))
    Examination.begin(net.server).expect(story, "HO501", found=False)
    story.expect("  TCPFastOpenActive on the client", 1, own.since("TCPFastOpenActive"))

    story.say("The server's key changes, as behind a load balancer whose servers have one each:")
    moment = Moment.of(net.server)
    net.server.set_sysctl(KEY, "00000001-00000002-00000003-00000004")
    story.expect("connect with the old cookie: data in the SYN was accepted", 0,
                 int(exchange(net, listener)[0].syn_data))  # fmt: skip
    story.expect("  TCPFastOpenPassiveFail on the server", 1, moment.since("TCPFastOpenPassiveFail"))

    story.say("A middlebox drops SYNs that carry data:")
    exchange(net, listener)
    net.relay.set_faults(["drop syn with_data"])
    own = Moment.of(net.client)
    info, seconds = exchange(net, listener)
    story.expect("data in the SYN was accepted", 0, int(info.syn_data))
    story.expect("seconds until the server's answer: a SYN had to be sent again", ONCE_AGAIN_S, seconds)
    story.expect("  TCPFastOpenActiveFail on the client", 1, own.since("TCPFastOpenActiveFail"))
    seen = ", ".join(str(row.fast_open) for row in packets.handshakes())
    story.expect("all of these connects, by trace", "granted, accepted, granted, accepted, ignored", seen)

    story.say(f"And with {FAST_OPEN} = 2 on the client, which is the server's half only:")
    net.client.set_sysctl(FAST_OPEN, SERVER)
    story.expect("sendto(MSG_FASTOPEN)", "EOPNOTSUPP", net.client.run(_refused, net.server_address))

    story.remedy(
        f"Set {FAST_OPEN} to 3 where both sides are yours, ask for it on the listener, give all servers behind one "
        "address one key, and turn it off for clients whose path eats such SYNs."
    )
    own = Moment.of(net.client)
    exchange(net, listener)
    again = own.since("TCPSynRetrans")
    story.expect("through the same path, off on the client: SYNs that had to be sent again", 0, again)
    listener.close()


def _refused(address: str) -> str | None:
    """The name of the error of a program that insists."""
    with socket.socket() as client:
        try:
            client.sendto(REQUEST, MSG_FASTOPEN, (address, PORT + 1))
        except OSError as error:
            return error_name(error.errno)
    return None


EXPERIMENT = Experiment(
    name="fast-open",
    title="TCP Fast Open: what it takes, and what quietly undoes it",
    claim="Data in the SYN needs the sysctl on both sides, TCP_FASTOPEN on the listener and a cookie from an earlier "
    "connection; a changed key makes it an ordinary handshake, a path that eats such SYNs one that takes a second.",
    run=run,
    proves=("HO501",),
)
