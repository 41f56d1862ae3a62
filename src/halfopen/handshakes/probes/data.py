"""What the time after the handshake says: a server that works, one that never accepts, or a path that eats data.

Facts F12 and F14: a SYN-ACK from a host with a full accept queue looks like any other. The final ACK is dropped there,
so that the client believes in a connection that the server does not have: its data is never acknowledged, and the
SYN-ACK comes again. Fact F67: TCP_DEFER_ACCEPT repeats the SYN-ACK too, once, and takes data at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.first_speaker import CLIENT_FIRST, SERVER_FIRST
from halfopen.model.quantity import duration, plural

if TYPE_CHECKING:
    from halfopen.model.probe import DataReport, ProbeResult

#: When a deferred request is handed over: at the SYN-ACK's retransmission, 1, 3, 7, 15, 31 s after the first, a little
#: late by the timer's coarseness (fact F67: 1.0, 3.1, 7.2, 15.4 s).
_DEFER_S = (1.0, 3.0, 7.0, 15.0, 31.0)
_DEFER_LATE = 0.12


def data_headline(report: DataReport) -> str:
    """«first byte after 3 ms», «no byte within 5 s»."""
    time = duration(report.waited_us)
    if report.end == "first_byte":
        return f"first byte after {time}"
    if report.end == "closed":
        return f"closed without a byte after {time}"
    if report.end == "failed":
        return f"lost after {time} ({report.errno})"
    return f"no byte within {time}"


def data_reason(result: ProbeResult) -> str | None:
    """What that means, in whole sentences; None where all is well, or where no data was waited for."""
    report = result.data
    if report is None:
        return None
    if report.end == "first_byte":
        return _DEFERRED if _looks_deferred(report) else None
    if report.end == "closed":
        return "The server accepted and closed, or a proxy in front of it did: it did not want this connection."
    if report.end == "failed":
        return _failed(report)
    if report.lacks_beginning:
        return _BEGINNING_LOST
    return _silent_after_data(report) if report.sent_bytes else _silent(report, result.handshake.server_port)


_DEFERRED = (
    "The SYN-ACK came twice and the first byte with it: that is TCP_DEFER_ACCEPT on a server that speaks first. It "
    "waits for data of the client before it accepts."
)


def _looks_deferred(report: DataReport) -> bool:
    """One segment more than the data, nothing sent, at a moment of the SYN-ACK's timetable."""
    if report.sent_bytes or (report.segments_received or 0) < 2:
        return False
    return any(0 <= report.waited_us / 1e6 - at <= at * _DEFER_LATE for at in _DEFER_S)


_BEGINNING_LOST = (
    "Data of the server comes, but never its beginning, though it is sent again: the path lets small packets through "
    "and loses large ones (an MTU black hole)."
)


def _failed(report: DataReport) -> str:
    if report.errno == "ECONNRESET":
        return (
            "RST after the handshake: the server closed without reading, its listener went away, or its accept queue "
            "is full and tcp_abort_on_overflow is set."
        )
    if report.errno == "ETIMEDOUT":
        return "The data was sent again and again without an acknowledgment, until the kernel gave up."
    return f"The connection broke after the handshake: {report.errno}."


def _silent_after_data(report: DataReport) -> str:
    acknowledged = report.acknowledged_bytes
    if acknowledged == 0:
        return _unacknowledged(report)
    taken = "The server's kernel took the data" if acknowledged else "The data was sent"
    return (
        f"{taken} and no answer came: nobody calls accept() (the connection waits in the accept queue), the "
        "application is busy, it expects more than was sent, or its answer is lost on the way."
    )


def _unacknowledged(report: DataReport) -> str:
    """Only the SYN-ACK tells a full accept queue from a path, and with a SYN cookie it does not come again."""
    sent = plural(report.sent_bytes, "byte")
    again = f", sent again {_times(report.retransmissions)}," if report.retransmissions else ""
    never = f"the handshake succeeded, but {sent}{again} were never acknowledged"
    if repeated := report.syn_acks_received:
        return (
            f"Accept starvation, most likely: {never}, and the SYN-ACK came again {_times(repeated)}. The server's "
            "accept queue is full and its kernel has dropped the last ACK; otherwise the path lets nothing through but "
            "SYNs."
        )
    if _would_have_come_again(report):
        return (
            f"The path eats data, most likely: {never}, and the SYN-ACK did not come again, as it would by now from a "
            "full accept queue. Otherwise the server's accept queue is full and it answered with a SYN cookie."
        )
    return (
        f"Accept starvation, or a path that eats data: {never}. Wait for longer than a second: from a full accept "
        "queue the SYN-ACK comes again then, SYN cookies apart."
    )


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _silent(report: DataReport, port: int) -> str:
    """Nothing was sent and nothing came: what speaks for a full queue, for TCP_DEFER_ACCEPT, or for neither."""
    again = report.syn_acks_received
    if again > 1:
        return (
            f"The SYN-ACK came again {_times(again)} after the handshake: the server's accept queue is full, and its "
            "kernel has dropped the last ACK (accept starvation)."
        )
    if again == 1:
        known = report.waited_us >= _FULL_REPEATS_TWICE_US
        full = "a full accept queue that has room by now" if known else "a full accept queue"
        return (
            "The SYN-ACK came again after the handshake: TCP_DEFER_ACCEPT, which waits for the client's data, or "
            f"{full}. `halfopen probe --await-data --send` tells: deferred, data is answered at once."
        )
    return f"{_NOT_FULL} {_who_waits(port)}" if _would_have_come_again(report) else _who_waits(port)


def _would_have_come_again(report: DataReport) -> bool:
    """Whether the wait was long enough for a SYN-ACK that comes again, and the kernel would have told of it."""
    return report.segments_received is not None and report.waited_us >= _FULL_REPEATS_US


#: When the SYN-ACK that a full accept queue answers is sent again for the first time, and for the second: a second and
#: three after the handshake, late by the timer's coarseness (fact F12, F23).
_FULL_REPEATS_US, _FULL_REPEATS_TWICE_US = 1.2e6, 3.5e6
_NOT_FULL = (
    "The server's kernel has the connection: from a full accept queue the SYN-ACK would have come again by now, SYN "
    "cookies apart."
)


def _who_waits(port: int) -> str:
    if (protocol := CLIENT_FIRST.get(port)) is not None:
        return (
            f"On port {port} the client speaks first as a rule ({protocol}): then nothing can come before it does. "
            "See the answer: `halfopen probe --await-data --send …`."
        )
    if (protocol := SERVER_FIRST.get(port)) is not None:
        return (
            f"On port {port} the server speaks first as a rule ({protocol}): nobody calls accept(), the application is "
            "busy, or TCP_DEFER_ACCEPT makes it wait for the client."
        )
    return (
        "The server waits for the client to speak first, TCP_DEFER_ACCEPT makes it wait, or nobody calls accept(). "
        "`halfopen probe --await-data --send …` tells: data that is answered was waited for; acknowledged only, nobody "
        "reads it; not even that, the accept queue is full or the path eats data."
    )
