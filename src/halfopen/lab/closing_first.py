"""A client with few ports that closes first, as one without keep-alive does: each connection leaves it a TIME_WAIT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.observe import states
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import Target, connect
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    import socket

    from halfopen.lab.story import Story

RANGE = "net.ipv4.ip_local_port_range"
LOW, PORTS = 40000, 20
NO_PORT = "EADDRNOTAVAIL"
_OPEN = {"FIN_WAIT1", "FIN_WAIT2", "CLOSING"}


def few_ports(story: Story, suffix: str = "") -> Pair:
    """A pair whose client has ``PORTS`` ports for each destination."""
    net = pair(story.network, suffix=suffix)
    net.client.set_sysctl(RANGE, f"{LOW} {LOW + PORTS - 1}")
    # On a busy machine the server's FIN is sent twice, and the second ACK of it draws a RST, which would free the port.
    net.client.set_sysctl("net.ipv4.tcp_rfc1337", 1)
    return net


def once(net: Pair, listener: socket.socket) -> str | None:
    """One connection that the client closes first; the name of its error."""
    (attempt,) = connect(net.client, Target(*listener.getsockname()), timeout_s=5.0)
    attempt.close()
    if attempt.seconds is None:
        return "no answer"
    if attempt.connected:
        net.server.run(listener.accept)[0].close()
        until(lambda: not states(net.client).keys() & _OPEN, "the server's FIN to arrive")
    return attempt.error
