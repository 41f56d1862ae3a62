"""Kernel settings in YAML: Compose, Kubernetes, Ansible, cloud-init.

They stand as keys (``net.core.somaxconn: 1024``), as pairs of ``name`` and ``value``, as ``key=value``, in scripts
(``runcmd``, the command of a container) and in the text of files (``write_files``).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from halfopen.knowledge.firewall.ruleset import Ruleset
from halfopen.knowledge.sysctl_text import KERNEL, Assignment, dotted, parse
from halfopen.lint.formats import shell
from halfopen.lint.formats.yaml_nodes import Mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from halfopen.lint.document import Command, Document
    from halfopen.lint.formats.yaml_nodes import Home, Scalar

#: Others have keys below ``net.`` too (``net.peer.name`` of OpenTelemetry).
_NAME = r"net[./](?:core|ipv4|ipv6|netfilter|bridge|unix|nf_conntrack_max)\b[\w./*-]*"
_KEY = re.compile(_NAME)
_LINE = re.compile(rf"^[ \t]*-?{_NAME}[ \t]*=", re.MULTILINE)
_ANY_LINE = re.compile(r"^[ \t]*-?\w+[./][\w./*-]+[ \t]*=", re.MULTILINE)
#: Ansible's arguments in one line.
_ARGUMENTS = re.compile(rf"\bname=[\"']?({_NAME})[\"']?\s(?:.*\s)?val(?:ue)?=(?:\"([^\"]*)\"|'([^']*)'|(\S+))")
_LINE_ARGUMENT = re.compile(rf"\bline=(?:\"({_NAME}[ \t]*=[^\"\n]*)\"|'({_NAME}[ \t]*=[^'\n]*)')")
_PAIR = re.compile(rf"{_NAME}[ \t]*=[^=\n]*")
_SCRIPT = re.compile(r"\bsysctl\b|/proc/sys/|\bip6?tables\b|\bnft\b|\btcpdump\b")
#: Texts for people, where a command is an advice.
_PROSE = frozenset({"description", "summary", "message", "msg", "fail_msg", "title", "help", "name", "documentation"})
#: What tells a container among mappings; Ansible's roles have variables called sysctls for hosts.
_IMAGE = frozenset({"image", "build", "container_name"})
SCRIPTS_MAX = 500


class Found(NamedTuple):
    """What YAML holds beside alert rules."""

    settings: tuple[Assignment, ...]
    commands: tuple[Command, ...]
    ruleset: Ruleset
    tested: frozenset[str]


def settings(path: str, nodes: Iterable[Mapping | Scalar]) -> Found:
    """Every setting, with the commands and the rules of the scripts."""
    items: list[Assignment] = []
    scripts: list[Document] = []
    prose: set[tuple[int, int]] = set()
    scalars: list[Scalar] = []
    for node in nodes:
        if isinstance(node, Mapping):
            items += _of_mapping(node)
            prose |= {(value.line, value.column) for key, value in node.entries.values() if key.text in _PROSE}
        elif match := _ARGUMENTS.search(node.text):
            value = match[2] or match[3] or match[4] or ""
            items.append(
                Assignment(node.line, node.column, dotted(match[1]), value, into=f"{KERNEL}, line {node.line}")
            )
        elif match := _LINE_ARGUMENT.search(node.text):
            items += _of_text(replace(node, text=match[1] or match[2] or ""))
        elif _SCRIPT.search(node.text) or _LINE.search(node.text):
            scalars.append(node)
    for scalar in scalars:
        if (scalar.line, scalar.column) in prose:
            continue
        if _PAIR.fullmatch(scalar.text) or ((scalar.is_block or "\n" in scalar.text) and _is_settings(scalar.text)):
            items += _of_text(scalar)
        elif len(scripts) < SCRIPTS_MAX and (scalar.is_block or "\n" not in scalar.text):
            scripts.append(_script(path, scalar))
    items += [item for script in scripts for item in script.settings]
    return Found(
        tuple(sorted(items, key=lambda item: (item.line, item.column))),
        _joined(scripts),
        Ruleset(
            tuple(chain for script in scripts for chain in script.ruleset.chains),
            tuple(rule for script in scripts for rule in script.ruleset.rules),
        ),
        frozenset(key for script in scripts for key in script.tested),
    )


def _of_mapping(mapping: Mapping) -> Iterator[Assignment]:
    name, value = mapping.value("name", "key", "sysctl"), mapping.value("value", "val")
    state = mapping.value("state")
    if name and value and _KEY.fullmatch(name.text) and not (state and state.text == "absent"):
        into = f"{KERNEL}, line {name.line} {name.column}"
        yield _pair(name, value, into, in_container=_is_container(mapping.home))
    for key, entry in mapping.entries.values():
        if _KEY.fullmatch(key.text) and not entry.is_block:
            into = f"{KERNEL}, mapping {mapping.line}"
            yield _pair(key, entry, into, in_container=_is_container(mapping.home))


def _pair(key: Scalar, value: Scalar, into: str, *, in_container: bool) -> Assignment:
    text = value.text.strip()
    return Assignment(key.line, key.column, dotted(key.text), text, value.column, into=into, in_container=in_container)


def _is_container(home: Home | None) -> bool:
    """Below ``sysctls`` of a service of Compose, of a module that runs one, or of a pod's security context."""
    if home is None or home.key != "sysctls":
        return False
    above = home.mapping.home
    pod = above is not None and above.key.endswith("ecurityContext")
    return pod or not _IMAGE.isdisjoint(home.mapping.keys)


def _is_settings(text: str) -> bool:
    """Whether a block is the text of a sysctl file: most of its lines are settings."""
    lines = [line for line in text.split("\n") if line.strip() and line.lstrip()[0] not in "#;"]
    return _LINE.search(text) is not None and 2 * len(_ANY_LINE.findall(text)) > len(lines)


def _of_text(scalar: Scalar) -> Iterator[Assignment]:
    into = f"text {scalar.line}" if scalar.is_block else f"{KERNEL}, line {scalar.line}"
    for item in parse(scalar.text):
        if isinstance(item, Assignment):
            column = item.column if scalar.is_block else scalar.column + scalar.is_quoted
            yield replace(
                item,
                in_container=_is_container(scalar.home),
                line=scalar.line + (item.line - 1) * scalar.is_block,
                column=column,
                value_column=column,
                into=into,
            )


def _script(path: str, scalar: Scalar) -> Document:
    at = (scalar.line, scalar.column + scalar.is_quoted)
    found = shell.read(path, scalar.text, "yaml", at)
    # Each script is run by itself: what two of them set is no repetition.
    own = tuple(replace(item, into=f"{item.into} {scalar.line}") for item in found.settings)
    return replace(found, settings=own)


def _joined(scripts: list[Document]) -> tuple[Command, ...]:
    commands: list[Command] = []
    for script in scripts:
        before = len(commands)
        commands += [
            command if command.piped_into is None else replace(command, piped_into=command.piped_into + before)
            for command in script.commands
        ]
    return tuple(commands)
