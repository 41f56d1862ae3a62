"""``halfopen completion``: the script that teaches a shell to complete halfopen's commands, options and values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import get_completion_class

from halfopen.cli.command import with_printer

if TYPE_CHECKING:
    from halfopen.cli.printer import Printer

PROGRAM = "halfopen"
COMPLETE_VARIABLE = "_HALFOPEN_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@with_printer("text")
def command(printer: Printer, shell: str) -> None:
    """Print the shell's completion script.

    \b
    bash:  halfopen completion bash > ~/.local/share/bash-completion/completions/halfopen
    zsh:   halfopen completion zsh > "${fpath[1]}/_halfopen"
    fish:  halfopen completion fish > ~/.config/fish/completions/halfopen.fish
    """
    completion_class = get_completion_class(shell)
    assert completion_class is not None, "click knows the three shells of the choice above"
    script = completion_class(click.Command(PROGRAM), {}, PROGRAM, COMPLETE_VARIABLE)
    # Not script.source(): for bash that starts a bash to learn its version, and the script may be for another machine.
    printer.text(script.source_template % script.source_vars())
