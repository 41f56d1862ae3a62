"""HO214: a setting of a module was not there when the files were applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctl_files import is_late
from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.files import file_settings, same_value
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context


class SkippedAtBoot(Rule):
    """A file sets a key of a module that was loaded after the files were applied.

    ## What it finds
    A key of connection tracking or of the bridge that a file sets and that has another value, or is not there yet.

    ## Why it matters
    The key exists only once its module is loaded, which happens with the first firewall rule or container: after boot
    has applied the files. systemd-sysctl skips missing keys and succeeds: its line in the journal is all. So the limit
    that was raised with care is the default again after each reboot.

    ## Evidence
    The line, and the running value.

    ## Confirm by hand
    `sysctl KEY`; `lsmod | grep conntrack`; `journalctl -u systemd-sysctl`.

    ## Remedy
    Have the module loaded before: its name in a file of /etc/modules-load.d. Until the next boot, set it by hand.

    ## When it is wrong
    Somebody changed the value since.

    ## References
    sysctl.d(5); modules-load.d(5).
    """

    code = "HO214"
    name = "setting-skipped-at-boot"
    severity = "notice"
    harm = "risk"
    proof = "settings-in-files"
    needs = ("sysctls", "setting_files")
    absorbs = ("HO213",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each key."""
        for space, key, outcome in file_settings(context):
            running = space.now.sysctls.get(key)
            if not is_late(key) or (running is not None and same_value(outcome.winner.value, running)):
                continue
            place = outcome.winner
            state = "the key is not there yet" if running is None else f"{running} is running"
            module = "br_netfilter" if key.startswith("net.bridge.") else "nf_conntrack"
            yield self.finding(
                space.key(key),
                f"{place} says {place.value}, and {state}: the module is loaded after the files are applied.",
                (Evidence("the line", place.value, None, str(place)), space.setting(key, "running")),
                remedy=Remedy(
                    f"Have {module} loaded at boot.",
                    () if running is None else (space.change(key, place.value),),
                    (f"Write {module} into a file in /etc/modules-load.d.",),
                ),
                confirm=f"sysctl {key}",
                severity="warning" if running is not None else None,
                confidence="likely" if running is not None else "certain",
            )
