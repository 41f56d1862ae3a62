"""Takes or reads the snapshots, has them judged, and prints what came out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.cli.examined import unexamined
from halfopen.cli.exit_codes import ExitCode
from halfopen.cli.two_snapshots import snapshots
from halfopen.model.finding import SEVERITIES
from halfopen.model.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.cli.doctor_options import DoctorOptions
    from halfopen.cli.printer import Printer
    from halfopen.model.diagnosis import Diagnosis
    from halfopen.model.finding import Severity
    from halfopen.model.verdict import TargetReport
    from halfopen.render.layout import Paint


def run(printer: Printer, options: DoctorOptions) -> ExitCode:
    """The whole command."""
    options.check()
    if options.target is not None:
        return _run_target(printer, options, Target.parse(options.target))
    from halfopen.rules.diagnose import diagnose

    now, before = snapshots(printer, for_s=options.for_s, files=options.snapshots, netns=options.netns)
    diagnosis = diagnose(now, before)
    _print(printer, diagnosis, verbose=options.verbose)
    code = _exit_code(diagnosis, options.threshold)
    if code is ExitCode.OK and not diagnosis.examined:
        raise unexamined(diagnosis.unseen, options.snapshots)
    return code


def _run_target(printer: Printer, options: DoctorOptions, target: Target) -> ExitCode:
    from halfopen.cli.doctor_target import examine

    diagnosis, report = examine(printer, options, target)
    _print(printer, diagnosis, report, verbose=options.verbose)
    verdict = report.verdict
    severity = None if verdict is None else verdict.severity
    if severity is not None and severity in _enough(options.threshold):
        return ExitCode.FINDINGS
    return _exit_code(diagnosis, options.threshold)


def _print(printer: Printer, diagnosis: Diagnosis, report: TargetReport | None = None, *, verbose: bool) -> None:
    if printer.format == "json":
        import json

        from halfopen.render.doctor_json import doctor_object
        from halfopen.render.doctor_target import target_object

        document = doctor_object(diagnosis) | ({} if report is None else target_object(report))
        printer.text(json.dumps(document, ensure_ascii=True, indent=2))
    elif printer.format == "markdown":
        from halfopen.render.doctor_markdown import render_markdown

        printer.text(render_markdown(_beside(diagnosis, report), report))
    else:
        shown = diagnosis if verbose else _beside(diagnosis, report)
        printer.text("\n\n".join(_screen(printer, shown, report, verbose=verbose)))


def _beside(diagnosis: Diagnosis, report: TargetReport | None) -> Diagnosis:
    """What the verdict has said is not said again."""
    if report is None or report.verdict is None:
        return diagnosis
    told = report.verdict.told
    return replace(diagnosis, findings=tuple(one for one in diagnosis.findings if one.code not in told))


def _screen(printer: Printer, diagnosis: Diagnosis, report: TargetReport | None, *, verbose: bool) -> Iterator[str]:
    from halfopen.render.doctor import render_doctor
    from halfopen.render.layout import Paint

    paint = Paint(printer.color)
    if report is not None:
        from halfopen.render.doctor_target import render_target

        yield render_target(report, printer.width, paint)
    pages = _pages(printer, diagnosis, paint) if verbose else {}
    below = report is not None and report.verdict is not None
    yield render_doctor(
        diagnosis, printer.width, paint,
        pages=pages, verbose=verbose, below_verdict=below, remarks=not printer.quiet,
    )  # fmt: skip


def _pages(printer: Printer, diagnosis: Diagnosis, paint: Paint) -> dict[str, str]:
    from halfopen.cli.rule_pages import page_text
    from halfopen.rules.registry import rule

    found = {finding.code: rule(finding.code) for finding in diagnosis.findings}
    return {code: page_text(item, printer.width, paint) for code, item in found.items() if item is not None}


def _exit_code(diagnosis: Diagnosis, fail_on: str) -> ExitCode:
    """1 when a finding is as severe as asked, or more."""
    enough = _enough(fail_on)
    return ExitCode.FINDINGS if any(finding.severity in enough for finding in diagnosis.findings) else ExitCode.OK


def _enough(fail_on: str) -> tuple[Severity, ...]:
    """The severities that ``--fail-on`` means."""
    return () if fail_on == "never" else SEVERITIES[: list[str](SEVERITIES).index(fail_on) + 1]
