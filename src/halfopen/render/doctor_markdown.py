"""The doctor's findings for a ticket: Markdown in which nothing that a host wrote is markup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.model.quantity import duration, moment
from halfopen.render.causes import WORDS
from halfopen.render.doctor_summary import extent, summary
from halfopen.render.doctor_target import verdict_sentence
from halfopen.render.escape import escape_text
from halfopen.render.findings import HARM_WORDS, evidence_words, steps, subject_words
from halfopen.render.gaps import gap_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.diagnosis import Diagnosis
    from halfopen.model.finding import Finding
    from halfopen.model.verdict import TargetReport, Verdict

#: What begins markup or HTML inside a line. The text is escaped for terminals already, so that it has no line ends.
_MARKUP = re.compile(r"([\\*_\[\]<>|#~&!])")
#: The same where commands are, which are there to be copied: what ours hold stays as it is. HTML and links they never
#: hold, but IPv6 addresses in brackets.
_IN_CODE = re.compile(r"([\\<>]|\[(?![0-9A-Fa-f:.]+\])|(?<![0-9A-Fa-f:.])\])")
_TICKS = re.compile(r"`+")


def render_markdown(diagnosis: Diagnosis, report: TargetReport | None = None) -> str:
    """The document."""
    interval = diagnosis.interval_s
    watched = "one snapshot" if interval is None else f"watched for {duration(interval * 1e6)}"
    kernel = _literal(escape_text(diagnosis.kernel))
    seen = f"Linux {kernel}, {moment(diagnosis.taken_at_ns)}, {watched}; {extent(diagnosis)}."
    lines = [f"# Connections of {_literal(escape_text(diagnosis.host))}", "", seen]
    if report is not None and report.verdict is not None:
        lines += ["", *_target(report, report.verdict)]
    lines += ["", _literal(summary(diagnosis, below_verdict=report is not None and report.verdict is not None))]
    for finding in diagnosis.findings:
        lines += ["", *_finding(finding)]
    if diagnosis.unavailable:
        lines += ["", "## Not available", ""]
        lines += [f"- {_literal(what)}: {_literal(why)}" for what, why in gap_parts(diagnosis.unavailable)]
    return "\n".join(lines)


def _target(report: TargetReport, verdict: Verdict) -> Iterator[str]:
    yield f"## {verdict.kind.replace('_', ' ')}: {_literal(escape_text(str(report.target)))}"
    yield ""
    yield _plain(verdict_sentence(verdict))
    yield ""
    yield from (f"- because: {_plain(escape_text(text))}" for text in verdict.evidence)
    yield from (f"- do: {_plain(escape_text(text))}" for text in verdict.steps)
    if verdict.check is not None:
        yield f"- check: {_code(escape_text(verdict.check))}"
    yield f"- disproof: {_plain(escape_text(verdict.falsified_by))}"
    if report.results:
        yield from ("", "| attempt | outcome | error | SYNs | time |", "| --- | --- | --- | --- | --- |")
        several = len({result.handshake.server for result in report.results}) > 1
        for number, result in enumerate(report.results, 1):
            row = result.handshake
            whom = f"{number}, {_literal(row.server)}" if several else number
            yield f"| {whom} | {result.ending} | {row.errno or ''} | {row.syn_sent} | {duration(row.connect_us)} |"
    yield ""
    yield from (f"- {WORDS[cause.verdict][0]}: {_literal(escape_text(cause.sentence))}" for cause in report.causes)


def _finding(finding: Finding) -> Iterator[str]:
    yield f"## {finding.severity}: {_literal(subject_words(finding.subject))}"
    yield ""
    rule = f"{finding.code} {finding.name}; {HARM_WORDS[finding.harm]}; {finding.confidence}"
    yield f"{_plain(escape_text(finding.cause))} ({rule})"
    if finding.evidence:
        yield from ("", "| evidence | read from |", "| --- | --- |")
        for item in finding.evidence:
            yield f"| {_literal(evidence_words(item))} | {_cell(escape_text(item.source)) if item.source else ''} |"
    todo = list(steps(finding))
    if todo:
        yield ""
        yield from (f"{number}. {_plain(step)}" for number, step in enumerate(todo, 1))
    if finding.confirm:
        yield from ("", f"Check: {_code(escape_text(finding.confirm))}")


def _plain(text: str) -> str:
    """``text`` without markup, save for the code that our own sentences mark: in it nothing else is markup."""
    ticks = _TICKS.findall(text)
    if len(ticks) % 2 or any(len(run) > 1 for run in ticks):
        return _MARKUP.sub(r"\\\1", text)  # not ours alone: what is code, nobody knows
    parts = text.split("`")
    return "`".join((_IN_CODE if place % 2 else _MARKUP).sub(r"\\\1", part) for place, part in enumerate(parts))


def _literal(text: str) -> str:
    """``text`` without any markup."""
    return _MARKUP.sub(r"\\\1", text).replace("`", "\\`")


def _cell(text: str) -> str:
    """``text`` as code in a table, whose cells a bar would end."""
    return _code(text).replace("|", "\\|")


def _code(text: str) -> str:
    """``text`` as code, whatever back-ticks it holds."""
    longest = max((len(ticks) for ticks in _TICKS.findall(text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{text}{pad}{fence}"
