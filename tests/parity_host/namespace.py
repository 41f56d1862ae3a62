"""A throw-away network namespace for a test: everything is done on a thread inside it, programs included."""

from __future__ import annotations

import os
import subprocess
import threading
from typing import TYPE_CHECKING, TypeVar

import pytest

from halfopen import _core

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="making a network namespace needs root")


class Namespace:
    """A network namespace with loopback up. It vanishes with the last socket and thread in it, and ``close``."""

    def __init__(self) -> None:
        self.fd = _core.create_namespace()
        self.run(lambda: call("ip", "link", "set", "lo", "up"))

    def run(self, work: Callable[[], T]) -> T:
        """The value of ``work()`` on a thread inside the namespace; what it raises is raised here."""
        values: list[T] = []
        errors: list[BaseException] = []

        def inside() -> None:
            try:
                _core.enter_netns(self.fd)
                values.append(work())
            except BaseException as error:  # noqa: BLE001 (handed to the test's own thread)
                errors.append(error)

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        for error in errors:
            raise error
        return values[0]

    def call(self, *command: str, text: str | None = None) -> str:
        """The output of a program inside the namespace."""
        return self.run(lambda: call(*command, text=text))

    def close(self) -> None:
        os.close(self.fd)


def call(*command: str, text: str | None = None) -> str:
    """The output of a program, which must succeed."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, input=text)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def as_nobody(work: Callable[[], str]) -> str:
    """What ``work()`` says in a child process without any privilege, in the namespace of the calling thread."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            os.write(writer, work().encode())
        except BaseException as error:  # noqa: BLE001 (handed to the test's own process)
            os.write(writer, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return text
