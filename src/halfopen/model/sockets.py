"""What sock_diag says of the TCP sockets of one network namespace, grouped for the questions that rules ask.

States are the kernel's names (``LISTEN``, ``SYN_RECV``, ``TIME_WAIT``…). Addresses are text in canonical form; an IPv4
address on an IPv6 socket reads ``::ffff:192.0.2.1`` in a listener and ``192.0.2.1`` in a connection. Sources: kernel
``net/ipv4/inet_diag.c``, ``net/ipv4/tcp_diag.c``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from halfopen.model.owner import Owner


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """Socket options of a listener, read from a duplicate of its descriptor; unknown where that is not permitted."""

    defer_accept_s: int | None = None
    """``TCP_DEFER_ACCEPT`` as getsockopt gives it, seconds; 0 is off."""
    fast_open: int | None = None
    """``TCP_FASTOPEN``: length of the queue of pending Fast Open requests; 0 is off."""
    syn_retries: int | None = None
    """``TCP_SYNCNT``; 0: not set, and ``tcp_synack_retries`` decides. (The kernel tells ``tcp_syn_retries`` of a socket
    without it, so that a socket with that very number is taken for one without.)"""
    reuse_port: bool | None = None
    """``SO_REUSEPORT``."""


@dataclass(frozen=True, slots=True)
class AcceptQueue:
    """Connections that are complete and wait for accept(): rows with inode 0 behind a listener."""

    established: int = 0
    """How many are still open."""
    close_wait: int = 0
    """How many the client has already closed."""
    oldest_ms: int | None = None
    """Age of the oldest, milliseconds since its handshake completed."""
    unread_bytes_max: int | None = None
    """Most bytes that wait unread in one of them. Connections that the client reset have no row, only a place."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One listening socket."""

    address: str
    """Local address; ``0.0.0.0`` or ``::`` for all."""
    port: int
    """Local port."""
    accept_queue: int
    """Connections that wait for accept() now (``sk_ack_backlog``)."""
    accept_queue_limit: int
    """The effective backlog (``sk_max_ack_backlog``): min(listen()'s argument, somaxconn then). One more fits."""
    family: int = 4
    """4 or 6."""
    only_v6: bool | None = None
    """``IPV6_V6ONLY``; False on ``::`` means that it serves IPv4, too. Null for IPv4."""
    inode: int = 0
    """Inode of the socket."""
    cookie: int = 0
    """The kernel's own name of the socket (``sock_diag`` cookie): the same in two snapshots for the same socket."""
    uid: int = 0
    """Owner of the socket."""
    interface: int | None = None
    """Index of the interface it is bound to."""
    drops: int | None = None
    """``SK_MEMINFO_DROPS``: SYNs and ACKs dropped at this socket since it exists, and some noise (fact F101)."""
    syn_queue: int = 0
    """Half-open requests to this address and port now (rows in SYN_RECV); of a group, on its first member only."""
    syn_queue_retransmitted: int = 0
    """How many of them have had their SYN-ACK sent again."""
    queued: AcceptQueue | None = None
    """What is in the accept queue; for SO_REUSEPORT sockets, of the whole group, on its first member only."""
    group: int = 1
    """Sockets that listen on this address, port and interface (SO_REUSEPORT)."""
    owners: tuple[Owner, ...] = ()
    """Processes that hold it, the lowest numbers first, at most 8; empty when this user may not know."""
    options: ListenerOptions | None = None
    """Options of the socket, where they could be read."""
    netns: str | None = None
    """Name of its namespace; filled in where a listener stands alone."""

    @property
    def owner(self) -> Owner | None:
        """The process that serves it: the first that holds it, and systemd only where no service has taken it over."""
        return next((owner for owner in self.owners if not owner.hands_over), self.maker)

    @property
    def maker(self) -> Owner | None:
        """The process that asked for its backlog: systemd, where it is a socket unit's."""
        return next((owner for owner in self.owners if owner.hands_over), next(iter(self.owners), None))

    @property
    def is_unserved(self) -> bool:
        """Whether systemd alone holds it: the service behind the socket unit does not run."""
        return bool(self.owners) and all(owner.hands_over for owner in self.owners)


@dataclass(frozen=True, slots=True)
class Destination:
    """All connections from one local address to one remote address and port that this host opened or may have opened.

    Only four-tuples whose local end is no listener's are counted: those this host is the client of.
    """

    source: str
    """Local address."""
    destination: str
    """Remote address."""
    port: int
    """Remote port."""
    states: dict[str, int] = field(default_factory=dict)
    """{state: sockets}."""
    in_range: int = 0
    """Of those, local ports inside ``ip_local_port_range``: what counts against the range."""
    low_parity: int = 0
    """Of ``in_range``, ports of the lower bound's parity: those that connect() takes first (fact F51)."""
    time_wait_ages: tuple[int, ...] = ()
    """Of ``in_range``, sockets in TIME_WAIT by how long they are in it, in steps of 10 s: six numbers, the youngest
    first. Empty: unknown. A port comes back after 60 s, so this tells how many were closed when."""
    retransmitting: int = 0
    """SYN_SENT sockets whose SYN has been sent more than once."""
    oldest_syn_ms: int | None = None
    """Age of the oldest SYN_SENT, milliseconds, where it is known."""
    time_wait_timestamps: bool | None = None
    """Whether timestamps were on for its TIME_WAIT sockets; null where the kernel does not say."""
    bound: int = 0
    """Open connections whose local port bind() must have chosen (fact F54): inside the range, of the parity that
    connect() takes last (fact F51) while those of the other are left, without IP_BIND_ADDRESS_NO_PORT. At least."""
    owners: tuple[Owner, ...] = ()
    """Processes with most of its sockets, at most 3."""

    @property
    def sockets(self) -> int:
        """All of them."""
        return sum(self.states.values())

    @property
    def time_wait(self) -> int:
        """In TIME_WAIT; FIN_WAIT2 without a process is not (the kernel counts it with them in sockstat)."""
        return self.states.get("TIME_WAIT", 0)


@dataclass(frozen=True, slots=True)
class ProcessSockets:
    """The connections of one process in the states that leak."""

    owner: Owner
    """Which process."""
    states: dict[str, int] = field(default_factory=dict)
    """{state: sockets}."""
    close_wait_oldest_ms: int | None = None
    """How long the oldest CLOSE_WAIT has heard nothing from its peer, milliseconds."""


@dataclass(frozen=True, slots=True)
class Sockets:
    """The TCP sockets of one network namespace."""

    states: dict[str, int] = field(default_factory=dict)
    """{state: sockets}, IPv4 and IPv6 together; every state that has one."""
    listeners: tuple[Listener, ...] = ()
    """By port, then address."""
    destinations: tuple[Destination, ...] = ()
    """Those with most sockets first, at most 1000."""
    destinations_left_out: int = 0
    """How many destinations there were beyond that."""
    processes: tuple[ProcessSockets, ...] = ()
    """Processes with sockets in CLOSE_WAIT, most first, at most 100."""
    orphans: dict[str, int] = field(default_factory=dict)
    """{state: sockets that no process holds}: FIN_WAIT1, FIN_WAIT2, LAST_ACK, CLOSING."""
    stale_syn_recv: int = 0
    """Half-open requests whose listener is gone (fact F103)."""
