"""Which kind of file it is: from its name where that is unmistakable, else from what it holds."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.lint.document import Kind

_NAMES: tuple[tuple[str, Kind], ...] = (
    ("*/sysctl.d/*.conf", "sysctl"),
    ("*/tuned.conf", "tuned"),
    ("*sysctl*.conf", "sysctl"),
    ("*nginx*.conf", "nginx"),
    ("*/nginx/*", "nginx"),
    ("*haproxy*.cfg", "haproxy"),
    ("*redis*.conf", "redis"),
    ("*valkey*.conf", "redis"),
    ("*postgresql*.conf", "postgresql"),
    ("*.socket", "systemd"),
    ("*.service", "systemd"),
    ("*.socket.d/*.conf", "systemd"),
    ("*.service.d/*.conf", "systemd"),
    ("*/wireguard/*.conf", "wg-quick"),
    ("*/network/interfaces", "ifupdown"),
    ("*/network/interfaces.d/*", "ifupdown"),
    ("*.nft", "nft"),
    ("*nftables*.conf", "nft"),
    ("*/rules.v[46]", "iptables"),
    ("*.iptables", "iptables"),
    ("*iptables*save*", "iptables"),
    ("*.yml", "yaml"),
    ("*.yaml", "yaml"),
    ("*/dockerfile", "dockerfile"),
    ("*/dockerfile.*", "dockerfile"),
    ("*.dockerfile", "dockerfile"),
    ("*/containerfile*", "dockerfile"),
    ("*.sh", "shell"),
    ("*.bash", "shell"),
    ("*/rc.local", "shell"),
)
"""Patterns of paths, in the order in which they are tried."""

_CONTENTS: tuple[tuple[str, Kind], ...] = (
    (r"\A#!.*\bnft\b", "nft"),
    (r"\A#!.*\b(?:ba|da|k|z)?sh\b", "shell"),
    (r"^\*(?:filter|nat|mangle|raw|security)[ \t]*$", "iptables"),
    (r"^[ \t]*table[ \t]+(?:(?:ip|ip6|inet|arp|bridge|netdev)[ \t]+)?[\w.-]+[ \t]*\{", "nft"),
    (r"^[ \t]*(?:add|insert)[ \t]+(?:table|chain|rule)[ \t]", "nft"),
    (r"^\[(?:Socket|Service)\][ \t]*$", "systemd"),
    (r"^\[Interface\][ \t]*$", "wg-quick"),
    (r"^iface[ \t]+\S+[ \t]+inet6?[ \t]+\w", "ifupdown"),
    (r"^\[sysctl\][ \t]*$", "tuned"),
    (r"^[ \t]*(?:- )?(?:alert|record|expr)[ \t]*:", "prometheus"),
    (r"\A#cloud-config\b", "yaml"),
    (r"^apiVersion[ \t]*:", "yaml"),
    (r"^(?:frontend|backend|listen)[ \t]+[\w.-]+[ \t]*$", "haproxy"),
    (r"^[ \t]*(?:server|http|stream|events)[ \t]*\{", "nginx"),
    (r"^[ \t]*tcp-backlog[ \t]+\d", "redis"),
    (r"^[ \t]*max_connections[ \t]*=", "postgresql"),
    (r"^[ \t]*-?[ \t]*(?:net|kernel|vm|fs|user|dev)[./][\w./*-]+[ \t]*=", "sysctl"),
    (r"^[ \t]*(?:sudo[ \t]+)?(?:\S*/)?(?:sysctl|ip6?tables|tcpdump)[ \t]+-", "shell"),
)
"""What only one kind of file holds, in the order in which it is looked for."""


_OTHER_SCRIPT = re.compile(r"#!(?!.*\b(?:nft|(?:ba|da|k|z)?sh)\b)")
"""A script of another language, whose lines may look like anything."""


def recognise(path: str, text: str) -> Kind | None:
    """The kind of a file; None when neither name nor content tell."""
    whole = f"/{path.lower()}"
    for pattern, kind in _NAMES:
        if path != "-" and fnmatchcase(whole, pattern):
            return kind
    if _OTHER_SCRIPT.match(text):
        return None
    return next((kind for pattern, kind in _CONTENTS if re.search(pattern, text, re.MULTILINE)), None)
