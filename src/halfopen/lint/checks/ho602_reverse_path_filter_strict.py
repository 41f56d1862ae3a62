"""HO602: strict reverse path filtering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.conf.*.rp_filter"
ALL = "net.ipv4.conf.all.rp_filter"
STRICT = 1


class ReversePathFilterStrict(Check):
    """Strict reverse path filtering drops SYNs that come in by another interface than the answer leaves by.

    ## What it finds
    Lines that set `rp_filter` to 1.

    ## Why it matters
    On a host with several interfaces, with policy routing, or behind routes that are not the same both ways, SYNs and
    SYN-ACKs of real peers are dropped. No log and no counter of TCP tells of it. The larger of `conf.all` and the
    interface's counts, so that an interface cannot be exempted with 0 where `conf.all` is 1; with 2 it can.

    ## Evidence
    The value in the file.

    ## Confirm by hand
    `nstat -az TcpExtIPReversePathFilter`.

    ## Remedy
    2 drops only packets whose source has no route at all. Keep 1 where each peer has one way in and out, and forged
    sources are to be kept out.

    ## When it is wrong
    On a host with one interface and one way.

    ## References
    RFC 3704; Linux `net/ipv4/fib_frontend.c`, `__fib_validate_source`.
    """

    code = "HO602"
    name = "reverse-path-filter-strict"
    severity = "notice"
    harm = "risk"
    proof = "filters"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every line that makes it strict."""
        for document, item in context.settings(KEY):
            if item.number != STRICT:
                continue
            everywhere = "; 0 of an interface does not exempt it" if item.key == ALL else ""
            yield self.on(
                document,
                item,
                "1 drops in silence what comes in by another interface than the answer would leave by" + everywhere,
                "2 drops only sources without a route; 1 fits where each peer has one way",
            )
