"""HO102: somaxconn was raised, and a listener still has the old limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence
from halfopen.rules.backlog import SOMAXCONN, bound, raise_backlog
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context


class StaleBacklog(Rule):
    """A listener still has the limit of an older `somaxconn`.

    ## What it finds
    A listening socket whose limit is that of a `net.core.somaxconn` that has been changed since.

    ## Why it matters
    The kernel takes min(backlog, somaxconn) when listen() is called, and never again. Raising the setting helps no
    listener that runs already: people raise it, see no change, and look elsewhere. (After lowering it, the old limit
    stays as well.)

    ## Evidence
    The limit of the socket, `somaxconn` now, and either `somaxconn` before, or the backlog that the program is known to
    ask for.

    ## Confirm by hand
    `ss -ltn` shows the limit as `Send-Q`; compare `sysctl net.core.somaxconn`.

    ## Remedy
    Restart the application, or have it call listen() again on the same socket, which takes effect at once and loses
    nothing.

    ## When it is wrong
    With one snapshot it is a guess from the usual caps (128, 4096) and the program's default: the program may have been
    told that number.

    ## References
    Linux `net/socket.c` `__sys_listen_socket`, `net/ipv4/af_inet.c` `__inet_listen_sk`;
    Documentation/networking/ip-sysctl.rst.
    """

    code = "HO102"
    name = "stale-backlog"
    severity = "notice"
    harm = "risk"
    proof = "backlog-and-somaxconn"
    needs = ("sockets", "sysctls")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each address and port."""
        for space in context.spaces:
            for listening in space.listening:
                why = bound(space, listening.first)
                if (
                    why is None
                    or why.kind != "stale"
                    or listening.first.accept_queue_limit > (space.sysctl(SOMAXCONN) or 0)
                ):
                    continue
                yield self.finding(
                    space.subject("listener", listening.name, **listening.identity()),
                    f"The change of {SOMAXCONN} has not reached this listener: {why.sentence}.",
                    (
                        Evidence(
                            "its limit", listening.first.accept_queue_limit, "connections", "sock_diag idiag_wqueue"
                        ),
                        space.setting(SOMAXCONN),
                    ),
                    remedy=raise_backlog(space, listening.first),
                    confirm=space.command(f"ss -ltn 'sport = :{listening.port}'"),
                    confidence="certain" if why.certain else "possible",
                )
