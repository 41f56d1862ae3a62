"""HO212: the list of reserved ports was cut when it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctl_files import value_of
from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.ports import ports_named
from halfopen.rules.rule import Rule
from halfopen.rules.setting_rule import reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

KEY = "net.ipv4.ip_local_reserved_ports"
#: proc_do_large_bitmap() reads at most a page less one byte.
WRITE_MAX = 4095


class ReservedTruncated(Rule):
    """The list of reserved ports was cut when it was written.

    ## What it finds
    A file that sets `ip_local_reserved_ports` to more than 4095 bytes, and fewer ports reserved than it names.

    ## Why it matters
    The kernel reads 4095 bytes of such a write and drops the rest without an error. Ports at the end of the list are
    not reserved.

    ## Evidence
    The ports that the file names, and those that are reserved.

    ## Confirm by hand
    `sysctl -n net.ipv4.ip_local_reserved_ports`, and count.

    ## Remedy
    Write ranges (`9000-9099`) instead of single ports, so that it fits.

    ## When it is wrong
    The setting was changed by hand after boot.

    ## References
    Linux `kernel/sysctl.c` `proc_do_large_bitmap`.
    """

    code = "HO212"
    name = "reserved-ports-truncated"
    severity = "warning"
    harm = "risk"
    proof = "settings-in-files"
    needs = ("sysctls", "setting_files")

    def check(self, context: Context) -> Iterator[Finding]:
        """At most one finding: files are the host's."""
        space = context.host
        place = None if space is None else value_of(KEY, context.now.setting_files, reader(context))
        if space is None or place is None or len(place.value) <= WRITE_MAX or KEY not in space.now.sysctls:
            return
        named, held = ports_named(place.value), ports_named(space.now.sysctls[KEY])
        if missing := len(named - held):
            yield self.finding(
                space.key(KEY),
                f"{place} is longer than the kernel reads in one write: the ports at its end are not reserved.",
                (
                    Evidence("ports in the file", len(named), "ports", str(place)),
                    Evidence("ports reserved", len(held), "ports", f"/proc/sys/{KEY.replace('.', '/')}"),
                    Evidence("missing", missing, "ports", str(place)),
                ),
                remedy=Remedy(
                    "Write ranges instead of single ports, and read the setting back.", (), (f"Edit {place}.",)
                ),
                confirm=f"sysctl -n {KEY} | tr , '\\n' | wc -l",
            )
