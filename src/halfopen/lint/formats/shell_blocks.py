"""Branches, loops, functions and groups of a script: which commands belong together, and which exclude each other."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Words that begin what ends in ``fi``, ``done`` or ``esac``.
BEGINS = frozenset({"if", "while", "until", "for", "select", "case"})
_ENDS = frozenset({"fi", "done", "esac"})
_BRANCHES = frozenset({"then", "else", "elif", "do"})
#: Words that are no program: behind them a command begins.
RESERVED = frozenset(
    {"if", "then", "else", "elif", "while", "until", "do", "!", "{", "}", "time", "fi", "done", "esac"}
)
_DEPTH_MAX = 256


@dataclass(slots=True)
class Block:
    """Something that is open."""

    opener: str
    first: int
    """Number of commands before it."""
    number: int
    """Of the branch that is being read."""
    function: str = ""
    """The name of the function that it is, or is within."""
    shell: int = 0
    """Of the innermost ``(…)`` that it is, or is within; 0 outside of all."""


@dataclass(slots=True)
class Blocks:
    """What is open where the reader stands."""

    open: list[Block] = field(default_factory=list)
    count: int = 0
    closed: Block | None = None
    """What ended last: redirections behind it are its commands'."""

    @property
    def current(self) -> int:
        """The number of the innermost branch; 0 outside of all."""
        return self.open[-1].number if self.open else 0

    @property
    def function(self) -> str:
        """The name of the function that is being read."""
        return self.open[-1].function if self.open else ""

    @property
    def shell(self) -> int:
        """The number of the innermost ``(…)``, which runs in a shell of its own; 0 outside of all."""
        return self.open[-1].shell if self.open else 0

    @property
    def is_case(self) -> bool:
        """Whether a ``)`` ends a pattern."""
        return bool(self.open) and self.open[-1].opener == "case"

    def fresh(self) -> int:
        """A number for commands that may run without their neighbours."""
        self.count += 1
        return self.count

    def word(self, text: str, commands: int, *, function: str = "") -> None:
        """A reserved word where a command may begin. ``function``: the name, where ``name()`` stands before it."""
        if text in BEGINS:
            self._push(text, commands, self.fresh())
        elif text == "{":
            self._push(text, commands, self.fresh() if function else self.current, function)
        elif text in _BRANCHES and self.open:
            self.open[-1].number = self.fresh()
        elif text in _ENDS:
            self._pop(BEGINS)
        elif text == "}":
            self._pop(frozenset("{"))

    def parenthesis(self, text: str, commands: int) -> None:
        """``(`` opens a group; ``)`` ends one, or the pattern of a ``case``, and then another branch begins."""
        if text == "(":
            self._push(text, commands, self.current)
        elif self.is_case:
            self.open[-1].number = self.fresh()
        else:
            self._pop(frozenset("("))

    def _push(self, opener: str, commands: int, number: int, function: str = "") -> None:
        self.closed = None
        if len(self.open) < _DEPTH_MAX:
            shell = self.fresh() if opener == "(" else self.shell
            self.open.append(Block(opener, commands, number, function or self.function, shell))

    def _pop(self, openers: frozenset[str]) -> None:
        if self.open and self.open[-1].opener in openers:
            self.closed = self.open.pop()
