"""When Linux sends a SYN again, and when connect() gives up.

Measured on Linux 6.18.44 for tcp_syn_retries of 1 to 6 with tcp_syn_linear_timeouts of 0 and 4, and with
tcp_rto_max_ms. Two limits act together: the number of retransmissions, which is tcp_syn_retries +
tcp_syn_linear_timeouts, and the time that tcp_syn_retries alone would take with doubling timeouts. Sources:
``net/ipv4/tcp_timer.c`` ``tcp_write_timeout``, ``retransmits_timed_out``, ``tcp_model_timeout``;
``tcp_retransmit_timer`` for the linear timeouts (since Linux 6.5).
"""

from __future__ import annotations

#: The timer of the first SYN (RFC 6298; ``TCP_TIMEOUT_INIT``).
INITIAL_S = 1.0
#: ``TCP_RTO_MAX``, and the default of tcp_rto_max_ms (since Linux 6.15).
RTO_MAX_S = 120.0
#: The timer wheel rounds long timeouts up: 3 % at most in what was measured.
LATE_SHARE = 0.04

DEFAULT_RETRIES = 6
"""``tcp_syn_retries``."""


def syn_times_s(retries: int, linear: int = 0, rto_max_s: float = RTO_MAX_S) -> tuple[float, ...]:
    """When each SYN goes out, seconds after the first (0.0).

    Args:
        retries: ``tcp_syn_retries``, or the socket's ``TCP_SYNCNT``.
        linear: ``tcp_syn_linear_timeouts``; 0 on kernels before 6.5, which have no such setting.
        rto_max_s: ``tcp_rto_max_ms`` in seconds.
    """
    return _timers(retries, linear, rto_max_s)[:-1]


def gives_up_after_s(retries: int, linear: int = 0, rto_max_s: float = RTO_MAX_S) -> float:
    """Seconds until an unanswered connect() fails with ETIMEDOUT; the kernel's timers are up to 4 % late."""
    return _timers(retries, linear, rto_max_s)[-1]


def syn_ack_gives_up_after_s(retries: int) -> float:
    """Seconds until an unanswered half-open request is dropped: ``tcp_synack_retries`` with doubling timeouts."""
    return float((1 << retries + 1) - 1)


def _timers(retries: int, linear: int, rto_max_s: float) -> tuple[float, ...]:
    """The time of each SYN, and last the one at which the kernel gives up."""
    limit_s = _doubling_s(retries, rto_max_s)
    times = [0.0]
    while True:
        sent_again = len(times) - 1
        step = min(rto_max_s, INITIAL_S * float(1 << max(0, sent_again - linear)))
        times.append(times[-1] + step)
        if sent_again >= retries + linear or times[-1] >= limit_s:
            return tuple(times)


def _doubling_s(retries: int, rto_max_s: float) -> float:
    """What ``retries`` doubling timeouts take, with the longest capped (``tcp_model_timeout``)."""
    doublings = int(rto_max_s / INITIAL_S).bit_length() - 1
    if retries <= doublings:
        return INITIAL_S * float((1 << retries + 1) - 1)
    return INITIAL_S * float((1 << doublings + 1) - 1) + (retries - doublings) * rto_max_s
