"""A request in the SYN, and its answer: one exchange by TCP Fast Open, or by what the kernel makes of it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from halfopen.lab.story import Between
from halfopen.lab.tcp_info import TcpInfo
from halfopen.lab.waiting import stopwatch

if TYPE_CHECKING:
    from halfopen.lab.topology import Pair

FAST_OPEN = "net.ipv4.tcp_fastopen"
KEY = "net.ipv4.tcp_fastopen_key"
CLIENT, SERVER, BOTH = 1, 2, 3
#: include/linux/socket.h
MSG_FASTOPEN = 0x2000_0000
#: One SYN was sent again: two cost two seconds or three. A busy machine is late, too.
ONCE_AGAIN_S = Between(1.0, 1.99)
REQUEST = b"GET / HTTP/1.0\r\n\r\n"


def asking_for(queue: int) -> tuple[int, int, int]:
    """The option by which a listener asks for Fast Open, with so many pending requests."""
    return (socket.IPPROTO_TCP, socket.TCP_FASTOPEN, queue)


def exchange(net: Pair, listener: socket.socket) -> tuple[TcpInfo, float]:
    """One request in the SYN, where the kernel will have it so; what became of it, and seconds until the answer."""
    elapsed = stopwatch()
    client = net.client.run(send, net.server_address, listener.getsockname()[1])
    guest, _ = net.server.run(listener.accept)
    with client, guest:
        assert guest.recv(len(REQUEST)) == REQUEST
        guest.sendall(b"!")
        assert client.recv(1) == b"!"
        return TcpInfo.of(client), elapsed()


def send(address: str, port: int, *, wait: bool = True) -> socket.socket:
    """Connect with the request in the SYN; with ``wait`` until the server has it or is connected."""
    client = socket.socket()
    client.setblocking(wait)
    try:
        client.sendto(REQUEST, MSG_FASTOPEN, (address, port))
    except BlockingIOError:  # a SYN without data: there was no cookie
        return client
    except OSError:
        # tcp_fastopen without the client's bit: what a program falls back to.
        client.setblocking(True)  # noqa: FBT003  (the library's signature)
        client.connect((address, port))
        client.sendall(REQUEST)
    return client
