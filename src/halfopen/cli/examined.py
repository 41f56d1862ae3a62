"""No all-clear where nothing was read: what was printed stands, and the run fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.errors import InputError, NotAvailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.errors import HalfopenError

HINT = "a container or a sandbox may hide /proc, or refuse netlink: `halfopen snapshot` tells what was refused, and why"


def unexamined(unseen: Sequence[str], files: Sequence[str] = ()) -> HalfopenError:
    """The error to end with; ``files`` are the snapshots that were judged, none of them: this host."""
    missing = "; ".join(unseen)
    if files:
        return InputError("cannot judge the host by", " and ".join(files), f"not in it: {missing}")
    return NotAvailableError("cannot examine this host", why=f"not seen: {missing}", hint=HINT)
