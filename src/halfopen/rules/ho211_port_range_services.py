"""HO211: local ports are chosen from ports on which services listen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import listed
from halfopen.rules.ports import is_reserved
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.listening import Listening
    from halfopen.rules.space import Space

RANGE, RESERVED = "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports"
#: The default range begins here. Listeners above are mostly such that asked for any port.
DEFAULT_LOW = 32768


class PortRangeServices(Rule):
    """The range of local ports was widened over ports on which services listen.

    ## What it finds
    A listener on a port below 32768 that lies in `ip_local_port_range` and is not reserved.

    ## Why it matters
    While the service runs nothing happens. When it is restarted, an outgoing connection may have taken its port in the
    meantime, and the service fails to start with «Address already in use», once in a while and without a pattern.

    ## Evidence
    The range, the reserved ports, and the listeners in it.

    ## Confirm by hand
    `sysctl net.ipv4.ip_local_port_range net.ipv4.ip_local_reserved_ports`; `ss -ltn`.

    ## Remedy
    Reserve the services' ports: they are then left out when a port is chosen, and can still be bound.

    ## When it is wrong
    A listener that asked for any free port and got this one.

    ## References
    Documentation/networking/ip-sysctl.rst; ip(7).
    """

    code = "HO211"
    name = "port-range-over-services"
    severity = "notice"
    harm = "risk"
    proof = "port-range"
    needs = ("sockets", "sysctls")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            found = _inside(space)
            if not found:
                continue
            ports = sorted({listening.port for listening in found})
            present = space.now.sysctls.get(RESERVED, "").strip()
            want = ",".join([*([present] if present else []), *map(str, ports)])
            yield self.finding(
                space.key(RANGE),
                f"Outgoing connections may take the {'port' if len(ports) == 1 else 'ports'} of "
                f"{listed([one.name for one in found])} "
                "while the service is restarted.",
                (space.setting(RANGE), Evidence("services in it", ", ".join(map(str, ports)), None, "sock_diag")),
                remedy=Remedy("Reserve the ports of services.", (space.change(RESERVED, want),)),
                confirm=space.command(f"sysctl {RANGE} {RESERVED}"),
            )


def _inside(space: Space) -> list[Listening]:
    bounds = space.port_range
    if bounds is None:
        return []
    return [
        listening
        for listening in space.listening
        if bounds[0] <= listening.port <= bounds[1]
        and listening.port < DEFAULT_LOW
        and not is_reserved(space.now, listening.port)
    ]
