"""What a file says, whatever its format: settings, filter rules, commands, backlogs, queries, each with its place.

A check looks at these and never at a format, so that ``sysctl -w`` in a script, ``echo … > /proc/sys/…`` and a line of
sysctl.conf are one matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, get_args

from halfopen.knowledge.firewall.ruleset import Ruleset

if TYPE_CHECKING:
    from halfopen.knowledge.sysctl_text import Assignment, Defect

Kind = Literal[
    "sysctl", "tuned", "iptables", "nft", "shell", "dockerfile", "nginx", "haproxy", "redis", "postgresql", "systemd",
    "wg-quick", "ifupdown", "prometheus", "yaml",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command, its quotes removed; what the shell would replace stands as it was written."""

    text: str
    line: int
    column: int
    quoted: bool = False
    """It began with a quote."""
    joints: tuple[int, ...] = ()
    """Offsets in ``text`` where a line was continued by a backslash."""

    @property
    def as_written(self) -> str:
        """The text with its continued lines, so that its places are those of the file."""
        parts = [self.text[begin:end] for begin, end in pairwise((0, *self.joints, len(self.text)))]
        return "\\\n".join(parts)


@dataclass(frozen=True, slots=True)
class Redirect:
    """``> file``."""

    operator: str
    """``>``, ``>>``, ``<``, ``2>``…"""
    target: Word
    body: str | None = None
    """The text of a here-document."""
    body_line: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command of a script."""

    words: tuple[Word, ...]
    """The program first, by its last name; prefixes such as ``sudo`` are left out. Never empty."""
    redirects: tuple[Redirect, ...] = ()
    piped_into: int | None = None
    """Index of the command that reads its output."""
    comment: str = ""
    """The lines of comment right above, and the one behind it."""
    block: int = 0
    """The branch, loop or function that it stands in; 0 outside of all. Of two branches one may run."""
    function: str = ""
    """The name of the function that it stands in."""
    shell: int = 0
    """The ``(…)`` or ``sh -c`` that it stands in; 0 outside of all. What it does to its shell ends with that."""

    @property
    def program(self) -> str:
        """``sysctl``."""
        return self.words[0].text.rpartition("/")[2]

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.words[0].line

    @property
    def column(self) -> int:
        """Where it begins."""
        return self.words[0].column


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that an application's configuration opens."""

    program: str
    """``nginx``; ``app.socket``, whose program the unit does not tell."""
    address: str
    """As it is written (hostile text)."""
    line: int
    column: int
    backlog: int | None = None
    """What the program will ask listen() for; None when it cannot be known from the file."""
    explicit: bool = False
    """Whether the file says the backlog; otherwise it is the program's own default."""
    said_at: tuple[int, int] | None = None
    """Line and column of the backlog where several sockets share it; None: it stands with the socket."""
    how: str = ""
    """How this program is told its backlog: ``backlog=4096 behind listen``."""
    is_derived: bool = False
    """The backlog follows from what the program serves, and is not to be chosen for its own sake."""
    fast_open: int | None = None
    """The queue of Fast Open, where it is asked for."""
    deferred: bool = False
    """TCP_DEFER_ACCEPT."""
    reads_first: bool = True
    """False where the program speaks first or may do so (a TCP proxy)."""

    @property
    def where(self) -> str:
        """The address; a port alone as ``:80``."""
        return f":{self.address}" if self.address.isdecimal() else self.address

    @property
    def name(self) -> str:
        """``nginx :80``."""
        return f"{self.program} {self.where}"


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression of an alert or a recording rule."""

    text: str
    line: int
    """Of the expression's first character."""
    column: int
    alert: str | None = None
    """The alert's name; None for a recording rule."""
    columns: tuple[int, ...] = ()
    """1-based column at which each line of ``text`` begins."""

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of the character at ``offset``."""
        before = self.text[:offset]
        row = before.count("\n")
        begin = before.rfind("\n") + 1
        first = self.columns[row] if row < len(self.columns) else 1
        return self.line + row, first + offset - begin


@dataclass(frozen=True, slots=True)
class Document:
    """One file."""

    path: str
    """As it was given; ``-`` is standard input."""
    kind: Kind
    settings: tuple[Assignment, ...] = ()
    ruleset: Ruleset = field(default_factory=Ruleset)
    commands: tuple[Command, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    """Of a script: names and the values that it gives them."""
    built: frozenset[int] = frozenset()
    """Of a Dockerfile: the lines of its RUN instructions, which run when the image is built."""
    copied: tuple[Word, ...] = ()
    """Of a Dockerfile: files of settings that it copies into the image, by their names there."""
    tested: frozenset[str] = frozenset()
    """Settings whose existence a script tests (``[ -e /proc/sys/… ]``)."""
    listeners: tuple[Listener, ...] = ()
    queries: tuple[Query, ...] = ()
    has_mark: bool = False
    """It begins with a byte order mark."""
    defects: tuple[Defect, ...] = ()
    """Lines that are not of the format."""
    suppressed: dict[int, frozenset[str]] = field(default_factory=dict)
    """{line: codes and names of checks that the file's author does not want to hear of there}."""
