"""``halfopen rules``: the list of rules, and the manual page of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from halfopen.cli.command import with_printer

if TYPE_CHECKING:
    from halfopen.cli.printer import Printer
    from halfopen.rules.rule import Rule

SCHEMA = "halfopen.rules/1"


@click.command("rules")
@click.argument("code", required=False)
@with_printer("text", "json")
def command(printer: Printer, /, code: str | None) -> None:
    """Print every rule of the doctor, or the manual page of one.

    CODE is a rule's code or name, or the beginning of codes.

    \b
    halfopen rules
    halfopen rules HO101
    halfopen rules accept-queue-overflow
    halfopen rules HO3
    """
    chosen = _chosen(code)
    if printer.format == "json":
        import json

        document = {"schema": SCHEMA, "rules": [_object(item) for item in chosen]}
        printer.text(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        printer.text(_text(printer, chosen))


def _chosen(code: str | None) -> list[Rule]:
    from halfopen.errors import UsageError
    from halfopen.rules.registry import RULES, rule

    if code is None:
        return list(RULES)
    if one := rule(code):
        return [one]
    if some := [item for item in RULES if code.upper().startswith("HO") and item.code.startswith(code.upper())]:
        return some
    raise UsageError("there is no rule", repr(code), hint="halfopen rules lists them")


def _object(rule: Rule) -> dict[str, Any]:
    from halfopen.cli.rule_pages import page_object

    more = {"needs": list(rule.needs), "absorbs": list(rule.absorbs), "proof": rule.proof}
    return {**page_object(rule), **more}


def _text(printer: Printer, chosen: list[Rule]) -> str:
    from halfopen.cli.rule_pages import page_text
    from halfopen.model.page import page_of
    from halfopen.render.layout import Paint
    from halfopen.render.manual import render_rule_list
    from halfopen.rules.registry import FAMILIES

    paint = Paint(printer.color)
    if len(chosen) == 1:
        return page_text(chosen[0], printer.width, paint)
    families = [
        (
            f"{prefix}xx  {about}",
            [
                (item.code, item.name, item.severity, page_of(item).summary)
                for item in chosen
                if item.code.startswith(prefix)
            ],
        )
        for prefix, about in FAMILIES.items()
    ]
    return render_rule_list([family for family in families if family[1]], printer.width, paint)
