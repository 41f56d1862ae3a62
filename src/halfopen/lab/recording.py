"""The packets of one host, kept in memory, and what the tracker makes of them: ``halfopen trace`` inside an experiment.

A packet socket sees what arrives before any packet filter, and what leaves behind it. Nothing is written to a disk: the
capture is a file in memory (``memfd_create``), which ends with the process as the namespaces do.
"""

from __future__ import annotations

import os
import socket
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from halfopen import _core
from halfopen.capture.exchanges import read_exchanges
from halfopen.capture.trace import trace
from halfopen.model.exchange import ExchangePacket
from halfopen.model.quantity import plural
from halfopen.render.ladder import flag_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halfopen.lab.namespace import Namespace
    from halfopen.model.exchange import Exchange
    from halfopen.model.handshake import Handshake

#: 300 bytes each at most: a host's recording ends there, and says so.
PACKETS_MAX = 400_000


class Recording:
    """Every TCP packet and ICMP error that a host sees, from now until ``stop``.

    Attributes:
        host: whose packets these are.
        name: of the host, with the label of its network where there are several.
        path: of the file in memory, for this process only.
        interfaces: {number: name} of the host, once it is stopped.
        dropped: packets that are not in it, once it is stopped.
        limited: it ended with ``PACKETS_MAX`` packets, once it is stopped.
    """

    def __init__(self, host: Namespace, label: str = "", *, ports: Sequence[int] = ()) -> None:
        self.host = host
        self.name = f"{host.name} ({label})" if label else host.name
        self.interfaces: dict[int, str] = {}
        self.dropped = 0
        self.limited = False
        self._descriptor = os.memfd_create(f"halfopen-lab-{host.name}")
        self.path = f"/proc/self/fd/{self._descriptor}"
        self._capture: _core.Capture | None = host.run(self._begin, ports)

    def _begin(self, ports: Sequence[int]) -> _core.Capture:
        return _core.Capture(self.path, everything=True, ports=list(ports) or None, packets_max=PACKETS_MAX)

    def stop(self) -> None:
        """What has arrived until now is in the file; again, it does nothing."""
        if self._capture is None:
            return
        self.interfaces = dict(self.host.run(socket.if_nameindex))
        report = self._capture.stop()
        self.dropped, self.limited = report["dropped"], report["limited"]
        self._capture = None

    def close(self) -> None:
        """Let the packets go."""
        self.stop()
        os.close(self._descriptor)

    def gaps(self) -> Iterator[str]:
        """Why packets of the host are not in it, a sentence for each reason."""
        self.stop()
        if self.dropped:
            yield f"{plural(self.dropped, 'packet')} of the {self.name} came too fast to be kept"
        if self.limited:
            yield f"of the {self.name} there are only the first {plural(PACKETS_MAX, 'packet')}"

    def handshakes(self) -> list[Handshake]:
        """The tracker's records, by their begin."""
        self.stop()
        return [replace(row, source=self._source) for row in trace(self.path)]

    def outcomes(self) -> str:
        """«9 established, 91 unanswered»: the tracker's word for each handshake."""
        counts = Counter(row.outcome for row in self.handshakes())
        return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "none"

    def exchanges(self, numbers: Sequence[int]) -> tuple[Exchange, ...]:
        """The packets of some of the handshakes, by the record's ``number``."""
        self.stop()
        found = read_exchanges([self.path], numbers).exchanges
        return tuple(
            replace(each, handshake=replace(each.handshake, source=self._source), files=(self._source,))
            for each in found
        )

    def times_s(self, number: int, flags: str = "SYN") -> list[float]:
        """When the SYNs of one handshake were sent, or its SYN-ACKs: seconds since the first packet of it."""
        (exchange,) = self.exchanges([number])
        packets = [event for event in exchange.events if isinstance(event, ExchangePacket)]
        sent = [each for each in packets if flag_words(each.flags) == flags and each.time_ns is not None]
        begin = next(each.time_ns for each in packets if each.time_ns is not None)
        return [(each.time_ns - begin) / 1e9 for each in sent if each.time_ns is not None]

    @property
    def _source(self) -> str:
        return f"packets of the {self.name}"


@dataclass
class Recorder:
    """The recordings of every host of an experiment."""

    recordings: list[Recording] = field(default_factory=list)

    def begin(self, host: Namespace, label: str) -> Recording:
        """Record this host, too."""
        recording = Recording(host, label)
        self.recordings.append(recording)
        return recording
