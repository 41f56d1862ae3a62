"""The words of findings: numbers with their units, changes, remedies; what a host could have written is escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import UNKNOWN, duration, grouped
from halfopen.model.remedy_steps import change_text, remedy_steps
from halfopen.render.escape import escape_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Change, Evidence, Finding, Harm, Severity, Subject

SEVERITY_ROLES: dict[Severity, str] = {"critical": "bad", "warning": "warn", "notice": "dim"}
HARM_WORDS: dict[Harm, str] = {
    "failing": "connections fail",
    "slow": "connections are slow",
    "growing": "will fail at this growth",
    "risk": "a risk",
    "untidy": "untidy",
}
_MICROSECONDS = {"ms": 1e3, "s": 1e6, "µs": 1.0}


def subject_words(subject: Subject) -> str:
    """What it is about, with its namespace where that is not the host's."""
    name = escape_text(subject.name)
    if subject.kind == "namespace":
        return "this host" if subject.name == "host" else f"network namespace {name}"
    if subject.netns is None or subject.netns == "host":
        return name
    # One without a name is called by who holds it.
    space = f"the namespace {subject.netns}" if subject.netns.startswith("held by ") else subject.netns
    return f"{name} in {escape_text(space)}"


def evidence_words(item: Evidence) -> str:
    """``accept queue: 129 connections``, ``net.ipv4.tcp_syncookies = 0``."""
    what, value = escape_text(item.what), _value(item)
    if isinstance(item.value, str):
        return f"{what} = {value}" if item.source.startswith("/proc/sys/") else f"{what}: {value}"
    return f"{what}: {value}"


def _value(item: Evidence) -> str:
    if item.value is None:
        return UNKNOWN
    if isinstance(item.value, str):
        return escape_text(f"{item.value} {item.unit}" if item.unit else item.value)
    if item.unit in _MICROSECONDS:
        return duration(item.value * _MICROSECONDS[item.unit])
    number = grouped(int(item.value)) if float(item.value).is_integer() else f"{item.value:g}"
    unit = escape_text(item.unit or "")
    if item.value == 1 and unit.endswith("s"):
        unit = unit.removesuffix("s")
    return f"{number} {unit}".rstrip()


def change_words(change: Change) -> str:
    """«`sysctl -w net.core.somaxconn=4096` (now 128)»: where there is a command, what a person types."""
    return escape_text(change_text(change))


def steps(finding: Finding) -> Iterator[str]:
    """What to do: the remedy in a sentence, its changes, and what only a person can do."""
    if finding.remedy is not None:
        yield from map(escape_text, remedy_steps(finding.remedy))
