"""Sequence numbers of an experiment's own connections, by ``TCP_REPAIR``: what checkpoints of containers use.

Needs CAP_NET_ADMIN in the namespace of the socket, which the lab has.
"""

from __future__ import annotations

import socket
import struct

#: include/uapi/linux/tcp.h
_REPAIR, _QUEUE, _QUEUE_SEQ = 19, 20, 21
_RECEIVE, _SEND = 1, 2
#: TCP_REPAIR_OFF_NO_WP: leave the mode without a window probe, which would be one packet more.
_OFF = -1


def next_to_send(connection: socket.socket) -> int:
    """The number that the next byte gets: before any data, the own ISN + 1."""
    return _sequence(connection, _SEND)


def next_to_receive(connection: socket.socket) -> int:
    """The number that is expected of the peer: before any data, the peer's ISN + 1."""
    return _sequence(connection, _RECEIVE)


def choose_first(connection: socket.socket, number: int) -> None:
    """The ISN of a socket that has not connected yet, instead of one of the kernel's choice; clears SO_REUSEADDR."""
    connection.setsockopt(socket.IPPROTO_TCP, _REPAIR, 1)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, _QUEUE, _SEND)
        connection.setsockopt(socket.IPPROTO_TCP, _QUEUE_SEQ, struct.pack("=I", number & 0xFFFF_FFFF))
    finally:
        connection.setsockopt(socket.IPPROTO_TCP, _REPAIR, _OFF)


def _sequence(connection: socket.socket, queue: int) -> int:
    connection.setsockopt(socket.IPPROTO_TCP, _REPAIR, 1)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, _QUEUE, queue)
        return connection.getsockopt(socket.IPPROTO_TCP, _QUEUE_SEQ) & 0xFFFF_FFFF
    finally:
        connection.setsockopt(socket.IPPROTO_TCP, _REPAIR, _OFF)
