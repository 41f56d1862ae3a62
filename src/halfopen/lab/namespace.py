"""A named host of the lab: one network namespace, and how to do something inside it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

from halfopen import _core
from halfopen.errors import NotAvailableError, PrivilegeError

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

#: The alternative name of the loopback device that marks a namespace as the lab's: ``halfopen_kernel::lab::MARK``.
MARK = "halfopen-lab"


class Task(Generic[T]):
    """Something that runs on a thread of its own inside a namespace."""

    def __init__(self, descriptor: int, work: Callable[[], T]) -> None:
        self._result: T | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(descriptor, work), daemon=True)
        self._thread.start()

    def _run(self, descriptor: int, work: Callable[[], T]) -> None:
        try:
            _core.enter_netns(descriptor)
            self._result = work()
        except BaseException as failure:  # noqa: BLE001  (carried to whoever waits for the result)
            self._failure = failure

    @property
    def running(self) -> bool:
        """Whether it is still at it."""
        return self._thread.is_alive()

    def result(self, timeout_s: float | None = None) -> T:
        """Wait for its end, and give what it returned or raise what it raised.

        Raises:
            TimeoutError: it is still running after ``timeout_s``.
        """
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            raise TimeoutError(f"still running after {timeout_s} s")
        if self._failure is not None:
            raise self._failure
        return self._result  # type: ignore[return-value]  # None only where T is


class Namespace:
    """One host.

    Attributes:
        name: what the story calls it: ``client``, ``server``.
        descriptor: of the network namespace, open until ``close``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            self.descriptor = _core.create_namespace()
        except PermissionError as error:
            raise PrivilegeError("cannot make a network namespace", why=str(error)) from error
        except OSError as error:
            raise NotAvailableError("cannot make a network namespace", why=str(error)) from error

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something inside and wait for it. A socket that it makes stays inside, wherever it is used later."""
        return self.start(work, *args, **kwargs).result()

    def start(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Task[T]:
        """Do something inside on a thread of its own."""
        return Task(self.descriptor, lambda: work(*args, **kwargs))

    def close(self) -> None:
        """Let it go. It vanishes when its sockets are closed, too."""
        os.close(self.descriptor)

    # --- settings -----------------------------------------------------------------------------------------------------

    def sysctl(self, key: str) -> str:
        """The value of ``net.ipv4.tcp_syncookies`` or another key."""
        return self.run(sysctl_path(key).read_text).strip()

    def has_sysctl(self, key: str) -> bool:
        """Whether this kernel has the key."""
        return self.run(sysctl_path(key).exists)

    def set_sysctl(self, key: str, value: object) -> None:
        """Write a value and read it back.

        Raises:
            NotAvailableError: the kernel has no such key, refuses the value, or holds another one afterwards.
        """
        path = sysctl_path(key)
        try:
            self.run(path.write_text, str(value))
        except OSError as error:
            raise NotAvailableError("cannot set", key, str(error.strerror)) from error
        held = self.sysctl(key)
        if held.split() != str(value).split():
            raise NotAvailableError("cannot set", key, f"it holds {held} after {value} was written")


def sysctl_path(key: str) -> Path:
    """``/proc/sys/net/ipv4/tcp_syncookies``: of the namespace of the thread that opens it."""
    return Path("/proc/sys", *key.split("."))
