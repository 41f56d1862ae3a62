"""Text to ``Document``: the kind is recognised or given, and its parser called."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.errors import InputError
from halfopen.lint.document import KINDS, Document, Kind
from halfopen.lint.formats import dockerfile, firewall, haproxy, hooks, nginx, services, shell, sysctl, yaml_file
from halfopen.lint.recognise import recognise
from halfopen.lint.suppression import suppressed
from halfopen.lint.text import MARK, decode

if TYPE_CHECKING:
    from collections.abc import Callable

READERS: dict[Kind, Callable[[str, str], Document]] = {
    "sysctl": sysctl.read,
    "tuned": sysctl.read_tuned,
    "iptables": firewall.read_iptables,
    "nft": firewall.read_nft,
    "shell": shell.read,
    "nginx": nginx.read,
    "haproxy": haproxy.read,
    "redis": services.read_redis,
    "postgresql": services.read_postgresql,
    "systemd": services.read_systemd,
    "wg-quick": hooks.read_wg_quick,
    "ifupdown": hooks.read_ifupdown,
    "dockerfile": dockerfile.read,
    "prometheus": yaml_file.read,
    "yaml": yaml_file.read,
}


def read(path: str, data: bytes, kind: Kind | None = None) -> Document:
    """The document that ``data`` holds.

    Raises:
        InputError: it is binary, too large, or of no kind that is known.
    """
    text = decode(path, data)
    known = kind or recognise(path, text)
    if known is None and not text.strip():
        why = "it is empty" if path == "-" else "it is empty, and its name does not tell what it should be"
        raise InputError("cannot lint", path, why)
    if known is None:
        hint = f"say it with --type: {', '.join(KINDS)}"
        raise InputError("cannot lint", path, "neither its name nor its content tells what it is", hint)
    return replace(READERS[known](path, text), suppressed=suppressed(text), has_mark=data.startswith(MARK))
