"""The result of an experiment, ``halfopen.lab/1``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SCHEMA = "halfopen.lab/1"


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation."""

    what: str
    """What was looked at, with its unit."""
    expected: str
    """In words."""
    observed: float | str | bool | None
    """What this kernel did."""
    holds: bool
    """Whether the two agree."""
    told: int = 0
    """How many sentences of the story had been told by then."""


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers for one figure."""

    title: str
    x: str
    """Name of the first number, with its unit."""
    y: str
    """Name of the second number, with its unit."""
    points: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Bars:
    """One number for each of several cases."""

    title: str
    unit: str
    bars: tuple[tuple[str, float], ...] = ()
    """Case and number."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One packet of a handshake on its line."""

    at_s: float
    """Seconds since the first packet of the handshake."""
    packet: str
    """Flags in words: ``SYN``, ``SYN-ACK``, ``ACK``, ``data``, ``FIN``, ``RST``, ``ICMP``."""
    from_client: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """One handshake, or one of many that are alike."""

    label: str
    """Its ends."""
    outcome: str
    alike: int
    """How many of this kind there were."""
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """The packets of handshakes over time, as one host saw them."""

    title: str
    lanes: tuple[Lane, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """What several ways of doing something came to, side by side."""

    title: str
    columns: tuple[str, ...]
    """With their units."""
    rows: tuple[tuple[float | str | None, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """One direction of a link with faults."""

    sender: str
    """Name of the host whose packets these are."""
    receiver: str
    received: int
    """Packets that came in."""
    delivered: int
    """Packets that went out, answers that the link made itself included."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What a link did to one packet."""

    at_s: float
    """Seconds since the experiment began."""
    sender: str
    """Name of the host that the packet came from."""
    packet: str
    """``syn``, ``syn_ack``, ``final_ack``, ``data``, ``fin``, ``rst``, ``ack``, ``other``."""
    source: str | None
    """Address and port; null where it is no TCP."""
    destination: str | None
    seq: int | None
    did: str
    """The fault, as ``drop syn first=1``; or ``lost``, ``duplicated``, ``reordered``, ``too_large``, ``queue_full``,
    ``refused``."""


@dataclass(frozen=True, slots=True)
class LinkReport:
    """What a link with faults did to which packets."""

    ways: tuple[Way, Way]
    deeds: tuple[Deed, ...] = ()
    """In order; all other packets were carried as they were."""
    deeds_left_out: int = 0


@dataclass(frozen=True, slots=True)
class ExperimentResult:
    """One run of one experiment."""

    name: str
    title: str
    claim: str
    """What it shows, in one sentence."""
    result: Literal["passed", "failed", "skipped"]
    why: str | None = None
    """Why it failed or was skipped; null when it passed."""
    seconds: float = 0.0
    """How long it took."""
    story: tuple[str, ...] = ()
    """What happened, sentence by sentence."""
    remedy: str | None = None
    before: tuple[Check, ...] = ()
    """Expected and observed before the remedy, or at all where there is none."""
    after: tuple[Check, ...] = ()
    """The same after it."""
    series: tuple[Series, ...] = ()
    bars: tuple[Bars, ...] = ()
    timelines: tuple[Timeline, ...] = ()
    """Drawn where the packets were kept."""
    tables: tuple[Table, ...] = ()
    links: tuple[LinkReport, ...] = ()
    """Of links with faults."""
    ladders: tuple[str, ...] = ()
    """Exchanges packet by packet, drawn as text."""


@dataclass(frozen=True, slots=True)
class LabReport:
    """What ``halfopen lab run --format json`` prints."""

    schema: str = SCHEMA
    kernel: str = ""
    """``uname -r``."""
    mode: str = ""
    """``root`` or ``user namespace``."""
    missing: tuple[str, ...] = ()
    """What cannot be had in this mode, and why."""
    experiments: tuple[ExperimentResult, ...] = field(default_factory=tuple)
