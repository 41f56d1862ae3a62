"""HO812: somaxconn is raised, and the program asks for less."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctls import BY_KEY
from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.core.somaxconn"


class BacklogBelowCap(Check):
    """A raised `somaxconn` does nothing for a program that asks for a smaller backlog.

    ## What it finds
    A sysctl file of the run raises `net.core.somaxconn`, and a program of the same run passes a smaller backlog to
    listen(), its own default included (nginx: 511).

    ## Why it matters
    The queue is as long as the smaller of the two. It is the most frequent reason why raised settings change nothing.

    ## Evidence
    The backlog of the program, the cap.

    ## Confirm by hand
    `ss -ltn`: Send-Q is the program's number.

    ## Remedy
    Raise the backlog in the program too, and restart or reload it so that it calls listen() again.

    ## When it is wrong
    When the program's queue is long enough and somaxconn is raised for another one.

    ## References
    Linux `net/socket.c`, `__sys_listen`; nginx, `listen`, `backlog`.
    """

    code = "HO812"
    name = "backlog-below-raised-cap"
    severity = "notice"
    harm = "risk"
    proof = "backlog-and-somaxconn"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        cap, default = context.value(KEY), BY_KEY[KEY].default_on(context.kernel.version)
        if cap is None or not context.sets(KEY) or cap <= int(default or 0):
            return
        for document, place, name, listener in context.backlogs():
            if listener.backlog is not None and 0 <= listener.backlog < cap and not listener.is_derived:
                own = "" if listener.explicit else ", its own default"
                yield self.at(
                    document,
                    place,
                    name,
                    f"the queue stays at {listener.backlog}{own}: raising net.core.somaxconn to {cap} "
                    "does nothing for it",
                    f"raise {listener.how} as well, and restart the program",
                    kind="listener",
                )
