"""Thousands of sockets in every state that TCP has, made by real connections inside one namespace.

``CLOSING`` and its like live for moments only; packet filter rules on the loopback device hold them still.
"""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from typing import TYPE_CHECKING

from tests.parity_host.namespace import Namespace, call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

V4, MAPPED, V6 = "127.0.0.1", "::ffff:127.0.0.1", "::1"
#: A packet filter rule swallows what goes there.
NOWHERE = "127.9.9.9"
#: Of each of the plain kinds, for each family.
MANY = 400
#: Of those that packet filter rules hold.
FEW = 40


class Zoo:
    """The sockets, and what was put where: ``listeners`` by what they were made for."""

    def __init__(self) -> None:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        self.namespace = Namespace()
        self.kept = contextlib.ExitStack()
        self.listeners: dict[str, socket.socket] = {}
        self.namespace.run(self._fill)

    def close(self) -> None:
        self.kept.close()
        self.namespace.close()

    def port(self, name: str) -> int:
        """Where a listener listens."""
        port: int = self.listeners[name].getsockname()[1]
        return port

    def _keep(self, one: socket.socket) -> socket.socket:
        return self.kept.enter_context(one)

    def listen(self, name: str, address: str, backlog: int = 4096, **options: int) -> socket.socket:
        """One more listener; ``options`` are of SOL_SOCKET, IPPROTO_TCP or IPPROTO_IPV6, by name."""
        one = self._keep(socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET))
        for option, value in options.items():
            level = {"SO": socket.SOL_SOCKET, "TCP": socket.IPPROTO_TCP, "IPV6": socket.IPPROTO_IPV6}
            one.setsockopt(level[option.split("_")[0]], getattr(socket, option), value)
        one.bind((address, 0))
        one.listen(backlog)
        self.listeners[name] = one
        return one

    def connect(self, name: str, address: str, *, blocking: bool = True) -> socket.socket:
        """A client of a listener."""
        return self.connect_to(address, self.port(name), blocking=blocking)

    def connect_to(self, address: str, port: int, *, blocking: bool = True) -> socket.socket:
        one = self._keep(socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET))
        one.setblocking(blocking)
        with contextlib.suppress(BlockingIOError):
            one.connect((address, port))
        return one

    def pairs(self, name: str, address: str, count: int) -> list[tuple[socket.socket, socket.socket]]:
        """(client, server) of accepted connections."""
        found = []
        for _ in range(count):
            client = self.connect(name, address)
            found.append((client, self._keep(self.listeners[name].accept()[0])))
        return found

    def _fill(self) -> None:
        drop = f"ip daddr {NOWHERE} drop"
        call(
            "nft",
            f"add table inet n; add chain inet n c {{ type filter hook input priority 0; }}; add rule inet n c {drop}",
        )
        self.listen("v4", V4)
        self.listen("v6", V6)
        self.listen("dual", "::", IPV6_V6ONLY=0)
        self.listen("only", "::", IPV6_V6ONLY=1)
        self.listen("mapped", MAPPED, IPV6_V6ONLY=0)
        self._connections()
        self._queues()
        self._held()

    def _connections(self) -> None:
        """ESTABLISHED, CLOSE_WAIT, FIN_WAIT2 (with a process and without), TIME_WAIT."""
        for name, address in (("v4", V4), ("v6", V6), ("dual", V4), ("dual", V6), ("mapped", V4)):
            self.pairs(name, address, MANY)
            for client, _ in self.pairs(name, address, MANY):
                client.shutdown(socket.SHUT_WR)
            for client, _ in self.pairs(name, address, MANY):
                client.close()
            for client, server in self.pairs(name, address, MANY):
                client.close()
                server.recv(1)
                server.close()

    def _queues(self) -> None:
        """SYN_SENT, SYN_RECV, and what waits in accept queues."""
        for port in range(MANY):
            self.connect_to(NOWHERE, 1000 + port % 7, blocking=False)
        for name, address, wildcard in (("defer4", V4, "0.0.0.0"), ("defer6", V6, "::"), ("defermapped", V4, "::")):
            self.listen(name, wildcard, TCP_DEFER_ACCEPT=100)
            for _ in range(MANY):
                self.connect(name, address)
        self._accept_queue()
        self.listen("group", V4, SO_REUSEPORT=1)
        for _ in range(3):
            self._join("group")
        for _ in range(MANY):
            self.connect("group", V4)

    def _accept_queue(self) -> None:
        """A quarter each: open, open with data, closed by the client behind its data, reset by the client."""
        self.listen("queue", V4)
        for number in range(MANY):
            client = self.connect("queue", V4)
            kind = number % 4
            if kind in {1, 2}:
                client.sendall(b"x" * number)
            if kind == 2:
                client.shutdown(socket.SHUT_WR)
            if kind == 3:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.close()

    def _join(self, name: str) -> None:
        """One more socket of a group of SO_REUSEPORT."""
        one = self._keep(socket.socket())
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(self.listeners[name].getsockname())
        one.listen(4096)

    def _held(self) -> None:
        """FIN_WAIT1, LAST_ACK and CLOSING, which need packets to get lost."""
        for name in ("fin1", "last", "closing"):
            self.listen(name, V4)
        lasting = self.pairs("last", V4, FEW)
        for client, _ in lasting:
            client.close()
        pairs = self.pairs("fin1", V4, FEW)
        closing = self.pairs("closing", V4, FEW)
        # Of a server's FIN that is lost nobody tells it, however often the client's comes: it stays in CLOSING.
        drop([self.port("fin1"), self.port("last")], answers_of=self.port("closing"))
        for client, server in pairs + closing:
            server.close()
            client.close()
        for _, server in lasting:
            server.recv(1)
            server.close()
        until(lambda: len(call("ss", "-tanH", "state", "closing").splitlines()) == FEW)


def drop(ports: Iterable[int], answers_of: int) -> None:
    """Packet filter rules that swallow what comes from or goes to these ports, and what comes from another."""
    rules = "add table inet t\ndelete table inet t\nadd table inet t\n"
    rules += "add chain inet t c { type filter hook input priority 0; }\n"
    for side in ("sport", "dport"):
        rules += "".join(f"add rule inet t c tcp {side} {port} drop\n" for port in ports)
    call("nft", "-f", "-", text=f"{rules}add rule inet t c tcp sport {answers_of} drop\n")


def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition."""
    for _ in attempts(seconds):
        if holds():
            return
    raise AssertionError("it did not come about")


def attempts(seconds: float) -> Iterator[None]:
    """Again and again, until time is up."""
    end = time.monotonic() + seconds
    pause = time.sleep
    while time.monotonic() < end:
        yield
        pause(0.05)
