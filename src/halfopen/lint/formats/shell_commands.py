"""The pieces of a script as simple commands, with their redirections, pipes, comments and branches."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from halfopen.lint.document import Command, Redirect, Word
from halfopen.lint.formats.shell_blocks import BEGINS, RESERVED, Blocks
from halfopen.lint.formats.shell_prefixes import inner_script, without_wrapper
from halfopen.lint.formats.shell_reads import spread
from halfopen.lint.formats.shell_words import Places, pieces

if TYPE_CHECKING:
    from halfopen.lint.formats.shell_words import Piece

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?)=(.*)", re.DOTALL)
_DECLARES = frozenset({"export", "local", "readonly", "declare", "typeset"})
_REDIRECTION = re.compile(r"\d*(?:<|>)|&>")
_GROUP_MAX = 1000
"""Commands of a group that take part in its redirections."""
_SCRIPTS_WITHIN_MAX = 4
_BODY_WITHIN = 40
"""Commands within which the one is looked for that a here-document belongs to."""
_PREFIXES_MAX = 500
"""Assignments and the like before a command: no person writes as many."""
UNKNOWN = "$("
"""Stands for a value that only a run would tell."""


@dataclass(frozen=True, slots=True)
class Script:
    """What a script holds."""

    commands: tuple[Command, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    lists: tuple[tuple[str, tuple[Word, ...]], ...] = ()
    """Names of arrays and of the variables of ``for``, and the words that they go through."""
    calls: tuple[Command, ...] = ()
    """Of loops that read lines of the script: one call a line, of the loop's name."""


