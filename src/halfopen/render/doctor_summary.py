"""What the doctor's answer comes to, in a few sentences that promise no more than was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import SEVERITIES
from halfopen.model.quantity import grouped, listed, plural
from halfopen.render.escape import escape_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.model.diagnosis import Diagnosis

#: Places that are named of those that could not be seen.
UNSEEN_SHOWN = 4
UNEXAMINED = "This host could not be examined: too little was read to say whether connections fail."


def extent(diagnosis: Diagnosis) -> str:
    """«2 network namespaces, 14 listeners and 310 other TCP sockets»."""
    spaces = plural(diagnosis.namespaces, "network namespace")
    if diagnosis.listeners is None or diagnosis.sockets is None:
        return f"{spaces}, and no sockets were read"
    others = plural(max(0, diagnosis.sockets - diagnosis.listeners), "other TCP socket")
    return listed([spaces, plural(diagnosis.listeners, "listener"), others])


def summary(diagnosis: Diagnosis, *, below_verdict: bool = False) -> str:
    """The sentences; ``below_verdict``: a verdict on a target stands above, and nothing may be called fine."""
    if not diagnosis.examined:
        said = _unexamined(diagnosis)
    else:
        said = _beside(diagnosis) if below_verdict else _judgement(diagnosis)
    return f"{said} {not_seen(diagnosis.unseen)}" if diagnosis.unseen else said


def not_seen(places: Sequence[str]) -> str:
    """«Not seen: counters of the host; network namespaces of 3 processes.»."""
    shown = [escape_text(place) for place in places[:UNSEEN_SHOWN]]
    if len(places) > UNSEEN_SHOWN:
        shown.append(f"{grouped(len(places) - UNSEEN_SHOWN)} more")
    return f"Not seen: {'; '.join(shown)}."


def _unexamined(diagnosis: Diagnosis) -> str:
    if all(finding.severity == "notice" for finding in diagnosis.findings):
        return UNEXAMINED
    return f"{UNEXAMINED} What was read shows {_counts(diagnosis)}."


def _judgement(diagnosis: Diagnosis) -> str:
    counts = _counts(diagnosis)
    if any(finding.severity != "notice" for finding in diagnosis.findings):
        return f"Found: {counts}."
    if diagnosis.unseen:  # the limit first: who reads no further must not take it for the whole
        said = "In what could be seen, nothing is"
        return f"{said} failing; {counts}." if counts else f"{said} wrong with connections."
    if not counts:
        return "Nothing is wrong with connections, as far as this host shows."
    return f"Nothing is failing; {counts}."


def _beside(diagnosis: Diagnosis) -> str:
    counts = _counts(diagnosis)
    return f"Beside that: {counts}." if counts else "Beside that, no rule finds anything that concerns it."


def _counts(diagnosis: Diagnosis) -> str:
    """«1 critical and 2 notices»; nothing when nothing was found."""
    severities = [finding.severity for finding in diagnosis.findings]
    return listed(
        [
            plural(number, severity, "critical" if severity == "critical" else None)
            for severity in SEVERITIES
            if (number := severities.count(severity))
        ]
    )
