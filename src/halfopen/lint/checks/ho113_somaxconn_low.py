"""HO113: net.core.somaxconn is lowered below the kernel's own default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctls import BY_KEY
from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.core.somaxconn"


class SomaxconnLow(Check):
    """`somaxconn` below the kernel's default shortens both queues of every listener.

    ## What it finds
    `net.core.somaxconn` below the default of the kernel that the file is for: 4096, or 128 before 5.4.

    ## Why it matters
    It caps the backlog that a program passes to listen(), and so both the accept queue and the SYN queue. Files written
    for old kernels «raise» it to 1024, which lowers it today.

    ## Evidence
    The value in the file, the default of that kernel.

    ## Confirm by hand
    `ss -ltn`: Send-Q is the limit of each listener.

    ## Remedy
    Delete the line, or write 4096 or more. Programs take it up when they call listen() again.

    ## When it is wrong
    When queues are meant to be short, so that clients are turned to another server early.

    ## References
    Linux `net/socket.c`, `__sys_listen`.
    """

    code = "HO113"
    name = "somaxconn-low"
    severity = "warning"
    harm = "risk"
    proof = "nonsense-values"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every line that sets less than the default."""
        default = int(BY_KEY[KEY].default_on(context.kernel.version) or 0)
        for document, item in context.settings(KEY):
            if item.number is not None and 0 < item.number < default:
                yield self.on(
                    document,
                    item,
                    f"it lowers the cap of every listener's queues: this kernel's default is {default}",
                    f"delete the line, or write {default} or more",
                    want=str(default),
                )
