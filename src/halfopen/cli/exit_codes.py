"""The number that halfopen exits with: an interface, like an option's name. docs/commands.md lists them."""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from halfopen import errors


class ExitCode(IntEnum):
    """How a run ended; ``meaning`` is the sentence of the documentation."""

    meaning: str

    def __new__(cls, number: int, meaning: str) -> Self:
        """A number that carries its meaning."""
        member = int.__new__(cls, number)
        member._value_ = number
        member.meaning = meaning
        return member

    OK = 0, "The command did its work, and nothing reached `--fail-on`."
    FINDINGS = (
        1,
        (
            "The command did its work, and found something at or above `--fail-on`, or, with `doctor HOST:PORT`, "
            "`probe` and `load`, a target that cannot be reached."
        ),
    )
    USAGE = 2, "The command line is wrong. Nothing was done."
    FILE = (
        3,
        (
            "An input cannot be read or holds too little for the command (no TCP, a snapshot by which no host can be "
            "judged), or an output cannot be written."
        ),
    )
    PRIVILEGE = 4, "The operating system refused: root or a capability is missing."
    NOT_AVAILABLE = (
        5,
        (
            "This kernel or this installation does not have what is needed, or does not show it: `doctor`, `snapshot` "
            "and `ports` where too little of the host can be read to say anything of it."
        ),
    )
    ROLLED_BACK = 6, "A change was made, did not hold, and was undone."
    INTERNAL = 70, "A defect of halfopen itself (`EX_SOFTWARE` of sysexits.h)."
    NO_PROGRAM = 127, "`lab shell`: there is no such COMMAND (as shells say it). Nothing was done."
    INTERRUPTED = 130, "Ctrl-C (128 + SIGINT, as shells count)."
    PIPE_CLOSED = 141, "The reader of standard output went away, as with `| head` (128 + SIGPIPE, as shells count)."


_BY_ERROR: dict[type[errors.HalfopenError], ExitCode] = {
    errors.UsageError: ExitCode.USAGE,
    errors.InputError: ExitCode.FILE,
    errors.ResolveError: ExitCode.FINDINGS,
    errors.ProgramError: ExitCode.NO_PROGRAM,
    errors.OutputError: ExitCode.FILE,
    errors.PrivilegeError: ExitCode.PRIVILEGE,
    errors.NotAvailableError: ExitCode.NOT_AVAILABLE,
}


def exit_code_of(error: errors.HalfopenError) -> ExitCode:
    """The code of the nearest class above ``error`` that has one; a bare ``HalfopenError`` is a defect of ours."""
    for cls in type(error).__mro__:
        if cls in _BY_ERROR:
            return _BY_ERROR[cls]
    return ExitCode.INTERNAL
