"""The text of sysctl.conf and sysctl.d files: lines into assignments, as systemd-sysctl and procps read them.

Both take everything behind ``=`` as the value: a ``#`` there begins no comment. The kernel reads a number up to the
first blank and drops the rest in silence (measured on 6.18.44: ``1 # on`` sets 1), and refuses a word with a tail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.model.host import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

#: As the kernel's simple_strtoul() reads them: decimal, octal behind a 0, hexadecimal; longer ones fit no type.
_NUMBER = re.compile(r"(-?)(?:0[xX]([0-9a-fA-F]{1,16})|0([0-7]{1,22})|(\d{1,20}))", re.ASCII)
_BLANK = " \t\r\f\v"
_WHITE = re.compile(r"\s+")


KERNEL = "the kernel"
"""Begins ``Assignment.into`` of what a command sets in the running kernel."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """``key = value`` where it stands in a file or a script."""

    line: int
    """1-based."""
    column: int
    """1-based column of the key."""
    key: str
    """With dots."""
    value: str | None
    """As written; None: the line holds no value (systemd's ``-key`` takes it out of the reach of patterns)."""
    value_column: int = 0
    """1-based; 0 when there is no value."""
    ignore_errors: bool = False
    comment: str = ""
    """What the file says about it: the lines of comment right above, and one behind the value."""
    into: str = ""
    """Of a script: what is written, and in which branch. Lines of one ``into`` are applied one after the other."""
    in_container: bool = False
    """It is given to a container, which has a network namespace of its own."""
    in_unit: bool = False
    """A command by which a unit of systemd starts sets it: where it fails, the unit does."""

    @property
    def is_at_once(self) -> bool:
        """A script's command sets it in the running kernel, and no file for later."""
        return self.into.startswith(KERNEL)

    @property
    def holds_up(self) -> str | None:
        """What does not start where the write fails."""
        if self.in_container:
            return "the container"
        return "the unit" if self.in_unit and not self.ignore_errors else None

    @property
    def number(self) -> int | None:
        """The value as the kernel would read it, when it is one number."""
        numbers = self.numbers
        return numbers[0] if numbers and len(numbers) == 1 else None

    @property
    def numbers(self) -> tuple[int, ...] | None:
        """The numbers of the value, without a comment behind them; None when it is not made of numbers."""
        words = without_comment(self.value or "").split()
        matches = [_NUMBER.fullmatch(word) for word in words]
        return tuple(_number(match) for match in matches if match) if words and all(matches) else None


@dataclass(frozen=True, slots=True)
class Defect:
    """A line that is neither comment nor assignment."""

    line: int
    column: int
    text: str
    """The line (hostile text), at most 80 characters."""


def _number(match: re.Match[str]) -> int:
    sign, hexadecimal, octal, decimal = match.groups()
    number = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal)
    return -number if sign else number


def dotted(key: str) -> str:
    """``net/ipv4/conf/eth0.100/rp_filter`` → ``net.ipv4.conf.eth0/100.rp_filter``; a key with dots stays.

    The first separator decides which of the two is meant (sysctl.d(5)).
    """
    first = re.search(r"[./]", key)
    if first is None or first[0] == ".":
        return key
    return key.translate(str.maketrans("./", "/."))


def without_comment(value: str) -> str:
    """A value without what was meant as a comment behind it."""
    return re.split(r"(?:^|\s)[#;]", value, maxsplit=1)[0].strip()


def folded(value: str) -> str:
    """Blanks folded to one, as values are compared."""
    return _WHITE.sub(" ", value).strip()


def parse(text: str) -> Iterator[Assignment | Defect]:
    """Every line that is not empty and not a comment, in order. Lines end at ``\\n``; nothing raises."""
    comments: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        content = line.strip(_BLANK)
        if not content:
            comments = []
        elif content[0] in "#;":
            comments.append(content.lstrip("#; "))
        else:
            yield _line(number, line, content, " ".join(comments[-_COMMENT_LINES:]))
            # A comment speaks of the lines right below it, up to the next empty line or comment.
            comments = []


#: Lines of comment above a setting that are kept.
_COMMENT_LINES = 8
_SHOWN = 80


def _line(number: int, line: str, content: str, comment: str) -> Assignment | Defect:
    ignore = content.startswith("-")
    left, equals, right = content.partition("=")
    key = left[ignore:].strip(_BLANK)
    column = line.index(content) + 1
    if not key or (not equals and not ignore) or _WHITE.search(key):
        return Defect(number, column, content[:_SHOWN])
    start = line.index(key, column - 1 + ignore) + 1
    if not equals:
        return Assignment(number, start, dotted(key), None, ignore_errors=True, comment=comment)
    value = right.strip(_BLANK)
    behind = value[len(without_comment(value)) :].strip(" \t#;") if value else ""
    position = line.index("=") + 1
    return Assignment(
        number,
        start,
        dotted(key),
        value,
        value_column=position + len(right) - len(right.lstrip(_BLANK)) + 1,
        ignore_errors=ignore,
        comment=f"{comment} {behind}".strip(),
    )


def settings(text: str, prefix: str = "net.") -> tuple[Setting, ...]:
    """The assignments of a file as the snapshot keeps them: those whose key begins with ``prefix``."""
    return tuple(
        Setting(item.line, item.key, item.value, item.ignore_errors)
        for item in parse(text)
        if isinstance(item, Assignment) and item.value is not None and item.key.startswith(prefix)
    )
