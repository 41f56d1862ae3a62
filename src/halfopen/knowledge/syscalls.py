"""Names of the system calls in which a server or a client waits, by machine.

Sources: Linux ``arch/x86/entry/syscalls/syscall_64.tbl``, ``include/uapi/asm-generic/unistd.h`` (arm64, riscv64,
loongarch64).
"""

from __future__ import annotations

_X86_64 = {
    0: "read", 1: "write", 7: "poll", 23: "select", 34: "pause", 35: "nanosleep", 42: "connect", 43: "accept",
    44: "sendto", 45: "recvfrom", 46: "sendmsg", 47: "recvmsg", 61: "wait4", 72: "fcntl", 73: "flock",
    74: "fsync", 128: "rt_sigtimedwait", 130: "rt_sigsuspend", 202: "futex", 208: "io_getevents",
    219: "restart_syscall", 230: "clock_nanosleep", 232: "epoll_wait", 247: "waitid", 270: "pselect6",
    271: "ppoll", 281: "epoll_pwait", 288: "accept4", 426: "io_uring_enter", 441: "epoll_pwait2",
    449: "futex_waitv",
}  # fmt: skip
_GENERIC = {
    22: "epoll_pwait", 25: "fcntl", 32: "flock", 63: "read", 64: "write", 72: "pselect6", 73: "ppoll",
    82: "fsync", 95: "waitid", 98: "futex", 101: "nanosleep", 115: "clock_nanosleep", 128: "restart_syscall",
    133: "rt_sigsuspend", 137: "rt_sigtimedwait", 202: "accept", 203: "connect", 206: "sendto", 207: "recvfrom",
    211: "sendmsg", 212: "recvmsg", 242: "accept4", 260: "wait4", 426: "io_uring_enter", 441: "epoll_pwait2",
    449: "futex_waitv",
}  # fmt: skip
_TABLES = {"x86_64": _X86_64, "aarch64": _GENERIC, "riscv64": _GENERIC, "loongarch64": _GENERIC}

FIRST_IS_DESCRIPTOR = frozenset({
    "accept", "accept4", "connect", "epoll_pwait", "epoll_pwait2", "epoll_wait", "fcntl", "flock", "fsync",
    "io_uring_enter", "read", "recvfrom", "recvmsg", "sendmsg", "sendto", "write",
})  # fmt: skip
"""Calls whose first argument is a descriptor."""


def name_of(number: int, machine: str) -> str | None:
    """The call of that number on ``machine`` (``uname -m``); None when it is not in the table."""
    return _TABLES.get(machine, {}).get(number)
