"""The completion scripts, run by the shells that they are for."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from tests.conftest import PROGRAM, environment

BASH = """
source <(halfopen completion bash)
COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_halfopen_completion halfopen
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

FISH = """
halfopen completion fish | source
complete --do-complete '{line}'
"""

# zsh completes only inside its line editor: the two functions it would call there print what they are given.
ZSH = """
compdef() {{ : }}
_describe() {{ local -a rows=(${{(P)3}}); print -rl -- ${{rows%%:*}} }}
compadd() {{ local -a rows=(${{(P)@[-1]}}); print -rl -- $rows }}
source <(halfopen completion zsh)
words=({words}); CURRENT=$#words
_halfopen_completion
"""


def complete(shell: str, line: str) -> set[str]:
    """The words that ``shell`` offers for ``line``."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed: make test installs it")
    words = " ".join(f"'{word}'" for word in line.split(" "))
    script = {"bash": BASH, "fish": FISH, "zsh": ZSH}[shell].format(line=line, words=words)
    path = f"{PROGRAM.parent}:{os.environ['PATH']}"
    command = [shell, *(["-f"] if shell == "zsh" else []), "-c", script]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, env=environment(PATH=path, TERM="xterm")
    )
    assert done.stderr == ""
    return {offered.split("\t")[0].removeprefix("plain,") for offered in done.stdout.split("\n") if offered}


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("halfopen compl", {"completion"}),
        ("halfopen --qu", {"--quiet"}),
        ("halfopen completion ", {"bash", "zsh", "fish"}),
        ("halfopen completion --co", {"--color"}),
        ("halfopen --color ", {"auto", "always", "never"}),
    ],
)
def test_words_are_completed(shell: str, line: str, expected: set[str]) -> None:
    assert complete(shell, line) == expected
