"""HO220: a port range whose bounds are both even or both odd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.ip_local_port_range"
PORT_MAX = 65535


class PortRangeParity(Check):
    """A range of local ports wants one even and one odd bound.

    ## What it finds
    `net.ipv4.ip_local_port_range` whose bounds have the same parity.

    ## Why it matters
    connect() takes ports of the lower bound's parity first, bind(0) the others: with bounds of one parity the two
    halves differ by one, and the kernel logs a message once.

    ## Evidence
    The two bounds.

    ## Confirm by hand
    `dmesg | grep ip_local_port_range`.

    ## Remedy
    Make one bound even and the other odd.

    ## When it is wrong
    Never; it is only untidy.

    ## References
    Linux `net/ipv4/sysctl_net_ipv4.c`, `ipv4_local_port_range`.
    """

    code = "HO220"
    name = "port-range-parity"
    severity = "notice"
    harm = "untidy"
    proof = "bind-before-connect"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, item in context.settings(KEY):
            numbers = item.numbers
            if numbers and len(numbers) == 2 and numbers[0] < numbers[1] and (numbers[0] - numbers[1]) % 2 == 0:
                yield self.on(
                    document,
                    item,
                    "both bounds are "
                    + ("odd" if numbers[0] % 2 else "even")
                    + ": the kernel wants one of each, and logs it",
                    f"write {numbers[0]} {numbers[1] - 1 if numbers[1] == PORT_MAX else numbers[1] + 1}",
                    want=f"{numbers[0]} {numbers[1] - 1 if numbers[1] == PORT_MAX else numbers[1] + 1}",
                )
