"""``halfopen --version``: the version, and the Git revision that this is.

The revision is baked into the native core when that is built. In a source checkout, where the Python half runs from
the tree and may be newer than the last build, the tree is asked instead.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import halfopen
from halfopen import _core


def version_line() -> str:
    """``halfopen 0.1.0 (revision 1a2b3c4d5e6f)``, with ``-dirty`` where the tree had uncommitted changes."""
    return f"halfopen {halfopen.__version__} (revision {_checkout_revision() or _core.REVISION})"


def _checkout_revision() -> str | None:
    """What ``git describe`` says of the tree that this file is part of; None when it is not in one of ours."""
    root = Path(__file__).resolve().parents[3]
    if not ((root / ".git").exists() and (root / "crates/python/Cargo.toml").exists()):
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=5).stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        return None
