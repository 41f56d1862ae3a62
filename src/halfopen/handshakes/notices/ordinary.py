"""The endpoints whose failures neither a flood nor a scan explains: only these deserve sentences of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.handshakes.notices.flood import flooded
from halfopen.handshakes.notices.scan import scanned

if TYPE_CHECKING:
    from halfopen.model.summary import Endpoint, Host, Summary


def ordinary_endpoints(summary: Summary) -> list[Endpoint]:
    """Endpoints that are neither flooded nor on a scanned address."""
    floods = {(row.server, row.server_port) for row in flooded(summary)}
    scans = {host.server for host in scanned(summary)}
    return [row for row in summary.endpoints if (row.server, row.server_port) not in floods and row.server not in scans]


def ordinary_silent_hosts(summary: Summary) -> list[Host]:
    """Addresses that never answered and are neither flooded nor scanned."""
    aside = {row.server for row in flooded(summary)} | {host.server for host in scanned(summary)}
    return [host for host in summary.silent_hosts if host.server not in aside]
