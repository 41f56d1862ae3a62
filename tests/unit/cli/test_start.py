"""``halfopen --help`` starts fast because it loads little. The time itself is measured by benches/bench_start.py."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.conftest import environment

#: Modules that cost milliseconds or hold a feature that a help text does not need.
HEAVY = {
    "asyncio",
    "halfopen._core",
    "halfopen.cli.commands.completion",
    "halfopen.cli.commands.trace",
    "halfopen.handshakes",
    "halfopen.model",
    "halfopen.render",
    "importlib.metadata",
    "json",
    "polars",
    "pyarrow",
    "rich",
    "socket",
    "subprocess",
    "textual",
}


def modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "code",
    [
        "import halfopen.cli.main",
        "from halfopen.cli.main import run; run(['--help'])",
        "from halfopen.cli.main import run; run(['no-such-command'])",
    ],
)
def test_the_command_line_loads_nothing_heavy(code: str) -> None:
    loaded = modules_after(code) & HEAVY
    assert loaded <= ({"halfopen.render"} if "no-such" in code else set())  # the sentence of the error is escaped


def test_the_library_loads_neither_the_core_nor_a_terminal() -> None:
    assert not modules_after("import halfopen") & (HEAVY | {"click", "re"})


def test_a_command_loads_only_itself() -> None:
    loaded = modules_after("from halfopen.cli.main import run; run(['completion', 'bash'])")
    assert "halfopen.cli.commands.completion" in loaded
    assert not loaded & (HEAVY - {"halfopen.cli.commands.completion"})
