"""Everything that the command line writes: standard output is data, standard error is talk.

Data goes out as it is made, byte for byte the same whether a person or a program reads it, save for colour, which is
used on a terminal only and never carries a meaning of its own. Talk is one escaped line a message, falls silent with
``--quiet`` (errors excepted), and never fails: a lost remark must not lose the result.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Literal

from halfopen.errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from halfopen.cli.progress import Progress

ColorChoice = Literal["auto", "always", "never"]

#: Formats that are bytes for programs; a terminal would only be garbled by them.
BINARY_FORMATS = frozenset({"parquet"})

#: What Rust adds to the words of the operating system.
_RUST_SUFFIX = re.compile(r" \(os error \d+\)$")

#: Columns when the output is not a terminal: what the field's tools assume, so that logs and pipes look alike.
DEFAULT_WIDTH = 100


def wants_color(choice: ColorChoice, stream: IO[str] | None, environ: Mapping[str, str]) -> bool:
    """Whether to colour ``stream``: an explicit choice, then NO_COLOR (no-color.org), then whether it is a terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    return is_terminal(stream)


def is_pipe(stream: IO[str] | None) -> bool:
    """Whether another program reads ``stream`` as it is written: a pager, ``head``."""
    try:
        return stream is not None and stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)
    except (ValueError, OSError):
        return False


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether a person looks at ``stream``; a closed stream has no reader."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


class Printer:
    """The two streams of one run, and how to write to them.

    Attributes:
        format: what the command was asked to print: ``text``, ``json``, …
        quiet: no remarks and no progress.
        color: whether the text on standard output may be coloured.
    """

    format: str
    quiet: bool
    color: bool

    def __init__(self, format_: str = "text", *, quiet: bool = False, color: ColorChoice = "auto") -> None:
        self.format = format_
        self.quiet = quiet
        self.color = wants_color(color, sys.stdout, os.environ)

    @property
    def width(self) -> int:
        """Columns to lay text out in: those of the terminal that it goes to, if through a pager (or of COLUMNS)."""
        from shutil import get_terminal_size

        fallback = os.terminal_size((DEFAULT_WIDTH, 24))
        if is_pipe(sys.stdout) and is_terminal(sys.stderr):
            with suppress(OSError):
                fallback = os.get_terminal_size(sys.stderr.fileno())
        # It asks COLUMNS, then the terminal at standard output.
        return get_terminal_size(fallback).columns

    # --- data ---------------------------------------------------------------------------------------------------------

    def text(self, text: str) -> None:
        """Write ``text`` and a line end to standard output; ``halfopen.render`` escaped the foreign strings in it."""
        self.raw((text if text.endswith("\n") else text + "\n").encode(errors="backslashreplace"))

    def raw(self, data: bytes) -> None:
        """Write ``data`` to standard output unchanged."""
        if sys.stdout is None:
            raise OutputError("cannot write", "standard output", "it is closed")
        with output_errors("standard output"):
            sys.stdout.flush()
            sys.stdout.buffer.write(data)

    def flush(self) -> None:
        """Let a reader of a live stream have what was written so far."""
        if sys.stdout is not None:
            with output_errors("standard output"):
                sys.stdout.flush()

    @contextmanager
    def destination(self, path: Path | None) -> Iterator[IO[bytes]]:
        """Where the result goes: the file ``-o`` named, or standard output.

        Raises:
            UsageError: binary data for a terminal.
            OutputError: the file cannot be created or written.
        """
        if path is not None and str(path) != "-":
            with output_errors(str(path)), path.open("wb") as file:
                yield file
            return
        if self.format in BINARY_FORMATS and is_terminal(sys.stdout):
            raise UsageError(f"--format {self.format} is binary", hint="name a file with -o, or redirect the output")
        if sys.stdout is None:
            raise OutputError("cannot write", "standard output", "it is closed")
        with output_errors("standard output"):
            sys.stdout.flush()
            yield sys.stdout.buffer

    # --- talk ---------------------------------------------------------------------------------------------------------

    def note(self, message: str) -> None:
        """A remark on standard error; not with ``--quiet``."""
        if not self.quiet:
            complain(message)

    def progress(self, what: str) -> Progress:
        """A progress line on standard error, drawn when that is a terminal and ``--quiet`` was not given."""
        from halfopen.cli.progress import Progress

        visible = not self.quiet and is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"
        return Progress(what, sys.stderr if visible else None)


@contextmanager
def output_errors(name: str) -> Iterator[None]:
    """Turn a refusal to write into a sentence. A closed pipe is left for ``main`` to understand."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        why = error.strerror or _RUST_SUFFIX.sub("", str(error))
        raise OutputError("cannot write", name, why) from error


def complain(message: str) -> None:
    """One line on standard error, with whatever a terminal would act upon made visible; never fails."""
    _say("halfopen", message)


def hint(message: str) -> None:
    """What to do about a complaint, on its own line."""
    _say("hint", message)


def point_at(text: str, column: int) -> None:
    """What somebody wrote, with a mark under its 1-based ``column``; of a long text the neighbourhood."""
    start = max(0, column - 1 - _AROUND)
    shown = _escaped(("…" if start else "") + text[start : column - 1 + _AROUND])
    before = _escaped(("…" if start else "") + text[start : column - 1])
    _write(f"  {shown}\n  {' ' * len(before)}^\n")


#: Characters shown on each side of the place that is pointed at.
_AROUND = 60


def _say(label: str, message: str) -> None:
    _write(f"{label}: {_escaped(_shortened(message))}\n")


#: The longest word that is repeated whole: a path of a file may be one, and somebody's mistaken paste is longer.
_WORD_MAX, _WORD_BEGIN, _WORD_END = 300, 80, 40
_LONG_WORD = re.compile(rf"\S{{{_WORD_MAX + 1},}}")


def _shortened(message: str) -> str:
    """A complaint repeats what it is about, but not pages of it."""
    return _LONG_WORD.sub(_without_its_middle, message)


def _without_its_middle(match: re.Match[str]) -> str:
    word = match.group()
    left_out = len(word) - _WORD_BEGIN - _WORD_END
    return f"{word[:_WORD_BEGIN]}…({left_out} characters)…{word[-_WORD_END:]}"


def _escaped(message: str) -> str:
    from halfopen.render.escape import escape_text

    # The parts between backslashes: those of a message are its own, often from a repr(), and must not be doubled.
    return "\\".join(escape_text(part) for part in message.split("\\"))


def _write(lines: str) -> None:
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(lines)
            sys.stderr.flush()
