"""HO113: the cap on backlogs is so low that nobody, or nearly nobody, gets in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Remedy
from halfopen.rules.backlog import SOMAXCONN
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

#: The kernel's default until 5.3 (since 5.4: 4096). Nobody goes below it but by mistake.
LOWEST_DEFAULT = 128
DEFAULT = 4096


class SomaxconnLow(Rule):
    """`somaxconn` is below what any kernel ships.

    ## What it finds
    `net.core.somaxconn` below 128, the lowest default there has been (4096 since Linux 5.4).

    ## Why it matters
    It caps the accept queue *and* the SYN queue of every listener that starts from now on, whatever its program asks
    for. The kernel takes 0 without complaint; on kernels before 6.13 that, with SYN cookies off, lets nobody connect at
    all.

    ## Evidence
    The setting.

    ## Confirm by hand
    `sysctl net.core.somaxconn`.

    ## Remedy
    Set it to 4096 or more, and restart the listeners that were started under it.

    ## When it is wrong
    A machine that is meant to serve a handful of connections.

    ## References
    Linux `net/core/sysctl_net_core.c`, `net/socket.c` `__sys_listen_socket`; Documentation/networking/ip-sysctl.rst.
    """

    code = "HO113"
    name = "somaxconn-low"
    severity = "warning"
    harm = "risk"
    proof = "nonsense-values"
    needs = ("sysctls",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            cap = space.sysctl(SOMAXCONN)
            if cap is None or cap >= LOWEST_DEFAULT:
                continue
            yield self.finding(
                space.key(SOMAXCONN),
                f"Every listener that starts now is capped at {cap} waiting and {cap} half-open connections, and one "
                "more of each.",
                (space.setting(SOMAXCONN),),
                remedy=Remedy("Raise it, then restart the listeners.", (space.change(SOMAXCONN, str(DEFAULT)),)),
                confirm=space.command(f"sysctl {SOMAXCONN}"),
            )
