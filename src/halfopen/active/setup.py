"""What the kernel refuses before a packet is sent, as a sentence: the core's ``SocketSetupError``."""

from __future__ import annotations

import re

from halfopen.errors import HalfopenError, NotAvailableError, PrivilegeError, UsageError

_DENIED = frozenset({"EPERM", "EACCES"})
_MISSING = frozenset({"ENOPROTOOPT", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EAFNOSUPPORT"})
#: What Rust adds to the words of the operating system.
_RUST_SUFFIX = re.compile(r" \(os error \d+\)$")
_WORDS = {
    "ENODEV": "there is no such interface",
    "EADDRNOTAVAIL": "this host has no such address",
    "EADDRINUSE": "it is in use",
}
#: Where it is not an option's value that is wrong: only bind() of a link-local address without its link says so.
_BIND_WORDS = {"EINVAL": "a link-local address is one with its interface: fe80::1%eth0"}
#: Operations that are no options.
_CALLS = ("bind ", "listen ", "epoll_", "socket", "eventfd", "getsockname")
_LISTENERS = "`ss -ltnp` shows by whom; port 0 takes a free one"


def setup_error(operation: str, errno: str, why: str, *, in_use: str = _LISTENERS) -> HalfopenError:
    """The error to raise.

    Args:
        operation: ``SO_MARK 7``, ``bind 192.0.2.1:80``.
        errno: the error's name.
        why: the system's words for it.
        in_use: what to do about an address and port that are in use.
    """
    call = operation.startswith(_CALLS)
    why = _RUST_SUFFIX.sub("", why)
    what = "cannot" if call else "cannot set"
    if errno in _DENIED:
        may = "ports below 1024 need root, or CAP_NET_BIND_SERVICE" if call else "root, or CAP_NET_ADMIN, may"
        return PrivilegeError(what, operation, "not permitted", hint=may)
    if errno in _MISSING:
        return NotAvailableError(what, operation, f"{why} ({errno})")
    hint = in_use if errno == "EADDRINUSE" and call else None
    words = _WORDS | (_BIND_WORDS if operation.startswith("bind [fe") else {})
    return UsageError(what, operation, words.get(errno, f"{why} ({errno})"), hint)
