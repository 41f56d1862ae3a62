"""``halfopen doctor HOST:PORT --capture``: the packets of the connects, and what the tracker makes of them.

The packet socket takes all three packets of a handshake, IPv4 and IPv6, tagged or not, and ICMP errors, on every
interface of this network namespace; the rest of the way is ``halfopen trace``.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from halfopen.errors import NotAvailableError, OutputError
from halfopen.model.verdict import Packets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halfopen._core import CaptureReportDict
    from halfopen.active.resolve import Resolution
    from halfopen.cli.doctor_options import DoctorOptions
    from halfopen.model.handshake import Handshake
    from halfopen.model.probe import ProbeResult

#: The doctor's connects end long before; a capture that nobody stops ends by itself.
TIME_MAX_S = 300.0
PACKETS_MAX = 100_000
#: What the kernel's filter takes.
ADDRESSES_MAX = 4


class Shown:
    """What the capture showed, once it is over.

    Attributes:
        packets: None where nothing was captured.
        rows: its handshakes.
    """

    packets: Packets | None = None
    rows: tuple[Handshake, ...] = ()

    def of(self, results: Sequence[ProbeResult]) -> Packets | None:
        """With what of it belongs to these connects, by their local addresses and ports."""
        if self.packets is None:
            return None
        ends = {(result.handshake.client, result.handshake.client_port) for result in results}
        own = [row for row in self.rows if (row.client, row.client_port) in ends]
        syns = sum(row.syn_sent or 0 for row in own)
        return replace(self.packets, own_syn_sent=syns, own_syn_ack_sent=sum(row.syn_ack_sent or 0 for row in own))


@contextmanager
def capturing(options: DoctorOptions, resolution: Resolution | None) -> Iterator[Shown]:
    """Capture while the body connects, if it was asked for and there is somebody to connect to.

    Raises:
        PrivilegeError: without CAP_NET_RAW.
        OutputError: the file cannot be written.
    """
    shown = Shown()
    if resolution is None or not (options.capture or options.pcap is not None):
        yield shown
        return
    from halfopen._core import Capture

    with TemporaryDirectory(prefix="halfopen-") as directory:
        path = Path(options.pcap) if options.pcap is not None else Path(directory, "connects.pcap")
        try:
            capture = Capture(
                path,
                addresses=resolution.addresses[:ADDRESSES_MAX],
                ports=[resolution.target.port],
                time_max_s=TIME_MAX_S,
                packets_max=PACKETS_MAX,
            )
        except (NotAvailableError, OSError) as error:
            why = error.why if isinstance(error, NotAvailableError) else error.strerror or str(error)
            raise OutputError("cannot write", str(path), why) from error
        try:
            yield shown
        finally:
            report = capture.stop()
        shown.packets, shown.rows = _judged(path, report, options.pcap)


def _judged(path: Path, report: CaptureReportDict, kept: str | None) -> tuple[Packets, tuple[Handshake, ...]]:
    from halfopen.capture.trace import trace

    read = trace(path)
    rows = tuple(read)
    packets = Packets(
        packets=report["packets"],
        dropped=report["dropped"],
        outcomes={name: count for name, count in read.summary.outcomes.items() if count},
        syn_sent=sum(row.syn_sent or 0 for row in rows),
        syn_ack_sent=sum(row.syn_ack_sent or 0 for row in rows),
        sentences=tuple(notice.text for notice in read.notices),
        file=kept,
    )
    return packets, rows
