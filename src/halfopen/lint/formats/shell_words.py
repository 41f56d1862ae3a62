"""A shell script as words, operators, comments and here-documents. It is read, never run; nothing is replaced.

A subset of POSIX 2.3: enough to see which program gets which words. The rest stays as it was written.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLANK = re.compile(r"(?:[ \t\r]|\\\n)+")
_OPERATOR = re.compile(r"\n|&&|\|\||\|&|;;&?|;&|&>>?|\d*(?:<<<|<<-?|>>|<>|>&|<&|>\||>|<)|[;|()]|&(?![>&])")
_PLAIN = re.compile(r"[^\s\\'\"$`;|&()<>#]+|\\[\s\S]")
_NESTING_MAX = 64
_CONTINUED = "\\\n"


class Piece(NamedTuple):
    """A word, an operator, a comment or the body of a here-document."""

    kind: str
    """``word``, ``operator``, ``comment`` or ``body``."""
    text: str
    start: int
    quoted: bool = False
    """It has quotes: it is no operator and no reserved word."""
    joints: tuple[int, ...] = ()
    """Offsets in ``text`` where a line was continued by a backslash, which is not in it."""


class Places:
    """Offsets as lines and columns."""

    def __init__(self, text: str, at: tuple[int, int] = (1, 1)) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._line, self._column = at

    def of(self, offset: int) -> tuple[int, int]:
        """Line and column, 1-based, where the text begins at ``at``."""
        line = bisect_right(self._starts, offset)
        column = offset - self._starts[line - 1]
        return line + self._line - 1, column + (self._column if line == 1 else 1)


def pieces(text: str) -> Iterator[Piece]:
    """Everything in ``text`` but blanks, in order; a body follows the end of the line that asked for it."""
    at, want_delimiter = 0, ""
    pending: list[tuple[str, bool]] = []
    while at < len(text):
        if blank := _BLANK.match(text, at):
            at = blank.end()
        elif text[at] == "#":
            end = _line_end(text, at)
            yield Piece("comment", text[at + 1 : end].strip(), at)
            at = end
        elif operator := _OPERATOR.match(text, at):
            yield Piece("operator", operator[0], at)
            at = operator.end()
            want_delimiter = operator[0].lstrip("0123456789") if "<<" in operator[0] else ""
            if operator[0] == "\n":
                for delimiter, dashed in pending:
                    body, end = _body(text, at, delimiter, dashed=dashed)
                    yield Piece("body", body, at)
                    at = end
                pending.clear()
        else:
            joints: list[int] = []
            word, end = _word(text, at, joints)
            yield Piece("word", word, at, quoted=text[at] in "'\"\\", joints=tuple(joints))
            if want_delimiter in {"<<", "<<-"}:
                pending.append((word, want_delimiter == "<<-"))
            at, want_delimiter = max(end, at + 1), ""


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _word(text: str, at: int, joints: list[int]) -> tuple[str, int]:
    """The word that begins at ``at``, and where it ends; ``joints`` takes where its lines were continued."""
    parts: list[str] = []
    while at < len(text):
        character = text[at]
        if character == "'":
            end = text.find("'", at + 1)
            end = len(text) if end < 0 else end
            parts.append(text[at + 1 : end])
            at = end + 1
        elif character == '"':
            before = sum(map(len, parts))
            inner, at = _double(text, at + 1)
            parts += [part for part in inner if part != _CONTINUED]
            joints += _joints(before, inner)
        elif text.startswith(("$(", "${", "`"), at):
            end = _substitution(text, at)
            parts.append(text[at:end])
            at = end
        elif plain := _PLAIN.match(text, at):
            parts.append("" if plain[0] == "\\\n" else plain[0].removeprefix("\\"))
            at = plain.end()
        elif character in "$#":
            parts.append(character)
            at += 1
        else:
            break
    return "".join(parts), at


def _joints(before: int, parts: list[str]) -> Iterator[int]:
    for part in parts:
        if part == _CONTINUED:
            yield before
        else:
            before += len(part)


def _double(text: str, at: int) -> tuple[list[str], int]:
    """The parts of a quoted text, a continued line's end among them, and where it ends."""
    parts: list[str] = []
    while at < len(text) and text[at] != '"':
        if text[at] == "\\" and at + 1 < len(text):
            parts.append(text[at + 1] if text[at + 1] in '$`"\\' else text[at : at + 2])
            at += 2
        elif text.startswith(("$(", "${", "`"), at):
            end = _substitution(text, at)
            parts.append(text[at:end])
            at = end
        else:
            parts.append(text[at])
            at += 1
    return parts, at + 1


def _substitution(text: str, at: int) -> int:
    """Where ``$(…)``, ``${…}`` or `` `…` `` ends; quotes within are stepped over."""
    if text[at] == "`":
        end = text.find("`", at + 1)
        return len(text) if end < 0 else end + 1
    stack = [")" if text[at + 1] == "(" else "}"]
    at += 2
    while at < len(text) and stack:
        character = text[at]
        if character == "\\":
            at += 1
        elif character == "'":
            end = text.find("'", at + 1)
            at = len(text) if end < 0 else end
        elif character == stack[-1]:
            stack.pop()
        elif character in "({" and len(stack) < _NESTING_MAX:
            stack.append(")" if character == "(" else "}")
        at += 1
    return min(at, len(text))


def _body(text: str, at: int, delimiter: str, *, dashed: bool) -> tuple[str, int]:
    """The lines up to the delimiter, and where the script goes on."""
    begin = at
    while at < len(text):
        end = _line_end(text, at)
        line = text[at:end]
        if (line.lstrip("\t") if dashed else line) == delimiter:
            return text[begin:at], min(end + 1, len(text))
        at = end + 1
    return text[begin:], len(text)
