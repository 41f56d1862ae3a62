"""The kernel settings that a script makes: by ``sysctl -w``, through /proc/sys, or in a file for sysctl.

What a command writes is its text (``shell_output``), and where it goes its sinks: a redirection, ``tee``, the standard
input of ``sysctl -p``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.knowledge.sysctl_text import KERNEL, Assignment, dotted, parse
from halfopen.lint.formats import shell_sed
from halfopen.lint.formats.shell_output import texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.document import Command, Word
    from halfopen.lint.formats.shell_output import Text
    from halfopen.lint.formats.shell_values import Values

_PROC = "/proc/sys/"
_SETTING = re.compile(r"\s*-?([\w./*-]+)\s*=\s*(.*)", re.DOTALL)
_ELEMENT = re.compile(r"\[(net[./][\w./-]+)\]=(.*)", re.DOTALL)
_SYSCTL_FILE = re.compile(r"sysctl(?:\.d/|[^/]*\.conf$)")
_STDIN = frozenset({"-", "/dev/stdin", "/proc/self/fd/0", "/dev/fd/0"})
_OUT = frozenset({">", ">>", ">|", "&>", "&>>"})


def settings(found: tuple[Command, ...], values: Values, *, plain_echo: bool) -> Iterator[Assignment]:
    """Every setting, in the order of the commands.

    Args:
        found: the commands.
        values: what their variables hold.
        plain_echo: whether ``echo`` writes ``\\n`` as it is unless told otherwise, as bash's does.
    """
    if any(command.program == "sysctl" for command in found):
        yield from _of_array(values)
    place, stands_in = "", 0
    for command in found:
        inside = values.within(command.function)
        # A «cd» within «(…)» is forgotten behind it, and where the script stands then is unknown.
        where = place if stands_in in {0, command.shell} else ""
        if command.program in {"cd", "pushd", "popd"}:
            place, stands_in = _directory(where, command, inside), command.shell
        elif command.program == "sed":
            yield from _edited(command, inside)
        elif command.program == "sysctl":
            yield from _sysctl(command, inside)
        elif command.program in {"docker", "podman", "nerdctl"}:
            yield from _of_container(command, inside)
        sinks = list(_sinks(command, found, inside, where))
        for target in dict.fromkeys(sinks):
            for text in texts(command, inside, plain_echo=plain_echo):
                yield from _written(target, text, command)


def _directory(where: str, command: Command, values: Values) -> str:
    """Where the script stands behind ``cd``; "" where that is unknown."""
    target = values.text(command.words[1].text) if len(command.words) == 2 else ""
    if target.startswith("/"):
        return target
    return f"{where}/{target}" if where and target and target[0] not in "-.$~`" else ""


def _edited(command: Command, values: Values) -> Iterator[Assignment]:
    """``sed -i 's/…/key = value/' /etc/sysctl.conf``."""
    targets = [path for word in shell_sed.files(command) for path in _paths(word, values)]
    for target in targets:
        for place in shell_sed.inserted(command):
            for item in parse(values.text(place.text)):
                if isinstance(item, Assignment):
                    # What it replaces need not be there: it is not held against what other commands write.
                    into = f"{target} sed {place.line}"
                    column = place.column + item.column - 1
                    yield replace(item, line=place.line, column=column, value_column=column, into=into)


def _of_array(values: Values) -> Iterator[Assignment]:
    """An array of settings, which a loop will go through."""
    for word in values.pairs():
        if match := _ELEMENT.fullmatch(word.text):
            value, column = values.text(match[2]), word.column + match.start(2)
            yield Assignment(word.line, word.column, dotted(match[1]), value.strip(), column, into=f"{KERNEL}, array")


def _sysctl(command: Command, values: Values) -> Iterator[Assignment]:
    """``sysctl -w key=value key=value``."""
    ignores = any(re.fullmatch(r"-[a-z]*e[a-z]*|--ignore", word.text) for word in command.words)
    for word in command.words[1:]:
        if not word.text.startswith("--"):
            for setting in _pair(word, values, command):
                yield replace(setting, ignore_errors=ignores)


def _of_container(command: Command, values: Values) -> Iterator[Assignment]:
    """``docker run --sysctl key=value``."""
    before = ""
    for word in command.words[1:]:
        if before == "--sysctl":
            yield from _given(_pair(word, values, command))
        elif word.text.startswith("--sysctl="):
            rest = word.text.removeprefix("--sysctl=")
            yield from _given(_pair(replace(word, text=rest, column=word.column + len("--sysctl=")), values, command))
        before = word.text


def _given(found: Iterator[Assignment]) -> Iterator[Assignment]:
    for item in found:
        # Each container has a namespace of its own: what it is given is no repetition of anything.
        yield replace(item, in_container=True, into=f"{item.into} container {item.line}")


def _pair(word: Word, values: Values, command: Command) -> Iterator[Assignment]:
    """``key=value``, once for each round of the loop that it may stand in."""
    for item, text in values.words(word):
        match = _SETTING.fullmatch(text)
        if match:
            at = item or word
            shift = match.start(2) if text == at.text else 0
            yield Assignment(
                at.line, at.column, dotted(match[1]), match[2].strip(), at.column + shift,
                comment=command.comment, into=_into(KERNEL, command),
            )  # fmt: skip


def _sinks(command: Command, found: tuple[Command, ...], values: Values, where: str) -> Iterator[str]:
    """Where the command's output goes, as far as it concerns settings: files, and ``sysctl -p -``."""
    if command.program == "sysctl" and _reads_stdin(command):
        yield KERNEL
    for word in (redirect.target for redirect in command.redirects if redirect.operator.lstrip("1") in _OUT):
        yield from _paths(word, values, where)
    if command.program == "tee":
        yield from _files_of_tee(command, values, where)
    if command.piped_into is not None:
        reader = found[command.piped_into]
        if reader.program == "tee":
            yield from _files_of_tee(reader, values, where)
        elif reader.program == "sysctl" and _reads_stdin(reader):
            yield KERNEL


