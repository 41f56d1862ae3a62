"""``halfopen``: finds the command, runs it, and turns whatever goes wrong into one sentence and an exit code.

This is the only place that catches everything. A person never sees a traceback, unless HALFOPEN_DEBUG=1 asks for it.

**Architecture Invariant:** importing this module loads click and nothing else of weight: no command, no native core,
no rich. ``tests/unit/cli/test_start.py`` holds it to that.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from halfopen.cli.command import FORMATS, shared_options
from halfopen.cli.commands import COMMANDS
from halfopen.cli.exit_codes import ExitCode, exit_code_of
from halfopen.cli.printer import complain, hint, output_errors, point_at
from halfopen.errors import HalfopenError, InputError, OutputError, WhereError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

#: What only writing can meet; without a file's name it was standard output, which click writes the help to.
WRITE_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})

COMPLETE_VARIABLE = "_HALFOPEN_COMPLETE"


class LazyGroup(click.Group):
    """A group that knows its commands' names and purposes, and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, without an import."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself; this is the one place that imports it."""
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        command: click.Command = import_module(f"halfopen.cli.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list below ``halfopen --help``, from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names from the table; options from click."""
        from click.shell_completion import CompletionItem

        names = [CompletionItem(n, help=COMMANDS[n]) for n in self.list_commands(ctx) if n.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)


def _print_version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from halfopen.cli.version import version_line

        click.echo(version_line())
        ctx.exit()


@click.group(cls=LazyGroup, name="halfopen", context_settings={"help_option_names": ["-h", "--help"]})
@shared_options(FORMATS)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
              help="Print the version and the Git revision.")  # fmt: skip
def halfopen() -> None:
    """Everything between SYN and accept(), on Linux."""


def main() -> int:
    """The console script: the process's arguments, the process's exit code."""
    return run(sys.argv[1:])


def run(arguments: Sequence[str]) -> int:
    """Run ``arguments`` and say how it ended; nothing but ``SystemExit`` from the interpreter itself gets out."""
    try:
        code = _invoke(list(arguments))
        _flush_stdout()
    except BaseException as error:  # noqa: BLE001  (the one boundary)
        code = _explain(error)
    return int(code)


def _invoke(arguments: list[str]) -> int:
    if COMPLETE_VARIABLE in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(halfopen, {}, "halfopen", COMPLETE_VARIABLE, os.environ[COMPLETE_VARIABLE])
    # Not halfopen.main(): it would turn Ctrl-C and a closed pipe into answers of its own.
    with halfopen.make_context("halfopen", arguments) as ctx:
        result: Any = halfopen.invoke(ctx)
    return ExitCode.OK if result is None else int(result)


def _flush_stdout() -> None:
    if sys.stdout is not None:
        with output_errors("standard output"):
            sys.stdout.flush()


def _explain(error: BaseException) -> int:
    """One sentence for ``error``, and its code; no sentence for what the person did on purpose."""
    if isinstance(error, click.exceptions.Exit):
        return _after_exit(error)
    if isinstance(error, BrokenPipeError):
        _abandon_stdout()
        return ExitCode.PIPE_CLOSED
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        _abandon_stdout()  # its reader may be what the run was waiting for
        return ExitCode.INTERRUPTED
    if isinstance(error, click.ClickException):
        return _explain_usage(error)
    if os.environ.get("HALFOPEN_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
    return _explain_failure(_as_ours(error))


def _as_ours(error: BaseException) -> BaseException:
    """The operating system's errors as ours, where what they mean is plain."""
    if not isinstance(error, OSError):
        return error
    why = error.strerror or str(error)
    if error.filename is None and error.errno in WRITE_ERRORS:
        return OutputError("cannot write", "standard output", why)
    return InputError("cannot use", os.fsdecode(error.filename), why) if error.filename else InputError(why)


def _explain_failure(error: BaseException) -> int:
    if isinstance(error, OutputError):
        _abandon_stdout()
    if isinstance(error, HalfopenError):
        complain(str(error))
        if isinstance(error, WhereError) and error.column and error.text.strip():
            point_at(error.text, error.column)
        if error.hint:
            hint(error.hint)
        return exit_code_of(error)
    complain(f"internal error: {type(error).__name__}: {error}")
    hint("this is a defect of halfopen: HALFOPEN_DEBUG=1 shows where, for a report")
    return ExitCode.INTERNAL


def _after_exit(error: click.exceptions.Exit) -> int:
    """``--help`` and ``--version`` leave by an exception; what they wrote must still get out."""
    try:
        _flush_stdout()
    except (OSError, OutputError) as failure:
        return _explain(failure)
    return error.exit_code


def _explain_usage(error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        with suppress(OSError):
            click.echo(error.ctx.get_help(), err=True)
        return ExitCode.USAGE
    message = error.format_message().rstrip(".")
    for word, kind in (("integer", "whole number"), ("float", "number")):
        message = message.replace(f"is not a valid {word} range", f"is no {kind}")
    complain(message[:1].lower() + message[1:])
    if isinstance(error, click.UsageError) and error.ctx is not None:
        hint(f"see {error.ctx.command_path} --help")
    return ExitCode.USAGE


def _abandon_stdout() -> None:
    """Nobody takes the output any more: what is still buffered must not fail again when the interpreter closes it."""
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


if __name__ == "__main__":
    sys.exit(main())
