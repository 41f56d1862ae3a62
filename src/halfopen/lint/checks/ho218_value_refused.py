"""HO218: a value that the kernel refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.knowledge.kernel_version import MEASURED
from halfopen.knowledge.sysctl_text import Assignment
from halfopen.knowledge.sysctls import INT_MAX, Sysctl, accepted, find, pattern
from halfopen.knowledge.sysctls.names import NAMES
from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.knowledge.kernel_version import KernelVersion
    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding, Severity


class ValueRefused(Check):
    """The kernel refuses this value, and keeps what it had.

    ## What it finds
    Numbers out of the range that Linux 6.18 accepts, words where a number is needed, numbers with units or quotes, the
    wrong count of numbers, and port ranges whose bounds cannot be.

    ## Why it matters
    The write fails with «Invalid argument». `sysctl -p` goes on with the other lines and exits with 1; so does
    systemd-sysctl at boot, whose unit then counts as failed.

    ## Evidence
    The value, and what is accepted.

    ## Confirm by hand
    `sysctl -w KEY=VALUE`.

    ## Remedy
    Write a value within the range.

    ## When it is wrong
    A kernel with another range: those here were measured on 6.18, and what is known of older kernels is heeded (before
    5.10 most switches took any number). For later kernels it is a notice.

    ## References
    Linux 6.18, measured.
    """

    code = "HO218"
    name = "value-refused"
    severity = "warning"
    harm = "untidy"
    proof = "setting-writes"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        version = context.kernel.version
        for document, item in context.settings():
            row = find(item.key)
            value = item.value or ""
            if context.kernel.lacks(item.key) or _is_filled_in_later(value):
                continue
            if row is None:
                if _UNIT.fullmatch(value) and pattern(item.key) in NAMES:
                    yield self.on(
                        document, item, f"the kernel refuses {value}: it knows no units", "write a number", fails=True
                    )
            elif row.accepts is not None and row.count and (why := _refused(row, item.numbers, value, version)):
                late = version > MEASURED and item.numbers is not None
                severity: Severity | None = "notice" if late else None
                fails = not late and bool(value.strip())
                yield self.on(document, item, why, f"write {_wanted(row)}", severity=severity, fails=fails)


_UNIT = re.compile(r"\d+(?:[kKmMgG](?:i?[bB])?|[bB]|ms|min|[smh])")


def _is_filled_in_later(value: str) -> bool:
    """A script's variable, a template's placeholder: what will stand there is not known."""
    return any(mark in value for mark in ("$", "{{", "<%", "@", "`"))


def _refused(row: Sysctl, numbers: tuple[int, ...] | None, value: str, version: KernelVersion) -> str | None:
    if not value.strip():
        return "an empty value changes nothing"
    if numbers is None:
        return _unreadable(row, value)
    if not accepted(row, numbers, version):
        whose = "the kernel" if version == MEASURED else f"Linux {MEASURED}"
        return f"{whose} refuses {value} (Invalid argument): it accepts {_wanted(row)}"
    if row.key == "net.ipv4.ip_local_port_range" and len(numbers) == 2 and numbers[0] > numbers[1]:
        return "the kernel refuses a range whose end is below its begin"
    return None


def _unreadable(row: Sysctl, value: str) -> str:
    bare = value.strip().strip("\"'")
    if bare != value.strip() and Assignment(1, 1, row.key, bare).numbers:
        return "the quotes are part of the value, and the kernel refuses it"
    if row.count > 1 and re.fullmatch(r"\d+(?:\s*[,-]\s*\d+)+", bare):
        return f"the kernel refuses {value}: the numbers have blanks between them, no other mark"
    return f"{value} is no number that the kernel takes"


def _wanted(row: Sysctl) -> str:
    low, high = row.accepts or (0, INT_MAX)
    several = f"{row.count} numbers, each " if row.count > 1 else "a number "
    return f"{several}of {low} to {high}"
