"""SARIF 2.1.0 (OASIS), as code-scanning services take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from halfopen.render.escape import escape_text
from halfopen.render.lint import message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.model.finding import Finding, Severity

VERSION = "2.1.0"
SCHEMA_URI = "https://json.schemastore.org/sarif-2.1.0.json"

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
                "results": [_result(finding, place[finding.code]) for finding in findings],
            }
        ],
    }


def _rule(code: str, name: str, severity: Severity, summary: str, page: str) -> dict[str, Any]:
    return {
        "id": code,
        "name": "".join(part.capitalize() for part in name.split("-")),
        "shortDescription": {"text": summary},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": LEVELS[severity]},
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    instead = "" if finding.remedy is None else f"\nInstead: {escape_text(finding.remedy.summary)}"
    region = {"startLine": finding.line, "startColumn": finding.column}
    artifact = {"uri": uri(finding.file or "")}
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": LEVELS[finding.severity],
        "message": {"text": escape_text(message(finding)) + instead},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
    }


def uri(path: str) -> str:
    """A path as a URI reference (RFC 3986): absolute ones with ``file:``, bytes that are no UTF-8 percent-encoded."""
    if path == "-":
        return "stdin"
    quoted = quote(path.encode("utf-8", "surrogateescape"), safe="/")
    return f"file://{quoted}" if path.startswith("/") else quoted
