"""Takes the calling thread into a network namespace: setns(2), which needs CAP_SYS_ADMIN."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from halfopen.errors import NotAvailableError, PrivilegeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.collect.places import Place
    from halfopen.collect.roots import Roots


GONE = "it is gone"
HIDDEN = "neither a process in it nor its mount can be reached"
REFUSED = "this user may not enter: that takes root or CAP_SYS_ADMIN"


class Visitor:
    """One helper thread's way through the namespaces. Never used by the main thread."""

    def __init__(self, roots: Roots, inside: int | None) -> None:
        self._roots = roots
        self._inside = inside
        """Inode of the namespace that the thread is in; None when that could not be read."""

    def enter(self, place: Place) -> None:
        """Be in ``place``; nothing is asked of the kernel by a thread that is there already.

        Raises:
            NotAvailableError: it is gone, or this user may not enter it.
        """
        if place.inode == self._inside:
            return
        from halfopen._core import enter_netns

        descriptor = self._open(place)
        try:
            enter_netns(descriptor)
            self._inside = place.inode
        except PrivilegeError as error:
            # Without the descriptor's number, which differs each time: one trouble of many is to be one sentence.
            raise NotAvailableError(REFUSED) from error
        finally:
            os.close(descriptor)

    def _open(self, place: Place) -> int:
        """A descriptor of the namespace, by any process that is still in it, or by its mount."""
        refusal: PermissionError | None = None
        for path in self._doors(place):
            try:
                descriptor = self._open_if(path, place.inode)
            except PermissionError as error:
                refusal = error
                continue
            except OSError:
                continue
            if descriptor is not None:
                return descriptor
        if refusal is not None:
            raise NotAvailableError(REFUSED) from refusal
        raise NotAvailableError(GONE if place.path is None else HIDDEN)

    def _open_if(self, path: str, inode: int) -> int | None:
        """A descriptor of what ``path`` is, if that is the namespace.

        It is looked at before it is opened. A process may have moved, or its number may be another's by now; and in a
        container's own mounts the path may have become a device or a pipe, which opening would do something to.
        """
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            found = os.fstat(handle)
            if found.st_ino != inode or found.st_dev != self._nsfs():
                return None
            return os.open(f"{self._roots.proc}/self/fd/{handle}", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            os.close(handle)

    def _nsfs(self) -> int:
        """The device of the file system that namespaces are files of."""
        return os.stat(f"{self._roots.proc}/self/ns/net").st_dev  # noqa: PTH116  (called for every namespace)

    def _doors(self, place: Place) -> Iterator[str]:
        for pid in place.pids:
            yield f"{self._roots.proc}/{pid}/ns/net"
        if place.path is not None:
            yield place.path
        if place.door is not None:
            yield place.door
