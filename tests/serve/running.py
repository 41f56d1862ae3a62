"""``halfopen serve`` as a process, ready when the block begins and ended politely when it ends."""

from __future__ import annotations

import json
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from tests.conftest import PROGRAM, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

Event = dict[str, Any]


@dataclass
class Running:
    """A server that listens, with ``--format jsonl``."""

    process: subprocess.Popen[str]
    output: IO[str]
    ports: list[int] = field(default_factory=list)
    seen: list[Event] = field(default_factory=list)

    def read(self) -> Event:
        """The next event."""
        event: Event = json.loads(self.output.readline())
        self.seen.append(event)
        return event

    def wait_for(self, kind: str, **values: object) -> Event:
        """The next event of a kind, with these values."""
        while True:
            event = self.read()
            if event["event"] == kind and all(event[name] == value for name, value in values.items()):
                return event

    def stop(self, number: signal.Signals = signal.SIGTERM) -> Event:
        """End it; the summary."""
        self.process.send_signal(number)
        summary = self.wait_for("summary")
        assert self.process.wait(timeout=20) == 0
        return summary


@contextmanager
def serving(*arguments: str, within: tuple[str, ...] = (), listeners: int = 1) -> Iterator[Running]:
    """A server; ``within`` is the command that runs it elsewhere: ``nsenter …``."""
    process = subprocess.Popen(
        [*within, PROGRAM, "serve", "--format", "jsonl", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        running = Running(process, process.stdout)
        running.ports = [running.wait_for("listening")["port"] for _ in range(listeners)]
        yield running
    finally:
        process.terminate()
        process.communicate(timeout=20)
