"""The doctor inside a host of the lab: does it find what happens there, and is it silent after its remedy?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from halfopen.collect.roots import Roots
from halfopen.collect.taking import take
from halfopen.collect.workers import Limits
from halfopen.rules.diagnose import diagnose

if TYPE_CHECKING:
    from pathlib import Path

    from halfopen.lab.namespace import Namespace
    from halfopen.lab.story import Story
    from halfopen.model.finding import Change, Finding
    from halfopen.model.snapshot import Snapshot

#: Full tables take long on a busy machine, and here nobody waits in front of the screen.
PATIENT = Limits(each_s=60.0, all_s=60.0)


@dataclass(frozen=True, slots=True)
class Examination:
    """A host watched from one moment to another, as ``halfopen doctor --for`` does.

    Attributes:
        files: a directory that stands for ``/``, where the host has files of its own. Rules that compare files with
            what runs, or read what the kernel keeps once for the machine, look at the host's namespace only: such a
            host of the lab plays it.
    """

    host: Namespace
    first: Snapshot
    files: Path | None = None

    @classmethod
    def begin(cls, host: Namespace, files: Path | None = None) -> Examination:
        """Take the first snapshot."""
        return cls(host, snapshot(host, files), files)

    def findings(self) -> tuple[Finding, ...]:
        """All that is found now, over the time since it began."""
        return diagnose(snapshot(self.host, self.files), self.first).findings

    def codes(self) -> set[str]:
        """Codes of all that is found now, merged ones included."""
        return {code for finding in self.findings() for code in codes_of(finding)}

    def expect(self, story: Story, code: str, *, found: bool, when: str = "") -> Finding | None:
        """Hold the doctor to finding something, or to being silent about it; ``when`` tells several looks apart."""
        there = next((finding for finding in self.findings() if code in codes_of(finding)), None)
        hold(story, self.host.name, code, expected=found, found=there is not None, when=when)
        return there

    def cure(self, story: Story, *findings: Finding | None) -> None:
        """Make the settings that the findings themselves ask for; that each asks for some is expected, too."""
        asked = [_settings(finding) for finding in findings]
        story.expect("findings that ask for a setting", len(findings), sum(bool(changes) for changes in asked))
        for change in (change for changes in asked for change in changes):
            story.say(f"As the finding says: {change.key} = {change.want} (it was {change.now}).")
            self.host.set_sysctl(change.key, change.want)


def hold(story: Story, host: str, code: str, *, expected: bool, found: bool, when: str = "") -> None:
    """Hold what the doctor found on a host against what it is to find; tests read ``proves`` off these words."""
    words = {True: "yes", False: "no"}
    told = f", {when}" if when else ""
    story.expect(f"halfopen doctor on the {host} finds {code}{told}", words[expected], words[found])


def _settings(finding: Finding | None) -> list[Change]:
    changes = () if finding is None or finding.remedy is None else finding.remedy.changes
    return [change for change in changes if change.kind == "sysctl" and change.want is not None]


def codes_of(finding: Finding) -> tuple[str, ...]:
    """Its own code, and those of findings that were merged into it."""
    return (finding.code, *finding.also)


def snapshot(host: Namespace, files: Path | None = None) -> Snapshot:
    """What the host says of itself, in its own namespace only; with ``files`` it is taken for the machine's."""
    if files is None:
        return host.run(take, netns="own", limits=PATIENT)
    seen = host.run(take, netns="own", roots=Roots(files=files), limits=PATIENT)
    return replace(seen, netns=tuple(replace(space, kind="host", name="host") for space in seen.netns))
