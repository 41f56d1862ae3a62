"""``docs/commands.md``: each command's own help, and the exit codes."""

from __future__ import annotations

import click

from halfopen.cli.commands import COMMANDS
from halfopen.cli.exit_codes import ExitCode
from halfopen.cli.main import halfopen

PATH = "docs/commands.md"
#: Columns of the help texts, so that the page does not depend on the terminal of whoever generates it.
WIDTH = 100


def page() -> str:
    """The page."""
    top = halfopen.make_context("halfopen", [], resilient_parsing=True, terminal_width=WIDTH)
    parts = ["# Commands\n", _block(halfopen.get_help(top))]
    for name in sorted(COMMANDS):
        command = halfopen.get_command(top, name)
        assert command is not None
        context = click.Context(command, parent=top, info_name=name, terminal_width=WIDTH)
        parts.append(f"## halfopen {name}\n\n{_block(command.get_help(context))}")
    parts.append(_exit_codes())
    return "\n".join(parts)


def _block(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```\n"


def _exit_codes() -> str:
    rows = [f"| {int(code)} | {code.meaning} |" for code in ExitCode]
    return "\n".join(["## Exit codes\n", "| code | meaning |", "| ---: | --- |", *rows])
