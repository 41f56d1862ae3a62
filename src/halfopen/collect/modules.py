"""Modules of the kernel: ``/proc/modules``, and the list of those that are built in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from halfopen.collect.text import read_text

if TYPE_CHECKING:
    from halfopen.collect.roots import Roots


def has_module(roots: Roots, name: str) -> bool:
    """Whether the kernel has a module now, loaded or built in; one without modules is taken to have it."""
    try:
        loaded = read_text(roots.proc / "modules")
    except FileNotFoundError:
        return True
    if f"\n{name} " in f"\n{loaded}":
        return True
    try:
        return f"/{name}.ko" in read_text(roots.file(f"/lib/modules/{os.uname().release}/modules.builtin"))
    except OSError:
        return False
