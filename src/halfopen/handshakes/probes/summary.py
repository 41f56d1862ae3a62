"""The numbers of the connects to one address, counted one by one in bounded memory."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

from halfopen.handshakes.percentiles import latency
from halfopen.model.probe import FastOpenCounts, ProbeSummary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halfopen.model.probe import FastOpenReport, ProbeResult

#: Times that are kept for the percentiles, the latest ones: at one probe a second those of eleven days.
KEPT = 1_000_000


class Tally:
    """Counts results as they come; ``summary()`` at any time."""

    def __init__(self, kept: int = KEPT) -> None:
        self._outcomes: Counter[str] = Counter()
        self._attempts = self._established = self._satisfied = self._syn_sent = self._syn_lost = 0
        self._connect_us: deque[float] = deque(maxlen=kept)
        self._rtt_us: deque[float] = deque(maxlen=kept)
        self._first_byte_us: deque[float] = deque(maxlen=kept)
        self._previous_us: float | None = None
        self._differences, self._difference_us = 0, 0.0
        self._fast_open: FastOpenCounts | None = None

    def add(self, result: ProbeResult) -> None:
        """Count one."""
        self._attempts += 1
        self._outcomes[result.ending] += 1
        self._established += result.established
        self._satisfied += result.satisfied
        sent = result.handshake.syn_sent or 0
        self._syn_sent += sent
        # Of SYNs that were all in vain none was answered; of others all but the one that was.
        self._syn_lost += sent if result.ending == "timeout" else result.syn_retransmissions
        self._add_times(result)
        if result.fast_open is not None:
            self._fast_open = _counted(self._fast_open or FastOpenCounts(), result, result.fast_open)

    def _add_times(self, result: ProbeResult) -> None:
        report = result.fast_open
        if report is not None and report.syn_data_bytes is None:
            return  # it asked for a cookie at most: its times are those of an ordinary connect
        connect_us = result.handshake.connect_us if result.established else None
        if connect_us is not None:
            self._connect_us.append(connect_us)
            if self._previous_us is not None:
                self._differences += 1
                self._difference_us += abs(connect_us - self._previous_us)
        self._previous_us = connect_us
        if result.rtt_us is not None:
            self._rtt_us.append(result.rtt_us)
        if result.handshake.first_byte_us is not None:
            self._first_byte_us.append(result.handshake.first_byte_us)

    def summary(self) -> ProbeSummary:
        """The numbers so far."""
        return ProbeSummary(
            attempts=self._attempts,
            established=self._established,
            satisfied=self._satisfied,
            endings=dict(self._outcomes),
            syn_sent=self._syn_sent,
            syn_lost=self._syn_lost,
            connect_us=latency(self._connect_us),
            rtt_us=latency(self._rtt_us),
            first_byte_us=latency(self._first_byte_us),
            jitter_us=self._difference_us / self._differences if self._differences else None,
            fast_open=self._fast_open,
        )


def _counted(counts: FastOpenCounts, result: ProbeResult, report: FastOpenReport) -> FastOpenCounts:
    if report.disabled:
        return counts
    carried, done = report.syn_data_bytes is not None, result.established
    return FastOpenCounts(
        tried=counts.tried + 1,
        established=counts.established + done,
        carried=counts.carried + carried,
        accepted=counts.accepted + report.accepted,
        eaten=counts.eaten + (done and carried and report.failure == "syn_retransmitted"),
        carried_established=counts.carried_established + (done and carried),
        withheld=counts.withheld + (done and result.fast_open_withheld),
    )


def summarize(results: Iterable[ProbeResult]) -> ProbeSummary:
    """The numbers of results to one address, in the order in which they were made."""
    tally = Tally()
    for result in results:
        tally.add(result)
    return tally.summary()
