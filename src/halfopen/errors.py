"""Everything halfopen raises, as one tree.

::

    HalfopenError               what failed, on what, why, and perhaps a hint
    ├── UsageError              the request itself is wrong                     exit 2
    │   └── WhereError          a condition cannot be understood                 exit 2
    ├── InputError              a file cannot be read, or is not what it says   exit 3
    │   ├── ResolveError        a host's name stands for no address              exit 1
    │   └── ProgramError        a program to be run is not there                exit 127
    ├── OutputError             a result cannot be written                      exit 3
    ├── PrivilegeError          a permission or capability is missing           exit 4
    └── NotAvailableError       this kernel or installation cannot do it        exit 5

The classes are born here, and the Rust half raises these same classes (``crates/python/src/error.rs`` is its only
door), so that there is one hierarchy to catch. The exit codes are assigned in ``halfopen.cli.exit_codes``.

**Architecture Invariant:** imports nothing of ours.
"""

from __future__ import annotations

__all__ = [
    "HalfopenError",
    "InputError",
    "NotAvailableError",
    "OutputError",
    "PrivilegeError",
    "ProgramError",
    "ResolveError",
    "UsageError",
    "WhereError",
]


class HalfopenError(Exception):
    """Something that a person can act upon; its text is one sentence.

    Attributes:
        what: what failed, as a verb phrase: ``cannot read the capture``.
        subject: on what: a path, an address, an option; empty when there is none.
        why: the reason; empty when ``what`` says it all.
        hint: what to do about it, or None.
    """

    what: str
    subject: str
    why: str
    hint: str | None

    def __init__(self, what: str, subject: str = "", why: str = "", hint: str | None = None) -> None:
        super().__init__(what, subject, why, hint)
        self.what = what
        self.subject = subject
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        """``what subject: why``, without a full stop, as the field's tools write it."""
        place = f"{self.what} {self.subject}" if self.subject else self.what
        return f"{place}: {self.why}" if self.why else place


class UsageError(HalfopenError):
    """The request is wrong: an unknown option, a filter that does not parse, options that exclude each other."""


class WhereError(UsageError, ValueError):
    """A condition on handshakes, or a field to sort by, cannot be understood.

    Attributes:
        text: what was given.
        column: the 1-based character of ``text`` where the fault is; 0 when it is nowhere in particular.
    """

    text: str
    column: int

    def __init__(self, why: str, text: str = "", column: int = 0) -> None:
        place = f"at column {column}" if column else ""
        super().__init__("cannot understand the condition", place, why)
        self.text = text
        self.column = column


class InputError(HalfopenError):
    """A file is missing, is a directory, may not be read, or does not hold what the command needs."""


class ResolveError(InputError):
    """A host's name stands for no address: unknown, none of the family asked for, or no answer from the resolver."""


class ProgramError(InputError):
    """A program that is to be run is not there, or may not be executed."""


class OutputError(HalfopenError):
    """The result cannot be written: no permission, no space, no such directory."""


class PrivilegeError(HalfopenError):
    """The operating system refused: root or a capability is needed."""


class NotAvailableError(HalfopenError):
    """This kernel, or this installation of halfopen, does not have what the command needs."""
