"""Two network namespaces joined by a veth pair, in which every way a connect can end is produced for real.

Each namespace lives as long as a process that waits for the end of its standard input: whatever becomes of the test,
nothing is left behind.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from tests.conftest import PROGRAM, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

#: Addresses of the near end, where halfopen runs, and of the far end; IPv4, IPv6.
NEAR = ("10.77.0.1", "fd77::1")
FAR = ("10.77.0.2", "fd77::2")

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """One network namespace."""

    def __init__(self, stack: ExitStack) -> None:
        holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; read -r _"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        stack.callback(holder.wait)
        stack.callback(holder.communicate)
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"\n"
        self.path = Path(f"/proc/{holder.pid}/ns/net")
        self.pid = holder.pid
        self.run("ip link set lo up")

    def run(self, command: str) -> str:
        """Run a program inside; words are separated by single spaces."""
        done = subprocess.run(
            ["nsenter", f"--net={self.path}", *command.split(" ")], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def nft(self, hook: str, *rules: str) -> None:
        """Load rules into a chain of this hook, in place of those that were loaded before."""
        text = "\n".join(f"add rule inet t c {rule}" for rule in rules)
        script = (
            f"add table inet t\nflush table inet t\n"
            f"add chain inet t c {{ type filter hook {hook} priority 0; }}\n{text}\n"
        )
        subprocess.run(
            ["nsenter", f"--net={self.path}", "nft", "-f", "-"], input=script, text=True, check=True, timeout=10
        )

    def sysctl(self, key: str, value: str) -> None:
        """Set ``net.ipv4.<key>``."""
        self.inside(lambda: Path(f"/proc/sys/net/ipv4/{key}").write_text(value))

    def inside(self, work: Callable[[], T]) -> T:
        """Do something in the namespace; a socket that it makes stays there."""
        answers: list[T | BaseException] = []

        def enter() -> None:
            try:
                with self.path.open() as namespace:
                    if _LIBC.setns(namespace.fileno(), _CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                answers.append(work())
            except BaseException as error:  # noqa: BLE001  (it is raised below)
                answers.append(error)

        thread = Thread(target=enter)
        thread.start()
        thread.join()
        (answer,) = answers
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @staticmethod
    def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
        """Ask again and again until it holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "in vain"

    def command(self, *arguments: str | Path, hosts: Path | None = None) -> list[str | Path]:
        """The command line that runs the installed program inside; ``hosts`` takes the place of /etc/hosts."""
        inside: list[str | Path] = ["nsenter", f"--net={self.path}"]
        if hosts is not None:
            script = 'mount --bind "$0" /etc/hosts && exec "$@"'
            inside += ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, hosts]
        return [*inside, PROGRAM, *arguments]

    def halfopen(
        self, *arguments: str | Path, timeout: float = 60, hosts: Path | None = None, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the installed program inside."""
        return subprocess.run(
            self.command(*arguments, hosts=hosts),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            env=environment(**environ),
        )


class Pair:
    """Both namespaces."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.near, self.far = Namespace(stack), Namespace(stack)
        self.near.run(f"ip link add near type veth peer name far netns {self.far.pid}")
        for namespace, name, (v4, v6) in ((self.near, "near", NEAR), (self.far, "far", FAR)):
            namespace.run(f"ip addr add {v4}/24 dev {name}")
            namespace.run(f"ip addr add {v6}/64 dev {name} nodad")
            namespace.run(f"ip link set {name} up")
        self._wait_until_it_works()

    def _wait_until_it_works(self) -> None:
        """IPv6 needs a second until the kernel has noticed that the link is up."""
        for address in FAR:
            while True:
                try:
                    self.near.inside(lambda to=address: socket.create_connection((to, 1), timeout=0.1))  # type: ignore[misc]
                except ConnectionRefusedError:
                    break
                except OSError:
                    continue

    @staticmethod
    def near_of(far: str) -> str:
        """The near end's address of the same family."""
        return NEAR[FAR.index(far)]

    def serve(self, server: socket.socket, answer: Callable[[socket.socket], None]) -> None:
        """Accept every connection of a listener, and do this with it, until the test ends."""

        def work() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:  # closed at the end of the test
                    return
                with connection:
                    answer(connection)

        thread = Thread(target=work)
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(server.close)
        self._stack.callback(lambda: server.shutdown(socket.SHUT_RDWR))

    def listen(self, address: str, backlog: int = 16, port: int = 0) -> tuple[socket.socket, str]:
        """A listener in the far namespace that nobody accepts from, and the target that reaches it."""
        server = self.far.inside(lambda: _listener(address, backlog, port))
        self._stack.callback(server.close)
        return server, target(address, server.getsockname()[1])

    def closed_port(self, address: str) -> str:
        """A target at which nobody listens."""
        server = self.far.inside(lambda: _listener(address, 1, 0))
        port = server.getsockname()[1]
        server.close()
        return target(address, port)

    def fill(self, server: socket.socket, address: str) -> None:
        """Fill a listener's accept queue from the near side: one more than its backlog fits (fact F1)."""
        port = server.getsockname()[1]
        while True:
            try:
                connection = self.near.inside(lambda: socket.create_connection((address, port), timeout=0.3))
            except TimeoutError:
                return
            self._stack.callback(connection.close)


def target(address: str, port: int) -> str:
    """As the command line takes it."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _listener(address: str, backlog: int, port: int) -> socket.socket:
    server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    server.listen(backlog)
    return server


def may_make_namespaces() -> bool:
    """Whether this process is root and the kernel lets it."""
    if os.geteuid() != 0:
        return False
    return subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0


@contextmanager
def pair() -> Iterator[Pair]:
    """Both namespaces, for the length of a test."""
    with ExitStack() as stack:
        yield Pair(stack)
