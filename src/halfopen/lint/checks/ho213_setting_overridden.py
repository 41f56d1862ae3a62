"""HO213: a file sets a key that a later file sets again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctl_files import SYSCTL_CONF, Outcome, Place, hidden, outcomes, readers_disagree
from halfopen.knowledge.sysctl_text import folded
from halfopen.knowledge.sysctls.secrets import shown
from halfopen.lint.check import Check
from halfopen.lint.trees import trees

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.lint.document import Document
    from halfopen.model.finding import Finding


class SettingOverridden(Check):
    """Another file has the last word on this key.

    ## What it finds
    Keys that several of the given files of one sysctl.d tree set to different values. Files in other directories are
    compared within their directory. A notice where /etc overrides what a package brings.

    ## Why it matters
    systemd-sysctl and `sysctl --system` sort the files of all directories by name, and the last line wins; /etc hides
    files of the same name in /run and /usr/lib. `sysctl --system` applies /etc/sysctl.conf last, systemd-sysctl only
    in the place of the link 99-sysctl.conf, if there is one: boot and hand may then differ.

    ## Evidence
    Both lines with their values.

    ## Confirm by hand
    `/usr/lib/systemd/systemd-sysctl --cat-config` (or `systemd-analyze cat-config sysctl.d`) lists the files in their
    order.

    ## Remedy
    Delete one of the lines, or rename the file that is to win so that it sorts last.

    ## When it is wrong
    When the earlier file is a distribution's default that is meant to be overridden: write then to the later file
    only.

    ## References
    sysctl.d(5), sysctl(8).
    """

    code = "HO213"
    name = "setting-overridden"
    severity = "warning"
    harm = "untidy"
    proof = "settings-in-files"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for tree in trees(context):
            known = {file.path: document for file, document in tree}
            files = [file for file, _ in tree]
            for outcome in outcomes(files, "systemd-sysctl").values():
                for place in outcome.overridden:
                    if place.path != outcome.winner.path and folded(place.value) != folded(outcome.winner.value):
                        yield self._overridden(known, place, outcome)
            for key, (boot, by_hand) in readers_disagree(files).items():
                if by_hand.path == SYSCTL_CONF and boot and folded(boot.value) != folded(by_hand.value):
                    yield self._disagreeing(known, key, boot, by_hand)
            for path, instead in hidden(files).items():
                yield self.at(
                    known[path], (1, 1), known[path].path,
                    f"the whole file is not read: {instead} has the same name and comes first",
                    "rename one of the two files",
                )  # fmt: skip

    def _disagreeing(self, known: dict[str, Document], key: str, boot: Place, by_hand: Place) -> Finding:
        document = known[by_hand.path]
        item = next(item for item in document.settings if item.line == by_hand.line)
        other = f"{known[boot.path].path}:{boot.line}"
        return self.on(
            document,
            item,
            f"boot goes by {other}, {shown(key, boot.value)}, sysctl --system by this line: systemd-sysctl reads "
            "sysctl.conf only through a link in sysctl.d",
            "keep one of the two lines, in a file of sysctl.d",
        )

    def _overridden(self, known: dict[str, Document], place: Place, outcome: Outcome) -> Finding:
        document = known[place.path]
        item = next(item for item in document.settings if item.line == place.line)
        winner = f"{known[outcome.winner.path].path}:{outcome.winner.line}"
        return self.on(
            document,
            item,
            f"it has no effect: {winner} comes later and sets {shown(item.key, outcome.winner.value)}",
            "delete one of the two lines",
            severity="notice" if _is_meant(place, outcome.winner) else None,
        )


def _is_meant(place: Place, winner: Place) -> bool:
    """That is what the directories are for: /etc has its say over what packages bring."""
    return winner.path.startswith("/etc/") and not place.path.startswith("/etc/")
