"""SARIF 2.1.0 (OASIS), with what GitHub asks for besides: descriptions, regions with an end, fingerprints.

A fingerprint tells the same finding in the next run: it is made of the code, the file and the subject, not of the line.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from halfopen.render.escape import escape_text
from halfopen.render.lint import message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.model.finding import Finding, Severity

VERSION = "2.1.0"
SCHEMA_URI = "https://json.schemastore.org/sarif-2.1.0.json"

DESCRIPTION_MAX = 1024
"""Characters of a description that GitHub takes."""

LEVELS: dict[Severity, str] = {"critical": "error", "warning": "warning", "notice": "note"}


def sarif_object(
    findings: Sequence[Finding], rules: Sequence[tuple[str, str, Severity, str, str]], version: str
) -> dict[str, Any]:
    """The log of one run.

    Args:
        findings: what was found; each has a file, a line and a column.
        rules: code, name, severity, one sentence and the page in Markdown, of every check that may fire.
        version: halfopen's own.
    """
    place = {code: index for index, (code, *_) in enumerate(rules)}
    told_before: Counter[tuple[str, str | None, str]] = Counter()
    results = []
    for finding in findings:
        same = (finding.code, finding.file, finding.subject.name)
        told_before[same] += 1
        results.append(_result(finding, place[finding.code], told_before[same]))
    driver = {
        "name": "halfopen",
        "semanticVersion": version,
        "rules": [_rule(*rule) for rule in rules],
    }
    return {
        "$schema": SCHEMA_URI,
        "version": VERSION,
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }


def _rule(code: str, name: str, severity: Severity, summary: str, page: str) -> dict[str, Any]:
    return {
        "id": code,
        "name": "".join(part.capitalize() for part in name.split("-")),
        "shortDescription": {"text": summary},
        "fullDescription": {"text": _first_paragraphs(page)},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": LEVELS[severity]},
    }


def _first_paragraphs(page: str) -> str:
    """The begin of a page without its headings, as long as GitHub takes it."""
    paragraphs = [part for part in page.split("\n\n") if not part.startswith("#")]
    return "\n\n".join(paragraphs[:2])[:DESCRIPTION_MAX]


def _result(finding: Finding, index: int, number: int) -> dict[str, Any]:
    instead = "" if finding.remedy is None else f"\nInstead: {escape_text(finding.remedy.summary)}"
    line, column = finding.line or 1, finding.column or 1
    long = len(finding.subject.key or "")
    region = {"startLine": line, "startColumn": column, "endLine": line, "endColumn": column + max(long, 1)}
    subject = "\0".join((finding.code, finding.file or "", finding.subject.name))
    digest = sha256(subject.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    artifact = {"uri": uri(finding.file or "")}
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": LEVELS[finding.severity],
        "message": {"text": escape_text(message(finding)) + instead},
        "partialFingerprints": {"primaryLocationLineHash": f"{digest}:{number}"},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
    }


def uri(path: str) -> str:
    """A path as a URI reference (RFC 3986): absolute ones with ``file:``, bytes that are no UTF-8 percent-encoded."""
    if path == "-":
        return "stdin"
    quoted = quote(path.encode("utf-8", "surrogateescape"), safe="/")
    return f"file://{quoted}" if path.startswith("/") else quoted
