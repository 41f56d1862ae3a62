"""The pieces of a script as simple commands, with their redirections, pipes and comments."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halfopen.lint.document import Command, Redirect, Word
from halfopen.lint.formats.shell_words import Places, pieces

if TYPE_CHECKING:
    from halfopen.lint.formats.shell_words import Piece

_RESERVED = frozenset(
    {"if", "then", "else", "elif", "while", "until", "do", "!", "{", "}", "time", "fi", "done", "esac"}
)
_PREFIXES = frozenset(
    {"sudo", "doas", "nohup", "exec", "command", "nice", "ionice", "env", "timeout", "stdbuf", "setsid"}
)
_PREFIX_ARGUMENT = re.compile(r"-.*|\d+[smhd]?|[A-Za-z_]\w*=.*", re.DOTALL)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=(.*)", re.DOTALL)
_DECLARES = frozenset({"export", "local", "readonly", "declare", "typeset"})
_REDIRECTION = re.compile(r"\d*(?:<|>)|&>")


@dataclass
class _Reader:
    """The command that is being read, and what was read before."""

    places: Places
    commands: list[Command] = field(default_factory=list)
    variables: list[tuple[str, str]] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)
    operator: str = ""
    above: list[str] = field(default_factory=list)
    piped: bool = False
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
        word = Word(piece.text, *self.places.of(piece.start))
        if self.operator:
            self.redirects.append(Redirect(self.operator, word))
            self.operator = ""
        else:
            self.words.append(word)

    def _comment(self, text: str) -> None:
        if self.words:
            self._finish(text)
        elif len(self.commands) > self.line_began_at:
            last = self.commands[-1]
            self.commands[-1] = Command(last.words, last.redirects, last.piped_into, f"{last.comment} {text}".strip())
        else:
            self.above = [*self.above[-7:], text]

    def _body(self, piece: Piece) -> None:
        """The here-document belongs to the last command whose redirection still lacks one."""
        line = self.places.of(piece.start)[0]
        for index in range(len(self.commands) - 1, max(-1, len(self.commands) - 9), -1):
            command = self.commands[index]
            redirects = list(command.redirects)
            for place, redirect in enumerate(redirects):
                if "<<" in redirect.operator and redirect.body is None and "<<<" not in redirect.operator:
                    redirects[place] = Redirect(redirect.operator, redirect.target, piece.text, line)
                    self.commands[index] = Command(command.words, tuple(redirects), command.piped_into, command.comment)
                    return

    def _end(self, operator: str) -> None:
        had = bool(self.words)
        self._finish()
        self.piped = operator in {"|", "|&"}
        if operator == "\n":
            if not had and len(self.commands) == self.line_began_at and not self.above:
                self.above = []
            self.line_began_at = len(self.commands)

    def _finish(self, behind: str = "") -> None:
        words, redirects = self._without_prefixes(), tuple(self.redirects)
        self.words, self.redirects, self.operator = [], [], ""
        if not words:
            return
        if self.piped and self.commands:
            last = self.commands[-1]
            self.commands[-1] = Command(last.words, last.redirects, len(self.commands), last.comment)
        self.piped = False
        self.commands.append(Command(tuple(words), redirects, comment=f"{' '.join(self.above)} {behind}".strip()))
        self.above = []

    def _without_prefixes(self) -> list[Word]:
        """The words from the program on; assignments before it are remembered."""
        words = list(self.words)
        while words:
            text = words[0].text
            assignment = _ASSIGNMENT.fullmatch(text)
            if assignment:
                self.variables.append((assignment[1], assignment[2]))
            elif text in _DECLARES:
                pass
            elif text.rpartition("/")[2] in _PREFIXES:
                del words[0]
                while words and _PREFIX_ARGUMENT.fullmatch(words[0].text):
                    del words[0]
                continue
            elif text not in _RESERVED:
                break
            del words[0]
        return words


def commands(text: str) -> tuple[tuple[Command, ...], tuple[tuple[str, str], ...]]:
    """Every simple command of a script, and every assignment; those within ``$(…)`` stay part of their word."""
    reader = _Reader(Places(text))
    for piece in pieces(text + "\n"):
        reader.take(piece)
    return tuple(reader.commands), tuple(reader.variables)
