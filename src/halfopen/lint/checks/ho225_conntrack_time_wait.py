"""HO225: a conntrack timeout taken for TIME_WAIT."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

_PREFIX = "net.netfilter.nf_conntrack_tcp_timeout_"
KEYS = (f"{_PREFIX}time_wait", f"{_PREFIX}fin_wait")
DEFAULT_S = 120

_TIME_WAIT = re.compile(r"time[ _-]?wait", re.IGNORECASE)


class ConntrackTimeWait(Check):
    """Timeouts of connection tracking do not shorten TCP's TIME_WAIT.

    ## What it finds
    `nf_conntrack_tcp_timeout_time_wait` or `_fin_wait` lowered in a file whose comment or other lines are about
    TIME_WAIT.

    ## Why it matters
    They say how long the firewall remembers a closed connection. TCP keeps its own TIME_WAIT for 60 s, whatever they
    say.

    ## Evidence
    The value and the comment.

    ## Confirm by hand
    `ss -tano state time-wait`.

    ## Remedy
    Keep the line if the table of connections is what is to be relieved, and say so.

    ## When it is wrong
    When exactly that is meant.

    ## References
    Documentation/networking/nf_conntrack-sysctl.rst.
    """

    code = "HO225"
    name = "conntrack-is-not-time-wait"
    severity = "notice"
    harm = "untidy"
    proof = "clients-behind-nat"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        about_time_wait = {
            document.path
            for document in context.documents
            if any("tcp_tw_" in other.key for other in document.settings)
        }
        for document, item in context.settings(*KEYS):
            lowered = item.number is not None and item.number < DEFAULT_S
            if lowered and (_TIME_WAIT.search(item.comment) or document.path in about_time_wait):
                yield self.on(
                    document,
                    item,
                    "it is the firewall's memory of closed connections: TCP's own TIME_WAIT stays 60 s",
                    "keep it only to relieve the table of tracked connections",
                )
