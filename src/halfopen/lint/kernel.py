"""The kernel that the files are for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.knowledge.kernel_version import MEASURED, KernelVersion
from halfopen.knowledge.sysctls import find, pattern
from halfopen.knowledge.sysctls.names import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Kernel:
    """A release, and what can be asked of it when it is the running one."""

    version: KernelVersion = MEASURED
    has: Callable[[str], bool] | None = None
    """Whether the running kernel has a key; None: it cannot be asked, and the release decides."""

    def lacks(self, key: str) -> bool:
        """Whether a setting of ``key`` will find no such key."""
        row = find(key)
        if self.has is not None:
            if self.has(key):
                return False
            # A container does not see the keys of the whole host, and not every kernel has every feature built in.
            hidden = pattern(key) in NAMES if row is None else row.scope == "global" and row.exists_on(self.version)
            return not hidden
        if row is not None:
            return not row.exists_on(self.version)
        # Of other keys it is known only that 6.18 has them.
        return self.version >= MEASURED and pattern(key) not in NAMES
