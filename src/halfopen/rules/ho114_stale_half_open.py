"""HO114: half-open requests remain of a listener that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context


class StaleHalfOpen(Rule):
    """Half-open requests remain of a listener that was closed.

    ## What it finds
    Rows in SYN_RECV for an address and port on which nothing listens any more.

    ## Why it matters
    Their clients were in the middle of a handshake when the listener was closed, as in a restart: the next ACK of each
    is answered by a RST. The rows themselves do no harm and vanish after the SYN-ACK's last retransmission (64 s by
    default).

    ## Evidence
    The rows, by their local port.

    ## Confirm by hand
    `ss -tan state syn-recv` against `ss -ltn`.

    ## Remedy
    None is needed. To lose no client in a restart, hand the listening socket over (systemd socket activation,
    SO_REUSEPORT with `tcp_migrate_req=1`, the server's own graceful upgrade).

    ## When it is wrong
    A listener that was opened and closed within the time of reading.

    ## References
    Linux `net/ipv4/inet_connection_sock.c` `inet_csk_listen_stop`.
    """

    code = "HO114"
    name = "stale-half-open"
    severity = "notice"
    harm = "untidy"
    proof = "half-open-left"
    needs = ("sockets",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            if space.now.sockets is None or not space.now.sockets.stale_syn_recv:
                continue
            yield self.finding(
                space.whole(),
                "A listener was closed while clients were in the middle of a handshake; they will be reset.",
                (
                    Evidence(
                        "half-open requests without a listener",
                        space.now.sockets.stale_syn_recv,
                        "requests",
                        "sock_diag",
                    ),
                ),
                confirm=space.command("ss -tan state syn-recv"),
            )
