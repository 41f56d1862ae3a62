"""What the kernel refuses before a packet is sent, as a sentence: the core's ``SocketSetupError``."""

from __future__ import annotations

from halfopen.errors import HalfopenError, NotAvailableError, PrivilegeError, UsageError

_DENIED = frozenset({"EPERM", "EACCES"})
_MISSING = frozenset({"ENOPROTOOPT", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EAFNOSUPPORT"})
_WORDS = {
    "ENODEV": "there is no such interface",
    "EADDRNOTAVAIL": "this host has no such address",
    "EADDRINUSE": "it is in use",
}
#: Operations that are no options.
_CALLS = ("bind ", "listen ", "epoll_", "socket", "eventfd", "getsockname")


def setup_error(operation: str, errno: str, why: str) -> HalfopenError:
    """The error to raise.

    Args:
        operation: ``SO_MARK 7``, ``bind 192.0.2.1:80``.
        errno: the error's name.
        why: the system's words for it.
    """
    call = operation.startswith(_CALLS)
    what = "cannot" if call else "cannot set"
    if errno in _DENIED:
        may = "ports below 1024 need root, or CAP_NET_BIND_SERVICE" if call else "root, or CAP_NET_ADMIN, may"
        return PrivilegeError(what, operation, "not permitted", hint=may)
    if errno in _MISSING:
        return NotAvailableError(what, operation, f"{why} ({errno})")
    hint = "`ss -ltnp` shows by whom; port 0 takes a free one" if errno == "EADDRINUSE" and call else None
    return UsageError(what, operation, _WORDS.get(errno, f"{why} ({errno})"), hint)
