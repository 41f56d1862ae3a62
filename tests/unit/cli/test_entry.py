"""Ctrl-C before there is anybody to answer it."""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.conftest import environment

INTERRUPTED = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path, target=None):
        if name == "halfopen.cli.main":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from halfopen.cli.entry import main
main()
"""
AFTERWARDS = """
import signal, sys
from halfopen.cli.entry import main
sys.argv = ["halfopen", "--version"]
main()
print(signal.getsignal(signal.SIGINT) is {expected})
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(), check=False
    )


def test_ctrl_c_while_modules_are_loaded_is_no_traceback() -> None:
    done = run(INTERRUPTED)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_the_handler_is_as_it_was() -> None:
    assert run(AFTERWARDS.format(expected="signal.default_int_handler")).stdout.endswith("True\n")
    ignoring = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    assert run(ignoring + AFTERWARDS.format(expected="signal.SIG_IGN")).stdout.endswith("True\n")
