"""When a SYN is sent again here, and when the kernel gives up: no cause, but what the caller sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.syn_retries import LATE_SHARE, RTO_MAX_S, gives_up_after_s, syn_times_s
from halfopen.model.cause import LocalCause
from halfopen.model.quantity import duration, listed, plural

if TYPE_CHECKING:
    from halfopen.rules.causes.way import Way
    from halfopen.rules.space import Space


#: So many times at most are said.
_SHOWN = 8


def check(space: Space, way: Way) -> LocalCause | None:
    """When a SYN is sent again here, and when the kernel gives up."""
    count = space.sysctl("net.ipv4.tcp_syn_retries") if way.syn_retries is None else way.syn_retries
    if count is None:
        return None
    linear = space.sysctl("net.ipv4.tcp_syn_linear_timeouts") or 0
    longest = (space.sysctl("net.ipv4.tcp_rto_max_ms") or RTO_MAX_S * 1000) / 1000
    limit, times = gives_up_after_s(count, linear, longest), syn_times_s(count, linear, longest)
    sentence = (
        f"Without an answer the kernel sends the SYN again after {_when(times[1:])}, and connect() gives up after "
        f"{duration(limit * 1e6)} to "
        f"{duration(limit * (1 + LATE_SHARE) * 1e6)}, unless the program gives up earlier."
    )
    others = ("tcp_syn_linear_timeouts", "tcp_rto_max_ms")
    evidence = tuple(
        item
        for key in (others if way.syn_retries else ("tcp_syn_retries", *others))
        if (item := space.setting(f"net.ipv4.{key}")) is not None
    )
    confirm = None if way.syn_retries else space.command("sysctl net.ipv4.tcp_syn_retries")
    return LocalCause("retries", "fact", sentence, evidence, confirm=confirm)


def _when(times: tuple[float, ...]) -> str:
    """«1, 3 and 7 s»; the first eight of many: «1, 2, 3, 4, 5, 7, 11, 19 s and 2 times more»."""
    shown, more = times[:_SHOWN], len(times) - _SHOWN
    words = [f"{seconds:g}" for seconds in shown]
    return f"{listed(words, most=_SHOWN)} s" if more <= 0 else f"{', '.join(words)} s and {plural(more, 'time')} more"
