"""What the README shows is what the program prints."""

from __future__ import annotations

import re
import subprocess

import pytest
from tests.conftest import PROGRAM, ROOT, environment

DOCUMENTS = ("README.md", "docs/trace.md")
#: ``$ halfopen …`` in a console block, and what stands below it.
SESSIONS = [
    pytest.param(match["command"], match["screen"], id=f"{document}: {match['command']}")
    for document in DOCUMENTS
    for match in re.finditer(
        r"^```console\n\$ (?P<command>halfopen [^\n]*)\n(?P<screen>.*?)^```$",
        (ROOT / document).read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
]


def test_there_is_a_screen() -> None:
    assert len(SESSIONS) >= len(DOCUMENTS)


@pytest.mark.parametrize(("command", "screen"), SESSIONS)
def test_the_screen_is_what_is_printed(command: str, screen: str) -> None:
    """A line ``…`` stands for any number of lines."""
    done = subprocess.run(
        ["bash", "-c", command.replace("halfopen", f'"{PROGRAM}"', 1)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        timeout=60,
    )
    pattern = "\n".join(r"(?:.*\n)*?.*" if line == "…" else re.escape(line) for line in screen.splitlines())
    assert re.fullmatch(pattern + r"\n?", done.stdout + done.stderr), done.stdout + done.stderr
