"""Programs that run another one: ``sudo``, ``ip netns exec``, ``docker exec``, ``sh -c``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.lint.document import Word

_PREFIXES = frozenset(
    {"sudo", "doas", "nohup", "exec", "command", "nice", "ionice", "env", "timeout", "stdbuf", "setsid", "eval",
     "builtin", "busybox"}
)  # fmt: skip
_ARGUMENT = re.compile(r"-.*|\d+[smhd]?|[A-Za-z_]\w*=.*", re.DOTALL)
#: Options of sudo and doas with a word behind them.
_TAKES_A_WORD = frozenset({"-u", "-g", "-h", "-p", "-C", "-r", "-t"})
#: Their own arguments cannot be told from the command's: what is run begins with a program that is known.
_WRAPPERS = frozenset(
    {"nsenter", "unshare", "chroot", "docker", "podman", "nerdctl", "crictl", "kubectl", "oc", "ssh", "xargs",
     "runuser", "su", "setpriv", "systemd-run", "lxc", "flock", "parallel"}
)  # fmt: skip
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh"})
_WRAPPED = _SHELLS | {"sysctl", "iptables", "ip6tables", "nft", "tcpdump", "tee"}
#: Where one of these stands behind a variable, that is empty or holds sudo.
_BEHIND_A_VARIABLE = _WRAPPED | {"echo", "printf", "cat", "sed", "docker", "podman"}
_ARGUMENTS_MAX = 64


def without_wrapper(words: list[Word]) -> list[Word]:
    """The command that the first word runs; the same words where it runs none."""
    program = _last_name(words[0])
    if words[0].text.startswith("$") and len(words) > 1 and _last_name(words[1]) in _BEHIND_A_VARIABLE:
        return words[1:]  # «$SUDO sysctl …»
    if program in _PREFIXES:
        at = 1
        while at < len(words) and _ARGUMENT.fullmatch(words[at].text):
            at += 2 if words[at].text in _TAKES_A_WORD and program in {"sudo", "doas"} else 1
        return words[at:]
    if program == "ip" and [word.text for word in words[1:3]] == ["netns", "exec"]:
        return words[4:] or words
    if program in _WRAPPERS:
        inner = (at for at, word in enumerate(words[1:_ARGUMENTS_MAX], 1) if _last_name(word) in _WRAPPED)
        return words[next(inner, 0) :]
    return words


def inner_script(words: list[Word]) -> Word | None:
    """The script of ``sh -c script``."""
    if _last_name(words[0]) not in _SHELLS:
        return None
    for at, word in enumerate(words[1:-1], 1):
        if not word.text.startswith("-"):
            return None
        if re.fullmatch(r"-[a-z]*c", word.text):
            return words[at + 1]
    return None


def _last_name(word: Word) -> str:
    return word.text.rpartition("/")[2]
