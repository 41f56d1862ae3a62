"""Trees that look like a host's files, made where a test wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.collect.clock import Clock
from halfopen.collect.framework import Context, NamespaceContext
from halfopen.collect.host_wide import HostWide
from halfopen.collect.places import Place
from halfopen.collect.roots import Roots

if TYPE_CHECKING:
    from pathlib import Path

CLOCK = Clock(realtime_ns=1_800_000_000_000_000_000, monotonic_ns=500_000_000_000, boottime_ns=600_000_000_000)


def tree(root: Path, files: dict[str, str | bytes]) -> Roots:
    """Write ``{path: contents}`` below ``root``; contents that begin with ``-> `` make a symbolic link."""
    for name, contents in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(contents, str) and contents.startswith("-> "):
            path.symlink_to(contents.removeprefix("-> "))
        else:
            path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
    return Roots.below(root)


def host_context(root: Path, files: dict[str, str | bytes]) -> Context:
    """What a collector of the host gets, on such a tree."""
    return Context(HostWide(tree(root, files), CLOCK))


def netns_context(root: Path, files: dict[str, str | bytes]) -> NamespaceContext:
    """What a collector of a namespace gets; ``net/…`` is ``/proc/thread-self/net/…``."""
    inside = {name.replace("net/", "proc/thread-self/net/", 1) if name.startswith("net/") else name: text
              for name, text in files.items()}  # fmt: skip
    return NamespaceContext(HostWide(tree(root, inside), CLOCK), place=Place(inode=1))
