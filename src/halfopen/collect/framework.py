"""What every collector is, and what is done around each of them.

A collector is one small file in ``collect.host`` or ``collect.netns``: it opens, hands what it read to a pure
``parse_…``, and returns the value of one field of the record. That something is not there is a value, too:
``Unavailable``. Duration and success are measured here, and whatever a collector raises becomes a gap with its reason:
one failure never takes the rest down.

**Architecture Invariant:** no collector registers itself; ``HOST`` and ``NETNS`` are explicit tuples, and a test holds
them against the directories.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from halfopen.errors import HalfopenError
from halfopen.model.snapshot import CollectorRun, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from halfopen.collect.host_wide import HostWide
    from halfopen.collect.places import Place

ContextT = TypeVar("ContextT", bound="Context")


@dataclass(slots=True)
class Context:
    """What a collector of the whole host may use, and where it puts the gaps in an answer that it does give."""

    host: HostWide
    gaps: list[Unavailable] = field(default_factory=list)

    def missing(self, what: str, why: str, *, blinds: str | None = None) -> None:
        """Part of the answer is not there: ``missing("owners of 3 sockets", "they live in another pid namespace")``.

        ``blinds``: where connections may fail unseen.
        """
        self.gaps.append(Unavailable(what, why, blinds=blinds))


@dataclass(slots=True)
class NamespaceContext(Context):
    """The same for a collector that runs in a thread inside one network namespace."""

    place: Place = field(kw_only=True)
    settings_root: Path | None = field(default=None, kw_only=True)
    """``/proc/sys/net``, where it is not that of the roots."""

    @property
    def net(self) -> str:
        """``/proc/…/net`` of the namespace that this thread is in.

        ``/proc/net`` would be that of the process's main thread; ``thread-self`` needs Linux 3.17.
        """
        return f"{self.host.roots.proc}/thread-self/net"

    @property
    def sys_net(self) -> Path:
        """``/proc/sys/net``: the settings of the namespace that this thread is in."""
        return self.settings_root or self.host.roots.proc / "sys/net"

    def settings(self, *names: str) -> dict[str, str]:
        """Those below /proc/sys/net that can be read: {``ipv4/tcp_syn_retries``: ``6``}.

        Raises OSError when there is no such directory. All of a directory at once costs half of one after the other.
        """
        from halfopen._core import read_named_settings
        from halfopen.collect.text import readable

        found = read_named_settings(self.sys_net, [name.encode() for name in names])
        return {readable(path): readable(value).strip() for path, value in found.items()}


@dataclass(frozen=True, slots=True)
class Collector(Generic[ContextT]):
    """One collector."""

    name: str
    """Of its file, and of its metric's label."""
    provides: str
    """The field of ``Snapshot`` or ``NetNamespace`` that its value goes to."""
    what: str
    """What is missing when it fails, in words: ``kernel settings``."""
    collect: Callable[[ContextT], object]
    """Gives the value, or ``Unavailable``. May raise anything."""
    blinds: str | None = None
    """Where connections may fail unseen without it, though the rest can be judged."""


@dataclass(slots=True)
class Findings:
    """What some collectors brought together."""

    values: dict[str, Any] = field(default_factory=dict)
    """{field: value}, without those that could not be had."""
    gaps: list[Unavailable] = field(default_factory=list)
    runs: list[CollectorRun] = field(default_factory=list)


def run(collectors: Iterable[Collector[ContextT]], context: ContextT, netns: str | None = None) -> Findings:
    """Run them one after the other. Never raises; ``netns`` is the name that gaps and runs carry."""
    found = Findings()
    for collector in collectors:
        start = time.perf_counter_ns()
        value = _attempt(collector, context)
        elapsed_us = (time.perf_counter_ns() - start) / 1000
        success = not isinstance(value, Unavailable)
        if success:
            found.values[collector.provides] = value
        else:
            context.gaps.append(value)
        found.gaps += [replace(gap, netns=netns) for gap in context.gaps]
        context.gaps.clear()
        found.runs.append(CollectorRun(collector.name, elapsed_us, success, netns))
    return found


def _attempt(collector: Collector[ContextT], context: ContextT) -> Any:  # noqa: ANN401  (each has a type of its own)
    try:
        return collector.collect(context)
    except Exception as error:  # noqa: BLE001  (the one boundary around foreign circumstances)
        return Unavailable(collector.what, reason(error), blinds=collector.blinds)


def reason(error: BaseException) -> str:
    """Why something could not be had, in one clause."""
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}"
    if isinstance(error, HalfopenError):
        return str(error)
    return f"{type(error).__name__}: {error}"
