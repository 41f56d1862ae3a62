"""As whom the lab runs, and what it then has to do without."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from halfopen import _core
from halfopen.errors import PrivilegeError


@dataclass(frozen=True, slots=True)
class Mode:
    """How namespaces are made.

    Attributes:
        name: ``root``, ``user namespace``, or ``none`` where neither is allowed.
        missing: what this mode cannot have, and why.
    """

    name: Literal["root", "user namespace", "none"]
    missing: tuple[str, ...] = ()


#: Number of ``CAP_SYS_ADMIN``, include/uapi/linux/capability.h.
_CAP_SYS_ADMIN = 21


#: ENOSPC of unshare(2).
_NO_MORE = "no more of them may be made (sysctls user.max_user_namespaces and user.max_net_namespaces)"


#: What belongs to the machine, and only root of the user namespace that it booted with may use.
_MACHINES_OWN = (
    "settings that are the same for the whole machine, such as nf_conntrack_max",
    "removal of what TCP remembers of its peers (ip tcp_metrics delete)",
)
#: Not for ordinary users where kernel.dmesg_restrict is 1.
_LOG = "/dev/kmsg"


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


@cache
def mode() -> Mode:
    """As this user would run it; nothing is changed. Found out once: a process of its own tries it."""
    if may_make_namespaces():
        return Mode("root")
    refused = _refusal()
    if refused is not None:
        return Mode("none", (f"everything: {refused}",))
    missing = []
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        missing.append("links with faults: /dev/net/tun may not be opened by this user")
    missing += _MACHINES_OWN
    if not _may_read_log():
        missing.append(f"the kernel's log: {_LOG} may not be read by this user")
    return Mode("user namespace", tuple(missing))


def _may_read_log() -> bool:
    """Whether it opens: its mode does not tell, since kernel.dmesg_restrict is asked, too."""
    try:
        os.close(os.open(_LOG, os.O_RDONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def _refusal() -> str | None:
    """Why this user cannot make namespaces; None where it can.

    Only trying tells: user namespaces are refused by sysctls, by security modules, by seccomp, and some grant one that
    has no capability in it.
    """
    done = subprocess.run(
        [sys.executable, "-m", "halfopen.lab.privilege"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode == 0:
        return None
    words = done.stderr.decode(errors="replace").strip()
    return words or f"the attempt ended with {done.returncode}"


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
        refused = _NO_MORE if error.errno == errno.ENOSPC else error.strerror or str(error)
        why = f"this process has no CAP_SYS_ADMIN, as root usually has, and user namespaces are refused: {refused}"
        raise PrivilegeError("cannot run the lab", why=why) from error


def _trial() -> str | None:
    """Do what the lab begins with, and give why it cannot be done."""
    try:
        become_root_of_a_namespace()
        _core.create_namespace()
    except PrivilegeError as error:
        return error.why
    except OSError as error:
        return f"this process has no CAP_SYS_ADMIN, and a user namespace does not give it: {error.strerror or error}"
    return None


if __name__ == "__main__":
    sys.exit(_trial())  # on standard error, where it is a sentence
