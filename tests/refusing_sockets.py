"""Runs a program to which the kernel refuses some sockets: ``WHICH ERRNO PROGRAM ARGUMENT…``, by seccomp(2).

``nonblocking``: memory for sockets runs out when that of the machine does, which no test may bring about; the answer of
socket(2) is then this one. Blocking sockets, those of Python's library, are given.

``sock_diag``: what container runtimes and sandboxes do to the netlink family that tells of sockets.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys

#: linux/prctl.h, linux/seccomp.h, linux/bpf_common.h.
_NO_NEW_PRIVS, _SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_LOAD_WORD, _JUMP_EQUAL, _JUMP_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
#: struct seccomp_data: the number, and the low half of the second argument on a little-endian machine.
_NUMBER_AT, _FAMILY_AT, _TYPE_AT, _PROTOCOL_AT = 0, 16, 24, 32
_NETLINK_SOCK_DIAG = 4
_SOCKET = {"x86_64": 41, "aarch64": 198}[os.uname().machine]


#: (instruction, jump where true, jump where false, operand), between the system call's number and the verdicts.
ROWS = {
    "nonblocking": [(_LOAD_WORD, 0, 0, _TYPE_AT), (_JUMP_SET, 0, 1, socket.SOCK_NONBLOCK)],
    "sock_diag": [
        (_LOAD_WORD, 0, 0, _FAMILY_AT),
        (_JUMP_EQUAL, 0, 3, socket.AF_NETLINK),
        (_LOAD_WORD, 0, 0, _PROTOCOL_AT),
        (_JUMP_EQUAL, 0, 1, _NETLINK_SOCK_DIAG),
    ],
}


def main() -> None:
    """Install the filter, and become the program."""
    which, error = sys.argv[1:3]
    rows = [
        (_LOAD_WORD, 0, 0, _NUMBER_AT),
        (_JUMP_EQUAL, 0, len(ROWS[which]) + 1, _SOCKET),
        *ROWS[which],
        (_RETURN, 0, 0, _ERRNO | int(error)),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *row) for row in rows))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(rows), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    for words in ((_NO_NEW_PRIVS, 1, 0, 0, 0), (_SET_SECCOMP, _MODE_FILTER, program, 0, 0)):
        if libc.prctl(*words):
            raise OSError(ctypes.get_errno(), "prctl")
    os.execv(sys.argv[3], sys.argv[3:])


if __name__ == "__main__":
    main()
