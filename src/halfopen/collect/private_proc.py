"""Settings of very many network namespaces, without the kernel's remembering them.

In /proc/sys the directories of all namespaces have the same names in the same place: where 5000 were looked up, the
next look-up of ``net/ipv4`` compares with 5000, and takes a millisecond. And what was looked up stays in the
kernel's memory as long as its namespace. A procfs of one's own, mounted nowhere and renewed now and then, has neither.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import finalize

if TYPE_CHECKING:
    from halfopen.collect.roots import Roots

LOOKS = 64
"""Namespaces that are looked at through one of them: to make one costs 0.1 ms, what is looked up in it is still few."""
REAL = Path("/proc")


class PrivateProc:
    """One thread's. Where none can be made (no root, a container, Linux before 5.2), it is /proc itself."""

    def __init__(self, roots: Roots) -> None:
        self._fallback = roots.proc / "sys/net"
        self._can = roots.proc == REAL
        self._close: finalize[..., PrivateProc] | None = None
        self._path = self._fallback
        self._left = 0

    def settings(self) -> Path:
        """``/proc/sys/net``, for the next namespace. Never raises."""
        if self._can and self._left == 0:
            self._renew()
        self._left -= 1
        return self._path

    def _renew(self) -> None:
        from halfopen._core import private_proc

        if self._close is not None:
            self._close()
        try:
            descriptor = private_proc()
        except OSError:
            self._can, self._path = False, self._fallback
        else:
            # Closed at the latest when the thread that it is for has ended, and forgets it.
            self._close, self._left = finalize(self, os.close, descriptor), LOOKS
            self._path = REAL / f"self/fd/{descriptor}/sys/net"
