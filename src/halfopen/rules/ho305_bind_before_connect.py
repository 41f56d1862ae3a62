"""HO305: a program binds a source address before it connects, and so takes a port away from every destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import share
from halfopen.rules.destinations import rooms
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Confidence, Finding
    from halfopen.rules.context import Context
    from halfopen.rules.ports import Headroom

#: Fewer ports do not bound anybody.
SHARE_MIN = 0.1
#: From there on the next busy minute can use up all.
WARN_SHARE = 0.5
#: connect() by itself takes the first parity while there is one: more ports of the other are no accident from here on.
PORTS_MIN = 100

STEPS = (
    "nginx does so for proxy_bind since 1.11.4; HAProxy since 1.5.11 for `source`.",
    "In a program: setsockopt(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1) before bind().",
)


class BindBeforeConnect(Rule):
    """A program binds its source address before it connects, and takes each port away from every destination.

    ## What it finds
    A tenth of the local ports and more held by sockets that were bound to an address and port 0 before connect(),
    without IP_BIND_ADDRESS_NO_PORT.

    ## Why it matters
    bind() has to choose the port before it knows the destination, so that the port must be free for all of them: the
    whole range is shared by all destinations instead of being there for each. Ten ports then make ten connections in
    total, and not ten to each.

    ## Evidence
    Sockets known to be bound, or the parity of the ports: connect() takes ports of the lower bound's parity first,
    bind() those of the other.

    ## Confirm by hand
    `ss -tan 'src ADDRESS'`: are most local ports odd (with an even lower bound)? `strace -f -e trace=bind,connect`
    shows the calls.

    ## Remedy
    Set IP_BIND_ADDRESS_NO_PORT on the socket (Linux 4.2): connect() then chooses the port. SO_REUSEADDR does not help,
    and neither does `ip_autobind_reuse`.

    ## When it is wrong
    IP_LOCAL_PORT_RANGE uses both parities; so does connect() once the first is used up.

    ## References
    ip(7), IP_BIND_ADDRESS_NO_PORT; Linux `net/ipv4/inet_connection_sock.c` `inet_csk_find_open_port`.
    """

    code = "HO305"
    name = "bind-before-connect"
    severity = "notice"
    harm = "risk"
    proof = "bind-before-connect"
    needs = ("sockets", "sysctls")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each destination."""
        for space, room, subject in rooms(context):
            bound, confidence = _bound(room)
            if bound < max(PORTS_MIN, SHARE_MIN * room.available):
                continue
            past = bound >= WARN_SHARE * room.available
            yield self.finding(
                subject,
                f"{share(bound, room.available)} of the local ports are bound before connect(), and so lost to every "
                "destination.",
                (
                    Evidence("ports bound before connect()", bound, "ports", "sock_diag"),
                    Evidence("ports of the range", room.available, "ports", "/proc/sys/net/ipv4/ip_local_port_range"),
                    Evidence("ports of connect()'s parity", room.destination.low_parity, "ports", "sock_diag"),
                ),
                remedy=Remedy("Let the program set IP_BIND_ADDRESS_NO_PORT before bind().", (), STEPS),
                confirm=space.command(f"ss -tan 'src {room.destination.source}'"),
                severity="warning" if past else None,
                harm="growing" if past else None,
                confidence=confidence,
            )


def _bound(room: Headroom) -> tuple[int, Confidence]:
    """Ports bound before connect(): as the kernel says, or as their parity does while the first one is not used up."""
    row = room.destination
    if row.bound:
        return row.bound, "certain"
    other = row.in_range - row.low_parity
    return (
        (other - row.low_parity, "possible") if other > row.low_parity and room.share < WARN_SHARE else (0, "possible")
    )
