"""Findings of the linter: as lines for people and compilers' readers, as JSON, and as comments of GitHub's log."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from halfopen.model.quantity import plural
from halfopen.render.escape import escape_text
from halfopen.render.layout import Paint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from halfopen.model.finding import Finding, Severity

SCHEMA = "halfopen.lint/1"

_ROLES: dict[Severity, str] = {"critical": "bad", "warning": "warn", "notice": "dim"}
_GITHUB: dict[Severity, str] = {"critical": "error", "warning": "warning", "notice": "notice"}


def message(finding: Finding) -> str:
    """What is wrong, in one line: the subject where it is not the file, and the cause."""
    same = finding.subject.name in {finding.file, ""}
    return finding.cause if same else f"{finding.subject.name}: {finding.cause}"


def render_text(findings: Sequence[Finding], *, color: bool = False) -> str:
    """``file:line:column: CODE message``, and below it what to write instead."""
    paint = Paint(color)
    lines: list[str] = []
    for finding in findings:
        place = escape_text(f"{finding.file}:{finding.line}:{finding.column}")
        mark = "" if finding.severity == "warning" else f" ({finding.severity})"
        code = paint(_ROLES[finding.severity], finding.code)
        lines.append(f"{place}: {code} {escape_text(message(finding))}{mark}")
        if finding.remedy is not None:
            lines.append(f"    {paint('dim', 'instead:')} {escape_text(finding.remedy.summary)}")
    return "".join(f"{line}\n" for line in lines)


def lint_object(
    findings: Sequence[Finding],
    left_out: Mapping[tuple[str, str], int],
    kernel: str,
    files: Sequence[tuple[str, str]],
    unreadable: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    """``halfopen.lint/1``."""
    return {
        "schema": SCHEMA,
        "kernel": kernel,
        "files": [{"path": path, "type": kind} for path, kind in files],
        "unreadable": [{"path": path, "why": why} for path, why in unreadable],
        "left_out": [{"file": file, "code": code, "count": count} for (file, code), count in left_out.items()],
        "findings": [asdict(finding) for finding in findings],
    }


def render_github(findings: Sequence[Finding]) -> str:
    """Workflow commands: GitHub shows them beside the lines of a pull request."""
    lines = []
    for finding in findings:
        instead = "" if finding.remedy is None else f"\ninstead: {escape_text(finding.remedy.summary)}"
        fields = {
            "file": finding.file or "",
            "line": str(finding.line),
            "col": str(finding.column),
            "title": f"{finding.code} {finding.name}",
        }
        properties = ",".join(f"{name}={_property(value)}" for name, value in fields.items())
        lines.append(f"::{_GITHUB[finding.severity]} {properties}::{_data(escape_text(message(finding)) + instead)}\n")
    return "".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(escape_text(text)).replace(":", "%3A").replace(",", "%2C")


def tally(findings: Sequence[Finding], files: int) -> str:
    """«2 warnings and 1 notice in 3 files»."""
    counts = [(sum(item.severity == name for item in findings), name) for name in ("critical", "warning", "notice")]
    said = [f"{count} critical" if name == "critical" else plural(count, name) for count, name in counts if count]
    return f"{' and '.join(said) or 'nothing found'} in {plural(files, 'file')}"
