"""The causes on this host of connects to one address: what the connects tell, put to ``local_causes``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.rules.local_causes import local_causes
from halfopen.rules.policy_routing import Flow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from halfopen.model.cause import LocalCause
    from halfopen.model.probe import ProbeResult
    from halfopen.rules.path import Path
    from halfopen.rules.space import Space


@dataclass(slots=True)
class Syns:
    """SYNs to one address."""

    sent: int = 0
    lost: int = 0
    """All of connects that failed, all but the last of the others: a rule that counted fewer did not stop them."""

    @classmethod
    def of(cls, results: Iterable[ProbeResult]) -> Self:
        """Those of all connects to it."""
        syns = cls()
        for result in results:
            syns.add(result)
        return syns

    def add(self, result: ProbeResult) -> None:
        """One more connect."""
        sent = result.handshake.syn_sent or 0
        self.sent += sent
        self.lost += result.syn_retransmissions if result.established else sent


@dataclass(frozen=True, slots=True)
class Asked:
    """What the connects asked of their sockets."""

    syn_retries: int | None = None
    """``TCP_SYNCNT``, where they have their own."""
    mark: int = 0
    """``SO_MARK``."""
    interface: str | None = None
    """``SO_BINDTODEVICE``."""


def flow_of(result: ProbeResult, asked: Asked = Asked()) -> Flow:
    """What a connect sends, for the routes."""
    row = result.handshake
    return Flow(row.server, row.client, row.server_port, mark=asked.mark, interface=asked.interface)


def connect_causes(
    result: ProbeResult,
    syns: Syns,
    way: Path,
    space: Space,
    asked: Asked = Asked(),
) -> tuple[LocalCause, ...]:
    """What on this host could have made a connect fail or wait, the most likely first.

    Args:
        result: the connect that stands for those to its address.
        syns: of all connects to that address.
        way: the namespaces of this host that they came through.
        space: the one that they were made from.
        asked: what the connects asked of their sockets.
    """
    row = result.handshake
    return local_causes(
        space.now,
        row.server,
        row.server_port,
        source=row.client,
        errno=row.errno,
        syn_retries=asked.syn_retries,
        before=space.before,
        interval_s=space.interval_s,
        established=result.established,
        path=way,
        lost=syns.lost,
        icmp_from=row.icmp_from,
        mark=asked.mark,
        interface=asked.interface,
    )
