"""``/dev/kmsg``: the lines of the kernel's log that speak of connections (facts 16, 48, 57, 80).

One record a read, the oldest first, without blocking. Needs CAP_SYSLOG where ``kernel.dmesg_restrict`` is 1. Source:
Documentation/ABI/testing/dev-kmsg. Cost: about 2 us a record.
"""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING

from halfopen.collect.framework import Collector, Context
from halfopen.collect.text import readable
from halfopen.model.host import LogLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from halfopen.collect.clock import Clock

LINES_MAX = 500
RECORD_BYTES = 8192
RECORDS_MAX = 200_000
"""More than a log buffer of 16 MB holds; an end that cannot be missed, should the log grow as fast as it is read."""
TEXT_BYTES = 1024

#: What the kernel prints, in lower case. tcp_input.c, tcp_ipv4.c, tcp.c, nf_conntrack_core.c, neighbour.c, sysctl.
PHRASES = (
    b"syn flooding",
    b"table full",  # nf_conntrack
    b"out of memory -- consider tuning tcp_mem",
    b"too many orphaned sockets",
    b"out of socket memory",
    b"time wait bucket table overflow",  # gone since 4.x, still on old kernels
    b"table overflow",  # neighbour
    b"ip_local_port_range",
    b"dropping request",
    b"tcp_fastopen",
    b"synproxy",
)


def collect(context: Context) -> tuple[LogLine, ...]:
    """The last lines that matter."""
    return parse_log(_records(os.fspath(context.host.roots.dev / "kmsg")), context.host.clock)


def _records(path: str) -> Iterator[bytes]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        for _ in range(RECORDS_MAX):
            try:
                record = os.read(descriptor, RECORD_BYTES)
            except BlockingIOError:  # the end
                return
            except BrokenPipeError:  # records were overwritten: the next read goes on with the oldest there is
                continue
            if not record:
                return
            yield record
    finally:
        os.close(descriptor)


def parse_log(records: Iterable[bytes], clock: Clock) -> tuple[LogLine, ...]:
    """The kernel's own records that hold one of ``PHRASES``, at most ``LINES_MAX``, the last ones.

    What a program wrote into the log is not the kernel's word: its facility is not 0.
    """
    kept: deque[LogLine] = deque(maxlen=LINES_MAX)
    for record in records:
        lowered = record.lower()
        if any(phrase in lowered for phrase in PHRASES) and (line := _line(record, clock)) is not None:
            kept.append(line)
    return tuple(kept)


def _line(record: bytes, clock: Clock) -> LogLine | None:
    """``6,339,5140900,-;text``: priority and facility, number, microseconds, flags; more lines are key-value pairs."""
    prefix, semicolon, rest = record.partition(b";")
    fields = prefix.split(b",")
    if not semicolon or len(fields) < 3 or not fields[0].isdigit() or not fields[2].isdigit() or int(fields[0]) > 7:
        return None
    text = readable(rest.partition(b"\n")[0][:TEXT_BYTES])
    return LogLine(clock.from_monotonic(int(fields[2]) * 1000), text)


COLLECTOR = Collector("kernel_log", "kernel_log", "the kernel's log", collect)
