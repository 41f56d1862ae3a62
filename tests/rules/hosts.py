"""Hosts for the doctor: a client and a server of the lab, programs in them, and the doctor's answer there."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from tests.conftest import PROGRAM, environment

from halfopen.lab.observe import census
from halfopen.lab.topology import Network, Pair, pair
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from halfopen.lab.namespace import Namespace
    from halfopen.lab.topology import Address

#: How long the doctor watches.
WATCH = "1500ms"


@dataclass
class Hosts:
    """Two hosts and what runs in them; everything ends with the context."""

    network: Network = field(default_factory=Network)
    stack: ExitStack = field(default_factory=ExitStack)
    net: Pair = field(init=False)

    def __enter__(self) -> Self:
        """Make the hosts."""
        self.stack.enter_context(self.network)
        self.net = pair(self.network)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the programs, then the hosts."""
        self.stack.close()

    @property
    def client(self) -> Namespace:
        """Whoever connects."""
        return self.net.client

    @property
    def server(self) -> Namespace:
        """Whoever listens."""
        return self.net.server

    @property
    def address(self) -> str:
        """The server's."""
        return self.net.server_address

    @property
    def ends(self) -> tuple[Address, Address]:
        """The two ends of the link."""
        return self.net.link.ends

    def spawn(self, host: Namespace, *command: str) -> subprocess.Popen[str]:
        """A program inside, ended with the context."""
        process = host.run(
            lambda: subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
                env=environment(),
            )
        )
        self.stack.callback(end, process)
        return process

    def serve(self, port: int, *options: str, host: Namespace | None = None, address: str | None = None) -> None:
        """``halfopen serve`` inside, and wait until it listens."""
        place = host or self.server
        self.spawn(
            place,
            str(PROGRAM),
            "serve",
            "--address",
            address or self.address,
            "--port",
            str(port),
            "--no-events",
            *options,
        )
        self.listening(place, port)

    def listening(self, host: Namespace, port: int) -> None:
        """Wait until something listens on the port."""
        until(lambda: port in listening_ports(host), f"something to listen on port {port}", 20.0)

    def load(self, port: int, *options: str, address: str | None = None) -> subprocess.Popen[str]:
        """``halfopen load`` at the client, in the background."""
        target = f"{address or self.address}:{port}"
        return self.spawn(self.client, str(PROGRAM), "load", target, "--yes-i-may", *options)

    def keep_running(self, work: Callable[[], None]) -> None:
        """Do it again and again until the context ends; whatever stops it before is raised then."""
        stop = threading.Event()
        failures: list[OSError] = []

        def run() -> None:
            try:
                while not stop.is_set():
                    work()
            except OSError as error:
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()

        def end() -> None:
            stop.set()
            thread.join()
            if failures:
                raise failures[0]

        self.stack.callback(end)

    def nft(self, host: Namespace, rules: str) -> None:
        """Load rules."""
        host.run(lambda: subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True, capture_output=True))


def end(process: subprocess.Popen[str]) -> None:
    """Ask it to end, and wait."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def listening_ports(host: Namespace) -> set[int]:
    """Ports on which something listens inside."""
    return {row["port"] for row in census(host)["listeners"]}


def doctor(host: Namespace, watch: str | None = WATCH) -> dict[str, Any]:
    """The doctor's answer inside, as JSON."""
    watching = [] if watch is None else ["--for", watch]
    command = [str(PROGRAM), "doctor", "--netns", "own", "--format", "json", "--quiet", *watching]
    result = host.run(
        lambda: subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment())
    )
    assert result.returncode == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document
