"""HO801: a script that writes all settings, and so secrets, to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.lint.document import Command
    from halfopen.model.finding import Finding


class SecretsInBackup(Check):
    """`sysctl -a` into a file writes secrets into it.

    ## What it finds
    Scripts that redirect or pipe the output of `sysctl -a` into a file, without a filter, or copy `tcp_fastopen_key`
    or `stable_secret`.

    ## Why it matters
    Run by root, `sysctl -a` prints the key of Fast Open cookies and the secrets of stable IPv6 addresses, which the
    kernel itself shows to root only. The file is readable by everybody unless the umask says otherwise. It also holds
    keys that can only be read, which make a restore fail.

    ## Evidence
    The command.

    ## Confirm by hand
    `grep -E "fastopen_key|stable_secret" FILE`.

    ## Remedy
    Save only the keys that you change (`sysctl net.core.somaxconn … > FILE`) under `umask 077`, or use `halfopen
    backup`.

    ## When it is wrong
    When the script filters secrets in a way that is not recognised.

    ## References
    Documentation/networking/ip-sysctl.rst, `tcp_fastopen_key`, `stable_secret`.
    """

    code = "HO801"
    name = "secrets-in-backup"
    severity = "warning"
    harm = "risk"
    proof = "setting-writes"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document in context.documents:
            for command in document.commands:
                if target := saved_to(command, document.commands):
                    yield self.at(
                        document,
                        (command.line, command.column),
                        "sysctl -a",
                        f"{target} will hold secrets that only root may read (tcp_fastopen_key, "
                        "stable_secret), and keys that "
                        "cannot be restored",
                        "save only the keys that you change, under umask 077",
                    )


def saved_to(command: Command, commands: tuple[Command, ...]) -> str | None:
    """The file into which ``command`` writes every setting; None when it does no such thing."""
    return _file(command, commands) if _prints_everything(command) else None


def _prints_everything(command: Command) -> bool:
    options = [word.text for word in command.words[1:]]
    if command.program == "sysctl":
        short = "".join(option[1:] for option in options if option.startswith("-") and not option.startswith("--"))
        every = "a" in short or "A" in short or "X" in short or "--all" in options
        # Names only (-N), or a pattern that keeps to some keys.
        chosen = any(option.startswith(("--pattern", "-r", "--names")) for option in options) or "N" in short
        return every and not chosen
    return any(option.endswith(("/tcp_fastopen_key", "/stable_secret")) for option in options) and command.program in {
        "cat",
        "cp",
    }


def _file(command: Command, commands: tuple[Command, ...]) -> str | None:
    """The file that gets the output, through pipes that keep everything; None where something filters."""
    for _ in range(_PIPES_MAX):
        for redirect in command.redirects:
            if redirect.operator.lstrip("1&") in {">", ">>", ">|"} and not redirect.target.text.startswith("/dev/"):
                return redirect.target.text
        if command.piped_into is None:
            return None
        command = commands[command.piped_into]
        if command.program == "tee":
            return next((word.text for word in command.words[1:] if not word.text.startswith("-")), None)
        if command.program not in _KEEPS:
            return None
    return None


_PIPES_MAX = 16
_KEEPS = frozenset({"sort", "gzip", "pigz", "xz", "bzip2", "zstd", "cat"})
