"""Where the program begins: until ``halfopen.cli.main`` is there to answer, Ctrl-C ends the process without a word.

The interpreter would answer with a traceback while the modules are loaded, which on a busy machine takes a second.
"""

from __future__ import annotations

import signal


def main() -> int:
    """The console script: the process's arguments, the process's exit code."""
    handler = signal.getsignal(signal.SIGINT)
    # A process that was started to ignore it goes on doing so.
    quiet = handler is signal.default_int_handler
    if quiet:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from halfopen.cli.main import main as run

    if quiet:
        signal.signal(signal.SIGINT, handler)
    return run()
