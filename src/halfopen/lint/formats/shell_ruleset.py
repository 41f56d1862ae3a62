"""The firewall rules that a script adds: by iptables and nft, in their here-documents, in files that it writes."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from halfopen.knowledge.firewall.iptables import parse_iptables_save
from halfopen.knowledge.firewall.iptables_rule import read_rule
from halfopen.knowledge.firewall.nft import parse_nft
from halfopen.knowledge.firewall.ruleset import PlacedChain, PlacedRule, Ruleset
from halfopen.model.network import FilterChain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from halfopen.lint.document import Command
    from halfopen.lint.formats.shell_values import Values

_FAMILIES = {"iptables": "ip", "ip6tables": "ip6"}
_VARIABLE = re.compile(r"\$\{?ip(6?)t(?:ables)?\w{0,8}\}?", re.IGNORECASE)
_NEW_CHAIN = frozenset({"-N", "--new", "--new-chain"})
#: What tells the text of a file: iptables-save names its tables so, nft's files begin a table or empty the ruleset.
_SAVED = re.compile(r"^\*(?:filter|nat|mangle|raw|security)[ \t]*$", re.MULTILINE)
_NFT = re.compile(r"^[ \t]*(?:flush ruleset|(?:add[ \t]+)?table[ \t]+\w+)", re.MULTILINE)
_V6 = re.compile(r"ip6|v6\b", re.IGNORECASE)


def ruleset(found: tuple[Command, ...], values: Values) -> Ruleset:
    """Every rule and chain, in the order of the commands."""
    named = [(command, [values.text(word.text) for word in command.words]) for command in found]
    declared = frozenset(_declared(words for _command, words in named))
    parts = [part for command, words in named for part in _of_command(command, words, declared, values)]
    return Ruleset(
        tuple(chain for part in parts for chain in part.chains), tuple(rule for part in parts for rule in part.rules)
    )


def _declared(commands: Iterable[list[str]]) -> Iterator[str]:
    """Chains of the script's own, for a target in capitals may be one."""
    for words in commands:
        for verb, name in pairwise(words):
            if verb in _NEW_CHAIN:
                yield name


def _of_command(command: Command, words: list[str], declared: frozenset[str], values: Values) -> Iterator[Ruleset]:
    # «$IPT -A INPUT …», where the script says what $IPT is.
    program = words[0].rpartition("/")[2]
    family = _FAMILIES.get(program.partition("-")[0]) or _family_of_name(program)
    if family is not None:
        rule = read_rule(words[1:], family=family, text=" ".join(words), chains=declared)
        rules = [PlacedRule(rule, command.line, command.column)] if rule else []
        yield Ruleset(tuple(_policy(words, family, command.line)), tuple(rules))
    elif program == "nft":
        parsed = parse_nft(" ".join(word for word in words[1:] if not word.startswith("-")))
        yield Ruleset((), tuple(PlacedRule(item.rule, command.line, command.column) for item in parsed.rules))
    for redirect in command.redirects:
        if redirect.body:
            yield _below(_of_text(values.text(redirect.body), program, command), redirect.body_line - 1)


def _of_text(text: str, program: str, command: Command) -> Ruleset:
    """A here-document: for nft or iptables-restore, or a file that one of them will read."""
    if _SAVED.search(text):
        names = [program, *(redirect.target.text for redirect in command.redirects)]
        return parse_iptables_save(text, "ip6" if any(_V6.search(name) for name in names) else "ip")
    return parse_nft(text) if program == "nft" or _NFT.search(text) else Ruleset()


def _below(found: Ruleset, lines: int) -> Ruleset:
    return Ruleset(
        tuple(replace(item, line=item.line + lines) for item in found.chains),
        tuple(replace(item, line=item.line + lines) for item in found.rules),
    )


def _family_of_name(program: str) -> str | None:
    """Of a program that the script leaves to a variable which it does not set: ``$IPTABLES -A …``."""
    match = _VARIABLE.fullmatch(program)
    return None if match is None else "ip6" if match[1] else "ip"


def _policy(named: list[str], family: str, line: int) -> Iterator[PlacedChain]:
    for position, word in enumerate(named[:-2]):
        if word in {"-P", "--policy"}:
            chain, policy = named[position + 1 : position + 3]
            yield PlacedChain(FilterChain(family, "filter", chain, chain.lower(), policy.lower()), line)
