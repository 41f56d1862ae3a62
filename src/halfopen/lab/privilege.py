"""As whom the lab runs, and what it then has to do without."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from halfopen import _core
from halfopen.errors import PrivilegeError


@dataclass(frozen=True, slots=True)
class Mode:
    """How namespaces are made.

    Attributes:
        name: ``root`` or ``user namespace``.
        missing: what this mode cannot have, and why.
    """

    name: str
    missing: tuple[str, ...] = ()


#: Number of ``CAP_SYS_ADMIN``, include/uapi/linux/capability.h.
_CAP_SYS_ADMIN = 21


def may_make_namespaces() -> bool:
    """Whether this process has CAP_SYS_ADMIN, as root usually does."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    (effective,) = (line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> _CAP_SYS_ADMIN & 1)


def is_first_user_namespace(uid_map: str) -> bool:
    """Whether a process with this ``/proc/self/uid_map`` is in the user namespace that the machine booted with.

    Only there root may do all: some settings and caches, such as tcp_metrics, refuse the root of any other.
    user_namespaces(7).
    """
    return uid_map.split() == ["0", "0", "4294967295"]


def mode() -> Mode:
    """As this user would run it; nothing is changed."""
    if may_make_namespaces():
        return Mode("root")
    missing = []
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        missing.append("links with faults: /dev/net/tun may not be opened by this user")
    if not Path("/proc/self/ns/user").exists():
        missing.append("everything: this kernel has no user namespaces")
    missing.append("settings that are the same for the whole machine, such as nf_conntrack_max")
    return Mode("user namespace", tuple(missing))


def become_root_of_a_namespace() -> None:
    """Make this process, which must have one thread only, the root of a user namespace, unless it may do all already.

    Raises:
        PrivilegeError: neither is allowed.
    """
    if may_make_namespaces():
        return
    try:
        _core.unshare_user()
    except OSError as error:
        why = f"this process has no CAP_SYS_ADMIN, as root usually has, and user namespaces are refused: {error}"
        raise PrivilegeError("cannot run the lab", why=why) from error
