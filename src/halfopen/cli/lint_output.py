"""Runs ``halfopen lint`` and prints its answer in the form that was asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

from halfopen.cli.exit_codes import ExitCode
from halfopen.errors import UsageError
from halfopen.knowledge.kernel_version import MEASURED
from halfopen.model.finding import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from halfopen.cli.printer import Printer
    from halfopen.errors import InputError
    from halfopen.lint.document import Document, Kind
    from halfopen.lint.kernel import Kernel
    from halfopen.lint.run import Result
    from halfopen.model.finding import Finding

FailOn = Literal["never", "notice", "warning", "critical"]
PAGES_SCHEMA = "halfopen.checks/1"
FAIL_ON: tuple[FailOn, ...] = ("never", "notice", "warning", "critical")


def show(
    printer: Printer, files: Sequence[str], *, kernel: str, kind: Kind | None, ignored: Collection[str], fail_on: FailOn
) -> ExitCode:
    """Lint ``files``; the code says whether ``fail_on`` was reached, or that a file could not be read."""
    from halfopen.cli.lint_input import kernel_of, read_files
    from halfopen.lint.run import lint

    words = _known(ignored)
    target = kernel_of(kernel)
    documents, failures = read_files(files, kind)
    result = lint(documents, target, words)
    found = result.findings
    _print(printer, result, target, documents, failures)
    for (file, code), count in result.left_out.items():
        printer.note(f"{file}: {count} more of {code} are left out")
    if target.version > MEASURED:
        printer.note(f"Linux {target.version} is later than {MEASURED}: what has changed since is not known here")
    for failure in failures:
        printer.note(str(failure))
        if failure.hint:
            printer.note(failure.hint)
    if printer.format == "text" and documents:
        from halfopen.render.lint import tally

        printer.note(tally(found, len(documents)))
    return ExitCode.FILE if failures else _verdict(found, fail_on)


def explain(printer: Printer, code: str) -> None:
    """Print the page of one check.

    Raises:
        UsageError: there is none of that code or name, or a page is not made in that format.
    """
    from halfopen.cli.rule_pages import page_object, page_text
    from halfopen.lint.registry import find
    from halfopen.render.layout import Paint

    check = find(code)
    if check is None:
        raise UsageError("there is no check", repr(code), hint="docs/lint-checks.md lists them")
    if printer.format == "json":
        _json(printer, {"schema": PAGES_SCHEMA, "checks": [page_object(check)]})
    elif printer.format == "text":
        printer.text(page_text(check, printer.width, Paint(printer.color)))
    else:
        raise UsageError(f"--explain: a page cannot be {printer.format}", hint="it is text, or --format json")


def _known(ignored: Collection[str]) -> list[str]:
    from halfopen.lint.registry import find

    words = [word for value in ignored for word in value.replace(",", " ").split()]
    for word in words:
        if find(word) is None:
            raise UsageError(f"--ignore {word}: there is no such check", hint="docs/lint-checks.md lists them")
    return words


def _print(
    printer: Printer,
    result: Result,
    kernel: Kernel,
    documents: Sequence[Document],
    failures: Sequence[InputError],
) -> None:
    from halfopen.render import lint

    found = result.findings
    if printer.format == "json":
        files = [(document.path, document.kind) for document in documents]
        unreadable = [(failure.subject, failure.why) for failure in failures]
        _json(printer, lint.lint_object(found, result.left_out, str(kernel.version), files, unreadable))
    elif printer.format == "sarif":
        _json(printer, _sarif(found))
    elif printer.format == "github":
        printer.raw(lint.render_github(found).encode(errors="backslashreplace"))
    else:
        printer.raw(lint.render_text(found, color=printer.color).encode(errors="backslashreplace"))


def _sarif(found: Sequence[Finding]) -> dict[str, object]:
    from halfopen import __version__
    from halfopen.lint.registry import CHECKS
    from halfopen.model.page import page_of
    from halfopen.render.sarif import sarif_object

    rules = []
    for check in CHECKS:
        page = page_of(check)
        text = "\n\n".join(f"## {heading}\n\n{body}" for heading, body in page.sections.items())
        rules.append((check.code, check.name, check.severity, page.summary, text))
    return sarif_object(found, rules, __version__)


def _json(printer: Printer, document: dict[str, object]) -> None:
    printer.text(json.dumps(document, ensure_ascii=True, indent=2))


def _verdict(found: Sequence[Finding], fail_on: FailOn) -> ExitCode:
    if fail_on == "never":
        return ExitCode.OK
    enough = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return ExitCode.FINDINGS if any(finding.severity in enough for finding in found) else ExitCode.OK
