"""How one connect ended, and where its time went: a line for the eye, and a reason for who asks why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.connect_errors import connect_error
from halfopen.knowledge.icmp import icmp_words
from halfopen.model.quantity import duration, plural

if TYPE_CHECKING:
    from halfopen.model.handshake import Handshake
    from halfopen.model.probe import ProbeResult


#: A SYN is sent again after 1 s at the earliest (RFC 6298 section 2.1), unless an ACK came in answer: a server that
#: still has a connection of this four-tuple sends one, and the kernel then tries again within some ticks of its clock.
_RTO_LEAST_US = 0.9e6

#: A shorter wait for a processor is what every program has now and then.
_WAIT_LEAST_US = 1000.0

#: Linux's timestamps (RFC 7323) count milliseconds, and it never takes less than one of them for a round trip
#: (``tcp_rtt_tsopt_us``): with a tick between SYN and answer, or none, it may be anything below two.
_GRAIN_US = 1000.0


def headline(result: ProbeResult) -> str:
    """One line: «connected in 312 µs, SYN round trip 280 µs», «refused after 41 µs (ECONNREFUSED)»."""
    row = result.handshake
    after = f"after {duration(row.connect_us)}"
    errno = f" ({row.errno})" if row.errno else ""
    if result.established:
        return _connected(result)
    if row.icmp_type is not None:
        whose = f", said by {row.icmp_from}" if row.icmp_from else ""
        return f"unreachable {after}{errno}: ICMP {icmp_words(row)}{whose}"
    if result.ending == "timeout":
        sent = f"{plural(row.syn_sent or 0, 'SYN')} sent"
        if result.interrupted:
            return f"interrupted {after}, {sent}, no answer yet"
        return (
            f"no answer {after}{errno}, {sent}" if row.errno else f"no answer within {duration(row.connect_us)}, {sent}"
        )
    if result.ending == "refused":
        return f"{'reset' if row.errno == 'ECONNRESET' else 'refused'} {after}{errno}"
    if not row.syn_sent:
        return f"nothing sent{errno}"
    return f"failed {after}{errno}"


def _connected(result: ProbeResult) -> str:
    row = result.handshake
    text = f"connected in {duration(row.connect_us)}{_kept_waiting(result)}"
    if result.syn_retransmissions:
        return f"{text} ({lost(result)})"
    return text if result.rtt_us is None else f"{text}, SYN round trip {duration(result.rtt_us)}"


def _kept_waiting(result: ProbeResult) -> str:
    """What was this host's own delay, where that was most of a time that one would notice."""
    wait_us, whole_us = result.processor_wait_us, result.handshake.connect_us
    if wait_us is None or whole_us is None or wait_us < _WAIT_LEAST_US or wait_us < whole_us / 2:
        return ""
    return f", {duration(min(wait_us, whole_us))} of it waiting for a processor here"


def lost(result: ProbeResult) -> str:
    """«first SYN lost: 1 s back-off + 31 ms»: what retransmission made of the time."""
    row, count = result.handshake, result.syn_retransmissions
    wait_us, whole_us = row.retransmit_wait_us, row.connect_us
    if count == 1 and wait_us is not None and wait_us < _RTO_LEAST_US:
        return f"first SYN met an old connection of the same port: sent again after {duration(wait_us)}"
    # Only the answer's timestamp proves which SYN it answers; without it the first may have been answered in vain.
    doubt = (
        "" if result.retransmit_wait_method == "timestamp" else " or its answer" if count == 1 else " or their answers"
    )
    what = f"first SYN{doubt} lost" if count == 1 else f"{count} SYNs{doubt} lost"
    if wait_us is None or whole_us is None:
        return what
    rest_us = max(whole_us - wait_us, 0.0)
    coarse = result.retransmit_wait_method == "timestamp" and rest_us <= _GRAIN_US
    return f"{what}: {duration(wait_us)} back-off + {'less than 2 ms' if coarse else duration(rest_us)}"


def reason(result: ProbeResult, *, fixed_port: bool = False) -> str | None:
    """Why it ended so, in whole sentences; None where there is nothing to explain.

    Args:
        result: one connect.
        fixed_port: whether the local port was asked for.
    """
    row = result.handshake
    if result.established:
        return _NO_RTT if result.syn_retransmissions else None
    if row.icmp_type is not None:
        return _who_said(row)
    if row.errno == "EADDRNOTAVAIL" and fixed_port:
        return _PORT_TAKEN
    if result.ending == "timeout":
        return None if result.interrupted else _SILENCE
    return None if row.errno is None else f"{row.errno}: {connect_error(row.errno)}."


_NO_RTT = (
    "With a retransmitted SYN the kernel's own round trip is not valid: it would contain the wait, or be known to the "
    "millisecond only."
)
_SILENCE = (
    "No SYN-ACK, no RST, no ICMP: something drops the SYN (a packet filter, here, on the way or there), the host is "
    "off, its accept queue is full, or the answer finds no way back."
)
_PORT_TAKEN = (
    "EADDRNOTAVAIL: the local port asked for is taken for this destination by another connection, open or just closed."
)


def _who_said(row: Handshake) -> str:
    """An ICMP error is worth what its sender knows."""
    words = f"ICMP «{icmp_words(row)}»"
    if row.icmp_from is None:
        return f"{words}: the kernel does not say from whom."
    if row.icmp_from == row.client:
        neighbour = "no neighbour answers ARP or ND for that address, or " if row.neighbour_is_silent else ""
        return f"{words} from this host itself: {neighbour}a rule of its own packet filter rejects the SYN."
    if row.icmp_from == row.server:
        return f"{words} from the target itself: it is up, and its packet filter rejects the SYN."
    return f"{words} from {row.icmp_from}, a router on the way: the target was never reached."
