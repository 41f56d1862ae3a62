"""The object ``halfopen.doctor/1`` that ``halfopen doctor --format json`` prints."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from halfopen.model.diagnosis import SCHEMA

if TYPE_CHECKING:
    from halfopen.model.diagnosis import Diagnosis
    from halfopen.model.finding import Finding

#: The linter's: a finding about a host has no place in a file.
_PLACE = ("file", "line", "column")


def finding_object(finding: Finding) -> dict[str, Any]:
    """A finding as plain values; the place in a file only where there is one."""
    fields = asdict(finding)
    return {name: value for name, value in fields.items() if name not in _PLACE or value is not None}


def doctor_object(diagnosis: Diagnosis) -> dict[str, Any]:
    """Everything that the doctor says; ``taken_at`` is RFC 3339 in UTC, ``interval_s`` null with one snapshot."""
    return {
        "schema": SCHEMA,
        "host": diagnosis.host,
        "kernel": diagnosis.kernel,
        "taken_at": timestamp(diagnosis.taken_at_ns),
        "interval_s": diagnosis.interval_s,
        "uptime_s": diagnosis.uptime_s,
        "namespaces": diagnosis.namespaces,
        "listeners": diagnosis.listeners,
        "sockets": diagnosis.sockets,
        "examined": diagnosis.examined,
        "unseen": list(diagnosis.unseen),
        "findings": [finding_object(finding) for finding in diagnosis.findings],
        "unavailable": [asdict(gap) for gap in diagnosis.unavailable],
    }


def timestamp(ns: int) -> str | None:
    """``2026-11-25T09:54:36.120Z``; None for a time that no calendar has (a snapshot may be hostile)."""
    try:
        when = datetime.fromtimestamp(ns // 1_000_000_000, UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return f"{when:%Y-%m-%dT%H:%M:%S}.{ns % 1_000_000_000 // 1_000_000:03}Z"