def _files_of_tee(command: Command, values: Values, where: str) -> Iterator[str]:
    for word in command.words[1:]:
        if not word.text.startswith("-"):
            yield from _paths(word, values, where)


def _paths(word: Word, values: Values, where: str = "") -> Iterator[str]:
    for _item, name in values.words(word):
        text = name if name.startswith("/") or not where else f"{where.rstrip('/')}/{name}"
        if text.startswith(_PROC) or _SYSCTL_FILE.search(text):
            yield text


def _reads_stdin(command: Command) -> bool:
    """``sysctl -p -``, ``sysctl -qp /dev/stdin``, ``sysctl --load=-``."""
    words = [word.text for word in command.words[1:]]
    loads = any(re.fullmatch(r"-[a-z]*[pf]-?|--load(?:=.*)?", word) for word in words)
    return loads and any(
        word in _STDIN or word.removeprefix("--load=") in _STDIN or word.endswith("p-") for word in words
    )


def _written(target: str, text: Text, command: Command) -> Iterator[Assignment]:
    into = _into(KERNEL if target.startswith(_PROC) else target, command)
    if target.startswith(_PROC):
        key = dotted(target.removeprefix(_PROC))
        value = text.text.strip()
        yield Assignment(text.line, text.column, key, value, text.column, comment=command.comment, into=into)
        return
    for item in parse(text.text):
        if not isinstance(item, Assignment):
            continue
        said = replace(item, comment=item.comment or command.comment, into=into)
        if text.whole_lines:
            shift = text.column - 1 if item.line == 1 else 0
            yield replace(said, line=text.line + item.line - 1, column=item.column + shift)
        else:
            yield replace(said, line=text.line, column=text.column, value_column=text.column)


def _into(target: str, command: Command) -> str:
    return f"{target} {command.block}"
