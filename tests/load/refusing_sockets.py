"""Runs a program to which the kernel refuses every non-blocking socket: ``ERRNO PROGRAM ARGUMENT…``, by seccomp(2).

Memory for sockets runs out when that of the machine does, which no test may bring about; the answer of socket(2) is
then this one. Blocking sockets, those of Python's library, are given.
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
_NUMBER_AT, _TYPE_AT = 0, 24
_SOCKET = {"x86_64": 41, "aarch64": 198}[os.uname().machine]


def main() -> None:
    """Install the filter, and become the program."""
    rows = [
        (_LOAD_WORD, 0, 0, _NUMBER_AT),
        (_JUMP_EQUAL, 0, 3, _SOCKET),
        (_LOAD_WORD, 0, 0, _TYPE_AT),
        (_JUMP_SET, 0, 1, socket.SOCK_NONBLOCK),
        (_RETURN, 0, 0, _ERRNO | int(sys.argv[1])),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *row) for row in rows))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(rows), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    for words in ((_NO_NEW_PRIVS, 1, 0, 0, 0), (_SET_SECCOMP, _MODE_FILTER, program, 0, 0)):
        if libc.prctl(*words):
            raise OSError(ctypes.get_errno(), "prctl")
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
