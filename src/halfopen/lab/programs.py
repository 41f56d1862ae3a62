"""Programs that an experiment needs as they are: ``nft``, ``iptables``, run inside a host of the lab."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from halfopen.errors import NotAvailableError, PrivilegeError
from halfopen.lab.privilege import is_first_user_namespace

if TYPE_CHECKING:
    from halfopen.lab.namespace import Namespace

_TIMEOUT_S = 10.0
#: What nft and iptables say of a kernel without a module, and tcpdump where it may not change users.
_CANNOT = (
    "Could not process rule: No such file",
    "Operation not supported",
    "Table does not exist",
    "Couldn't change to",
)
_REFUSED = "Operation not permitted"


def run_program(host: Namespace, *command: str, text: str | None = None) -> str:
    """Run a program inside a host and give what it printed.

    Raises:
        NotAvailableError: it is not installed, or this kernel does not have what it asked for.
        PrivilegeError: it asked for what only root of the whole machine may, and this is the root of a user namespace.
        RuntimeError: it failed otherwise, as for rules that are wrong.
    """
    done = _run(host, command, text)
    if done.returncode != 0:
        why = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        if any(word in why for word in _CANNOT):
            raise NotAvailableError("cannot run", " ".join(command[:3]), why)
        if _REFUSED in why and not is_first_user_namespace(Path("/proc/self/uid_map").read_text(encoding="ascii")):
            raise PrivilegeError("cannot run", " ".join(command[:3]), f"{why}, for the root of a user namespace")
        raise RuntimeError(f"{' '.join(command[:3])}: {why}")
    return done.stdout


def exit_code(host: Namespace, *command: str) -> int:
    """Run a program inside a host, and give the code that it ended with.

    Raises:
        NotAvailableError: it is not installed.
    """
    return _run(host, command).returncode


def _run(host: Namespace, command: tuple[str, ...], text: str | None = None) -> subprocess.CompletedProcess[str]:
    if shutil.which(command[0]) is None:
        raise NotAvailableError("cannot run", command[0], "it is not installed")
    return host.run(
        lambda: subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    )


def nft(host: Namespace, rules: str) -> None:
    """Load nftables rules inside a host, as ``nft -f`` takes them."""
    run_program(host, "nft", "-f", "-", text=rules)
