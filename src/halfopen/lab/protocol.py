"""What the runner tells the process that does an experiment, and what that tells the runner."""

from __future__ import annotations

from dataclasses import dataclass, field

from halfopen.model.experiment import ExperimentResult  # noqa: TC001  (msgspec looks the name up)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The same for every experiment of a run."""

    seed: int = 1
    """Of whatever is left to chance."""
    packets_to: int | None = None
    """Descriptor that the packets of every host are written to, as pcapng."""
    packets_of: str | None = None
    """Only this host's."""
    ladder_width: int | None = None
    """Draw one handshake of each kind, so many columns wide."""
    keep: bool = False
    """Stop where the pitfall is to be seen, and leave the network so until the runner goes."""

    @property
    def records(self) -> bool:
        """Whether the packets of every host are wanted."""
        return self.packets_to is not None or self.ladder_width is not None


@dataclass(frozen=True, slots=True)
class Told:
    """What became of it."""

    result: ExperimentResult
    hosts: dict[str, str] = field(default_factory=dict)
    """{name: where its namespace can be opened}, as long as the process lives."""
    packets: int | None = None
    """Packets that were written; None where not all of them were, or none were wanted."""
    not_written: str | None = None
    """Why they could not be."""
    gaps: tuple[str, ...] = ()
    """What is missing among those that were, and why."""

    @property
    def whole(self) -> bool:
        """Whether the packets are worth to take the place of a file: all are there, and an experiment made them."""
        return self.packets is not None and (self.packets > 0 or self.result.result == "passed")
