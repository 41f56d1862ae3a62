"""The commands: one file each, imported when it is called.

``COMMANDS`` is the only list of them. ``halfopen --help`` is printed from it without importing a single command, which
is what keeps it under 100 ms; ``tests/meta/test_commands.py`` holds the list against this directory and against each
command's own help.
"""

from __future__ import annotations

#: Command name → what it does, in one line. The module is ``halfopen.cli.commands.<name>``, its command ``command``.
COMMANDS: dict[str, str] = {
    "completion": "Print the shell's completion script.",
    "doctor": "Say what is wrong with connections on this host, why, and what helps.",
    "lab": "Reproduce pitfalls of the handshake in throw-away namespaces.",
    "lint": "Find mistakes in settings, firewall rules, backlogs and alerts.",
    "load": "Open connections to a server as fast as asked, and measure.",
    "ports": "Show how many local ports each destination has taken, and when they run out.",
    "probe": "Measure a connect: time, SYN round trip, retransmissions, cause of failure.",
    "rules": "Print every rule of the doctor, or the manual page of one.",
    "serve": "Run a test server with every knob of the handshake.",
    "snapshot": "Write down what this host says of its connections, as one JSON document.",
    "trace": "Show every TCP handshake in capture files.",
}
