"""The table of commands, the directory and each command's own help say the same."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click
import pytest

import halfopen.cli.commands
from halfopen.cli.commands import COMMANDS

DIRECTORY = Path(halfopen.cli.commands.__file__).parent


def test_every_file_is_a_command_and_every_command_a_file() -> None:
    files = {path.stem for path in DIRECTORY.glob("*.py")} - {"__init__"}
    assert files == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_the_table_says(name: str) -> None:
    command = import_module(f"halfopen.cli.commands.{name}").command
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help is not None
    assert command.help.split("\n\n")[0] == COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    command = import_module(f"halfopen.cli.commands.{name}").command
    unexplained = [param.name for param in command.params if isinstance(param, click.Option) and not param.help]
    assert unexplained == []
