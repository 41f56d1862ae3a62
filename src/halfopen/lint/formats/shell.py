"""Shell scripts: the settings, the firewall rules and the commands in them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.knowledge.firewall.iptables_rule import read_rule
from halfopen.knowledge.firewall.nft import parse_nft
from halfopen.knowledge.firewall.ruleset import PlacedChain, PlacedRule, Ruleset
from halfopen.knowledge.sysctl_text import Assignment, dotted, parse
from halfopen.lint.document import Document
from halfopen.lint.formats.shell_commands import commands
from halfopen.model.network import FilterChain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.document import Command, Redirect, Word

_FAMILIES = {"iptables": "ip", "ip6tables": "ip6"}
_PROC = "/proc/sys/"
_SETTING = re.compile(r"\s*(-?)([\w./*-]+)\s*=\s*(.*)", re.DOTALL)
_SYSCTL_FILE = re.compile(r"sysctl(?:\.d/|.*\.conf$)")


def read(path: str, text: str) -> Document:
    """Everything that a script sets, adds or runs."""
    found, variables = commands(text)
    settings = [item for command in found for item in _settings(command, found)]
    return Document(
        path, "shell", settings=tuple(settings), ruleset=_ruleset(found), commands=found, variables=variables
    )


def _settings(command: Command, found: tuple[Command, ...]) -> Iterator[Assignment]:
    if command.program == "sysctl":
        yield from _sysctl(command)
    elif command.program in {"echo", "printf"}:
        said = command.words[-1:] if len(command.words) > 1 else ()
        for target in _targets(command, found):
            yield from _written(target, command.words[1:], said[0] if said else None, command.comment)
    for redirect in command.redirects:
        if redirect.body is not None and any(_SYSCTL_FILE.search(target) for target in _targets(command, found)):
            yield from _from_body(redirect)


def _sysctl(command: Command) -> Iterator[Assignment]:
    """``sysctl -w key=value key=value``."""
    for word in command.words[1:]:
        match = _SETTING.fullmatch(word.text)
        if match and not word.text.startswith("--"):
            yield Assignment(
                word.line,
                word.column,
                dotted(match[2]),
                match[3].strip(),
                value_column=word.column + match.start(3),
                comment=command.comment,
            )


def _targets(command: Command, found: tuple[Command, ...]) -> Iterator[str]:
    """The files that its output goes to: ``> file``, ``| tee file``."""
    for redirect in command.redirects:
        if redirect.operator.lstrip("1&") in {">", ">>", ">|"}:
            yield redirect.target.text
    if command.piped_into is not None and found[command.piped_into].program == "tee":
        yield from (word.text for word in found[command.piped_into].words[1:] if not word.text.startswith("-"))


def _written(target: str, words: tuple[Word, ...], last: Word | None, comment: str) -> Iterator[Assignment]:
    said = [word for word in words if not re.fullmatch(r"-[neE]+", word.text)]
    if last is None or not said:
        return
    value = " ".join(word.text for word in said)
    if target.startswith(_PROC):
        key = dotted(target.removeprefix(_PROC))
        yield Assignment(said[0].line, said[0].column, key, value.strip(), said[0].column, comment=comment)
    elif _SYSCTL_FILE.search(target):
        for item in parse(value):
            if isinstance(item, Assignment):
                yield replace(
                    item, line=said[0].line, column=said[0].column, value_column=said[0].column, comment=comment
                )


def _from_body(redirect: Redirect) -> Iterator[Assignment]:
    for item in parse(redirect.body or ""):
        if isinstance(item, Assignment):
            yield replace(item, line=item.line + redirect.body_line - 1)


def _ruleset(found: tuple[Command, ...]) -> Ruleset:
    chains: list[PlacedChain] = []
    rules: list[PlacedRule] = []
    for command in found:
        named = [word.text for word in command.words]
        family = _FAMILIES.get(command.program.partition("-")[0])
        if family is not None:
            rule = read_rule(named[1:], family=family, text=" ".join(named))
            rules += [PlacedRule(rule, command.line, command.column)] if rule else []
            chains += _policy(named, family, command.line)
        elif command.program == "nft":
            parsed = parse_nft(" ".join(word for word in named[1:] if not word.startswith("-")))
            rules += [PlacedRule(item.rule, command.line, command.column) for item in parsed.rules]
            for redirect in command.redirects:
                parsed = parse_nft(redirect.body or "")
                shift = redirect.body_line - 1
                rules += [replace(item, line=item.line + shift) for item in parsed.rules]
                chains += [replace(item, line=item.line + shift) for item in parsed.chains]
    return Ruleset(tuple(chains), tuple(rules))


def _policy(named: list[str], family: str, line: int) -> Iterator[PlacedChain]:
    for position, word in enumerate(named[:-2]):
        if word in {"-P", "--policy"}:
            chain, policy = named[position + 1 : position + 3]
            yield PlacedChain(FilterChain(family, "filter", chain, chain.lower(), policy.lower()), line)
