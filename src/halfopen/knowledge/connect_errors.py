"""What the error numbers of ``connect()`` mean for a TCP socket, and who says so.

Sources: connect(2), tcp(7); Linux 6.12 ``net/ipv4/tcp_ipv4.c`` (tcp_v4_connect), ``net/ipv4/route.c``
(``fib_props``), ``net/ipv4/icmp.c`` (``icmp_err_convert``); each local one was produced on Linux 6.18.
"""

from __future__ import annotations

#: Error name → what it says when no ICMP message stands behind it. One clause, to follow «refused: ».
CONNECT_ERRORS = {
    "ECONNREFUSED": "RST in answer to the SYN: nothing listens on that port, or a firewall answers in its place",
    "ECONNRESET": "RST right after the handshake: the server closed at once, or its accept queue is full and "
    "tcp_abort_on_overflow is set",
    "ETIMEDOUT": "the kernel sent its last SYN and had no answer to any",
    "EHOSTUNREACH": "the routing table says `unreachable` for that address",
    "ENETUNREACH": "no route leads there, the interface of the only one is down, or it is a broadcast address",
    "EHOSTDOWN": "the network says that the host is down",
    "ENONET": "the network says that the host is isolated",
    "ENETDOWN": "the interface is down",
    "EADDRNOTAVAIL": "no local port is free for this destination",
    "EADDRINUSE": "the local port is in use",
    "EACCES": "this host forbids it: a `prohibit` route or rule, or a broadcast address",
    "EPERM": "this host forbids it: a BPF program of the control group, or a security module",
    "EINVAL": "this host cannot send there: a `blackhole` route, a link-local address without its interface, "
    "or a source that does not fit",
    "ENOBUFS": "this host has no memory for it",
    "ENOMEM": "this host has no memory for it",
    "EAGAIN": "this host has no room for another route or port",
    "EAFNOSUPPORT": "this host does not have that address family",
    "EMSGSIZE": "the SYN is larger than the path allows",
    "ENOPROTOOPT": "the target does not speak TCP",
    "EPROTO": "the network found the SYN malformed",
}


def connect_error(name: str) -> str:
    """The clause for an error's name; the name alone says enough where it is not in the table."""
    return CONNECT_ERRORS.get(name, "an error that connect() is not known to give")
