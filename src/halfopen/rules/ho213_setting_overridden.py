"""HO213: a file says one thing, and another one wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctl_files import is_late, readers_disagree
from halfopen.knowledge.sysctls import find
from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import listed
from halfopen.rules.files import file_settings, same_value
from halfopen.rules.rule import Rule
from halfopen.rules.setting_rule import reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.knowledge.sysctl_files import Outcome
    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space


class SettingOverridden(Rule):
    """A file sets a value that is not in force, because something else wins.

    ## What it finds
    A key of sysctl.d or sysctl.conf whose running value is another one, or that a later file sets otherwise. It names
    the line that wins.

    ## Why it matters
    People read the file and believe it. Files are applied in the order of their names over all directories, the last
    one wins, a file in /etc hides those of the same name elsewhere; `sysctl --system` applies /etc/sysctl.conf last,
    systemd at boot does not read it unless a link leads to it. And agents (tuned, kubelet) or a person may have set it
    since.

    ## Evidence
    The lines that set it, in the order in which they are applied, and the running value.

    ## Confirm by hand
    `sysctl KEY`; `sysctl --system --dry-run`, or `systemd-analyze cat-config sysctl.d`.

    ## Remedy
    Keep one line for each key, in a file whose name sorts last; then apply it.

    ## When it is wrong
    A container or a machine without an init that applies such files.

    ## References
    sysctl.d(5); sysctl(8).
    """

    code = "HO213"
    name = "setting-overridden"
    severity = "notice"
    harm = "untidy"
    proof = "settings-in-files"
    needs = ("sysctls", "setting_files")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each key that matters here."""
        files = context.now.setting_files
        disagree = readers_disagree(files) if reader(context) == "systemd-sysctl" else {}
        for space, key, outcome in file_settings(context):
            running = space.now.sysctls.get(key)
            if running is None or find(key) is None or (is_late(key) and not outcome.overridden):
                continue
            if cause := _cause(outcome, running, differs=key in disagree):
                yield self._at(space, key, outcome, cause)

    def _at(self, space: Space, key: str, outcome: Outcome, cause: str) -> Finding:
        return self.finding(
            space.key(key),
            cause,
            (
                *(
                    Evidence(f"{place} says", place.value, None, str(place))
                    for place in (*outcome.overridden, outcome.winner)
                ),
                space.setting(key, "running"),
            ),
            remedy=Remedy("Keep one line for the key, and apply it.", (), (f"Lines: {_lines(outcome)}.",)),
            confirm=f"sysctl {key}",
        )


def _cause(outcome: Outcome, running: str, *, differs: bool) -> str | None:
    winner = outcome.winner
    if not same_value(winner.value, running):
        why = (
            "after boot another line wins than after sysctl --system"
            if differs
            else "somebody changed it since, or it was never applied"
        )
        return f"{winner} says {winner.value}, and {running} is running: {why}."
    others = [place for place in outcome.overridden if not same_value(place.value, winner.value)]
    if others:
        return f"{others[-1]} says {others[-1].value}, but {winner} comes later and wins with {winner.value}."
    return None


def _lines(outcome: Outcome) -> str:
    return listed([str(place) for place in (*outcome.overridden, outcome.winner)], most=5)