@dataclass
class _Reader:
    """The command that is being read, and what was read before."""

    places: Places
    depth: int = 0
    commands: list[Command] = field(default_factory=list)
    variables: list[tuple[str, str]] = field(default_factory=list)
    lists: list[tuple[str, tuple[Word, ...]]] = field(default_factory=list)
    loops: list[tuple[int, int]] = field(default_factory=list)
    """Of each loop the index of its first command and that behind its last."""
    separators: dict[int, str] = field(default_factory=dict)
    """Index of a ``read`` → its ``IFS``."""
    calls: list[Command] = field(default_factory=list)
    blocks: Blocks = field(default_factory=Blocks)
    words: list[Word] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)
    operator: str = ""
    above: list[str] = field(default_factory=list)
    piped: range = range(0)
    """Commands whose output the next one reads."""
    joined: str = ""
    """The operator before the command."""
    array: tuple[str, list[Word]] | None = None
    line_began_at: int = 0
    """Number of commands when the line began: a comment at its end speaks of those."""

    def take(self, piece: Piece) -> None:
        if piece.kind == "comment":
            self._comment(piece.text)
        elif piece.kind == "body":
            self._body(piece)
        elif piece.kind == "word":
            self._word(piece)
        elif _REDIRECTION.match(piece.text):
            self.operator = piece.text
        else:
            self._end(piece.text)

    def _word(self, piece: Piece) -> None:
        word = Word(piece.text, *self.places.of(piece.start), quoted=piece.quoted, joints=piece.joints)
        if self.array is not None:
            self.array[1].append(word)
        elif self.operator:
            self.redirects.append(Redirect(self.operator, word))
            self.operator = ""
        else:
            self.words.append(word)

    def _comment(self, text: str) -> None:
        if self.words:
            self._finish(text)
        elif len(self.commands) > self.line_began_at:
            last = self.commands[-1]
            self.commands[-1] = replace(last, comment=f"{last.comment} {text}".strip())
        else:
            self.above = [*self.above[-7:], text]

    def _body(self, piece: Piece) -> None:
        """The here-document belongs to the last command whose redirection still lacks one."""
        line = self.places.of(piece.start)[0]
        for index in range(len(self.commands) - 1, max(-1, len(self.commands) - _BODY_WITHIN), -1):
            command = self.commands[index]
            redirects = list(command.redirects)
            for place, redirect in enumerate(redirects):
                if "<<" in redirect.operator and redirect.body is None and "<<<" not in redirect.operator:
                    redirects[place] = replace(redirect, body=piece.text, body_line=line)
                    self.commands[index] = replace(command, redirects=tuple(redirects))
                    return

    def _end(self, operator: str) -> None:
        if self.array is not None:
            self._array_ends(operator)
            return
        if operator == "(" and self.words and self.words[-1].text.endswith("=") and not self.words[-1].quoted:
            self.array = (self.words.pop().text.rstrip("+="), [])
            return
        number = len(self.commands)
        begun = range(number, number + 1) if self._finish() else self._group()
        self.piped = begun if operator in {"|", "|&"} else range(0)
        if operator in {"(", ")"}:
            self.blocks.parenthesis(operator, len(self.commands))
        self.joined = operator
        if operator == "\n":
            self.line_began_at = len(self.commands)

    def _array_ends(self, operator: str) -> None:
        if operator == ")" and self.array is not None:
            name, words = self.array
            self.lists.append((name, tuple(words)))
            self.array = None

    def _group(self) -> range:
        """The commands of a group that has just ended: its redirections are theirs."""
        block, self.blocks.closed = self.blocks.closed, None
        return (
            range(0) if block is None else range(max(block.first, len(self.commands) - _GROUP_MAX), len(self.commands))
        )

    def _finish(self, behind: str = "") -> bool:
        """Ends the command, if there is one; says so."""
        words, redirects = self._without_prefixes(), tuple(self.redirects)
        self.words, self.redirects, self.operator = [], [], ""
        if not words:
            self._redirect_group(redirects)
            return False
        for index in self.piped:
            self.commands[index] = replace(self.commands[index], piped_into=len(self.commands))
        self.piped, self.blocks.closed = range(0), None
        comment = f"{' '.join(self.above)} {behind}".strip()
        block = self.blocks.fresh() if self.joined in {"&&", "||"} else self.blocks.current
        self.above = []
        self.commands.append(
            Command(
                tuple(words), redirects,
                comment=comment, block=block, function=self.blocks.function, shell=self.blocks.shell,
            )
        )  # fmt: skip
        self._remember_list(words)
        self._script_within(words)
        return True

    def _redirect_group(self, redirects: tuple[Redirect, ...]) -> None:
        into = tuple(redirect for redirect in redirects if ">" in redirect.operator)
        closed = self.blocks.closed
        lines = tuple(redirect for redirect in redirects if "<<" in redirect.operator)
        if lines and closed is not None and closed.first < len(self.commands):
            reader = self.commands[closed.first]
            self.commands[closed.first] = replace(reader, redirects=(*reader.redirects, *lines))
        if into and closed is not None:
            for index in self._group():
                command = self.commands[index]
                self.commands[index] = replace(command, redirects=(*command.redirects, *into))
            self.blocks.closed = closed

    def _remember_list(self, words: list[Word]) -> None:
        """``for name in word…``."""
        if words[0].text in {"for", "select"} and len(words) > 2 and words[2].text == "in":
            self.lists.append((words[1].text, tuple(words[3:])))
        elif words[0].text in {"read", "getopts", "mapfile", "readarray"}:
            if words[0].text == "read" and self.variables and self.variables[-1][0] == "IFS":
                self.separators[len(self.commands) - 1] = self.variables[-1][1]
            self.variables += [(word.text, UNKNOWN) for word in words[1:] if word.text.isidentifier()]

    def _script_within(self, words: list[Word]) -> None:
        """``sh -c '…'``: its commands too."""
        inner = inner_script(words)
        if inner is None or self.depth >= _SCRIPTS_WITHIN_MAX:
            return
        before, block = len(self.commands), self.blocks.fresh()
        script = commands(inner.as_written, at=(inner.line, inner.column + inner.quoted), depth=self.depth + 1)
        self.variables += script.variables
        self.lists += script.lists
        self.calls += script.calls
        for command in script.commands:
            into = None if command.piped_into is None else command.piped_into + before
            self.commands.append(replace(command, piped_into=into, block=block, shell=block))

    def _function(self) -> str:
        """The name of the function whose body begins: ``name()`` was read as a command, and is none."""
        last = self.commands[-1] if self.commands else None
        if self.joined != ")" or self.blocks.is_case or last is None or len(last.words) > 1:
            return ""
        if len(self.commands) > 1 and self.commands[-2].piped_into is not None:
            return ""
        self.commands.pop()
        self.line_began_at = min(self.line_began_at, len(self.commands))
        return last.words[0].text

    def _without_prefixes(self) -> list[Word]:
        """The words from the program on; assignments before it are remembered."""
        words = list(self.words)
        for _ in range(_PREFIXES_MAX):
            if not words:
                break
            text = words[0].text
            assignment = None if words[0].quoted else _ASSIGNMENT.fullmatch(text)
            if assignment:
                name, more, value = assignment.groups()
                self.variables.append((name, UNKNOWN if more else value))
            elif text in BEGINS | RESERVED and not words[0].quoted:
                function = self._function() if text == "{" else ""
                self.blocks.word(text, len(self.commands), function=function)
                if text == "done" and self.blocks.closed is not None:
                    self.loops.append((self.blocks.closed.first, len(self.commands)))
                if text not in RESERVED:
                    break
            elif text not in _DECLARES:
                shorter = without_wrapper(words)
                if len(shorter) == len(words):
                    break
                words = shorter
                continue
            del words[0]
        return words


def commands(text: str, *, at: tuple[int, int] = (1, 1), depth: int = 0) -> Script:
    """Every simple command of a script, and every assignment; those within ``$(…)`` stay part of their word.

    Args:
        text: the script.
        at: line and column of its first character.
        depth: how many scripts it is within.
    """
    reader = _Reader(Places(text, at), depth)
    for piece in pieces(text + "\n"):
        reader.take(piece)
    calls, arguments = spread(reader.commands, reader.loops, reader.separators)
    named = {name for name, _value in arguments}
    variables = [(name, value) for name, value in reader.variables if name not in named or value != UNKNOWN]
    return Script(tuple(reader.commands), (*variables, *arguments), tuple(reader.lists), (*reader.calls, *calls))
