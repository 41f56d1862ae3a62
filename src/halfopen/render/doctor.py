"""One screen of findings for a person: who, what, how that is known, do this, check with that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import duration, listed, plural
from halfopen.render.doctor_summary import extent, summary
from halfopen.render.escape import escape_text
from halfopen.render.findings import HARM_WORDS, SEVERITY_ROLES, evidence_words, steps, subject_words
from halfopen.render.gaps import gap_sentences
from halfopen.render.layout import Paint, clamp, wrap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from halfopen.model.diagnosis import Diagnosis
    from halfopen.model.finding import Finding

#: Findings of one rule that are told in full; of the rest the subjects are listed.
MOST_OF_A_RULE = 3
GAPS_SHOWN = 5
_INDENT = " " * 10
_LABELS = {"evidence": "known by", "do": "do", "check": "check"}


def render_doctor(
    diagnosis: Diagnosis,
    width: int,
    paint: Paint,
    *,
    pages: Mapping[str, str] | None = None,
    verbose: bool = False,
    below_verdict: bool = False,
    remarks: bool = True,
) -> str:
    """The screen.

    Args:
        diagnosis: what was found.
        width: columns of the terminal.
        paint: colours, or none.
        pages: rule's code → its manual page, shown with ``verbose``.
        verbose: all findings of a rule, with their pages.
        below_verdict: the verdict on a target stands above: then this may not say that nothing is wrong.
        remarks: say below what the command could do better. What could not be seen is no remark.
    """
    width = clamp(width)
    lines = [*wrap(_headline(diagnosis), width), "", *wrap(summary(diagnosis, below_verdict=below_verdict), width)]
    shown: dict[str, int] = {}
    rest: dict[str, list[Finding]] = {}
    for finding in diagnosis.findings:
        shown[finding.code] = shown.get(finding.code, 0) + 1
        if shown[finding.code] > MOST_OF_A_RULE and not verbose:
            rest.setdefault(finding.code, []).append(finding)
        else:
            lines += ["", *_finding(finding, width, paint, brief=finding.severity == "notice" and not verbose)]
    for code, more in rest.items():
        names = listed([subject_words(one.subject) for one in more])
        lines += ["", *wrap(f"{code} {more[0].name}: also {names}.", width)]
    for code in dict.fromkeys(finding.code for finding in diagnosis.findings) if verbose else ():
        lines += ["", (pages or {}).get(code, "")]
    return "\n".join([*lines, *_footer(diagnosis, width, paint, remarks=remarks)])


def _headline(diagnosis: Diagnosis) -> str:
    up = "" if diagnosis.uptime_s is None else f", up {duration(diagnosis.uptime_s * 1e6)}"
    watched = "" if diagnosis.interval_s is None else f"; watched for {duration(diagnosis.interval_s * 1e6)}"
    kernel = f"Linux {escape_text(diagnosis.kernel)}"
    return f"{escape_text(diagnosis.host)}: {kernel}{up}; {extent(diagnosis)}{watched}."


def _finding(finding: Finding, width: int, paint: Paint, *, brief: bool) -> list[str]:
    role = SEVERITY_ROLES[finding.severity]
    tag = f"{finding.code} {finding.name}"
    label = finding.severity.upper()
    title = wrap(
        f"{subject_words(finding.subject)}  ({tag}; {HARM_WORDS[finding.harm]})", width, f"{label:8}  ", _INDENT
    )
    lines = [paint(role, title[0]), *(paint(role, line) for line in title[1:])]
    lines += wrap(escape_text(finding.cause), width, _INDENT)
    if not brief:
        lines += _labelled("evidence", "; ".join(map(evidence_words, finding.evidence)), width, paint)
    lines += _do(list(steps(finding))[: 1 if brief else None], width, paint)
    if finding.confirm and not brief:
        lines += _labelled("check", f"`{escape_text(finding.confirm)}`", width, paint)
    return lines


def _do(parts: Sequence[str], width: int, paint: Paint) -> list[str]:
    lines: list[str] = []
    for index, part in enumerate(parts):
        # The first step is what a tired reader looks for: the brightest lines below the title.
        step = _labelled("do" if index == 0 else "", part, width, paint)
        lines += [paint("head", line) for line in step] if index == 0 else step
    return lines


def _labelled(label: str, text: str, width: int, paint: Paint) -> list[str]:
    if not text:
        return []
    first, *rest = wrap(text, width, _INDENT)
    words = _LABELS.get(label, "").rjust(len(_INDENT) - 2)
    return [paint("dim" if label == "evidence" else "", words) + first[len(words) :], *rest]


def _footer(diagnosis: Diagnosis, width: int, paint: Paint, *, remarks: bool) -> list[str]:
    lines: list[str] = []
    gaps = gap_sentences(diagnosis.unavailable)
    for gap in gaps[:GAPS_SHOWN]:
        lines += wrap(gap, width)
    if len(gaps) > GAPS_SHOWN:
        lines += wrap(f"and {plural(len(gaps) - GAPS_SHOWN, 'more gap')}: --format json lists them", width)
    if diagnosis.interval_s is None and remarks:
        lines += wrap(
            "One snapshot: counters tell of the time since boot; two show what happens now (`--for 10s`, or a second "
            "`--snapshot`).",
            width,
        )
    return ["", *(paint("dim", line) for line in lines)] if lines else []
