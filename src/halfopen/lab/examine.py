"""The doctor inside a host of the lab: does its rule fire while the thing happens, and is it silent afterwards?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.collect.taking import take
from halfopen.rules.diagnose import diagnose

if TYPE_CHECKING:
    from halfopen.lab.namespace import Namespace
    from halfopen.lab.story import Story
    from halfopen.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Examination:
    """A host watched from one moment to another, as ``halfopen doctor --for`` does."""

    host: Namespace
    first: Snapshot

    @classmethod
    def begin(cls, host: Namespace) -> Examination:
        """Take the first snapshot."""
        return cls(host, snapshot(host))

    def codes(self) -> set[str]:
        """Codes of all that is found now, merged ones included."""
        found = diagnose(snapshot(self.host), self.first).findings
        return {code for finding in found for code in (finding.code, *finding.also)}

    def expect(self, story: Story, code: str, *, found: bool) -> None:
        """Hold the doctor to finding something, or to being silent about it."""
        story.expect(f"halfopen doctor on the {self.host.name} finds {code}", _YES[found], _YES[code in self.codes()])


_YES = {True: "yes", False: "no"}


def snapshot(host: Namespace) -> Snapshot:
    """What the host says of itself, in its own namespace only."""
    return host.run(take, netns="own")
