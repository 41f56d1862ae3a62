"""Shell scripts: the settings, the firewall rules and the commands in them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.knowledge.firewall.iptables_rule import read_rule
from halfopen.knowledge.firewall.nft import parse_nft
from halfopen.knowledge.firewall.ruleset import PlacedChain, PlacedRule, Ruleset
from halfopen.knowledge.sysctl_text import dotted
from halfopen.lint.document import Document
from halfopen.lint.formats.shell_commands import commands
from halfopen.lint.formats.shell_settings import settings
from halfopen.lint.formats.shell_values import Values
from halfopen.model.network import FilterChain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.document import Command, Kind

_FAMILIES = {"iptables": "ip", "ip6tables": "ip6"}
_PROC = "/proc/sys/"
_VARIABLE = re.compile(r"\$\{?ip(6?)t(?:ables)?\w{0,8}\}?", re.IGNORECASE)
#: Others' echo, such as dash's, takes \n for a new line.
_BASH = re.compile(r"#!.*\bbash\b")


def read(path: str, text: str, kind: Kind = "shell", at: tuple[int, int] = (1, 1)) -> Document:
    """Everything that a script sets, adds or runs; ``at`` is the place of its first character."""
    script = commands(text, at=at)
    values = Values(script)
    return Document(
        path,
        kind,
        settings=tuple(settings(script.commands, values, plain_echo=_BASH.match(text) is not None)),
        ruleset=_ruleset(script.commands, values),
        commands=script.commands,
        variables=script.variables,
        tested=frozenset(_tested(script.commands, values)),
    )


def _tested(found: tuple[Command, ...], values: Values) -> Iterator[str]:
    for command in found:
        if command.program in {"[", "[[", "test"}:
            for word in command.words[1:]:
                path = values.text(word.text)
                if path.startswith(_PROC):
                    yield dotted(path.removeprefix(_PROC))


def _ruleset(found: tuple[Command, ...], values: Values) -> Ruleset:
    chains: list[PlacedChain] = []
    rules: list[PlacedRule] = []
    for command in found:
        named = [values.text(word.text) for word in command.words]
        # «$IPT -A INPUT …», where the script says what $IPT is.
        program = named[0].rpartition("/")[2]
        family = _FAMILIES.get(program.partition("-")[0]) or _family_of_name(program)
        if family is not None:
            rule = read_rule(named[1:], family=family, text=" ".join(named))
            rules += [PlacedRule(rule, command.line, command.column)] if rule else []
            chains += _policy(named, family, command.line)
        elif program == "nft":
            parsed = parse_nft(" ".join(word for word in named[1:] if not word.startswith("-")))
            rules += [PlacedRule(item.rule, command.line, command.column) for item in parsed.rules]
            for redirect in command.redirects:
                parsed = parse_nft(values.text(redirect.body or ""))
                shift = redirect.body_line - 1
                rules += [replace(item, line=item.line + shift) for item in parsed.rules]
                chains += [replace(item, line=item.line + shift) for item in parsed.chains]
    return Ruleset(tuple(chains), tuple(rules))


def _family_of_name(program: str) -> str | None:
    """Of a program that the script leaves to a variable which it does not set: ``$IPTABLES -A …``."""
    match = _VARIABLE.fullmatch(program)
    return None if match is None else "ip6" if match[1] else "ip"


def _policy(named: list[str], family: str, line: int) -> Iterator[PlacedChain]:
    for position, word in enumerate(named[:-2]):
        if word in {"-P", "--policy"}:
            chain, policy = named[position + 1 : position + 3]
            yield PlacedChain(FilterChain(family, "filter", chain, chain.lower(), policy.lower()), line)
