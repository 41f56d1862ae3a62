"""The native half. Private: ``halfopen`` is the public name of everything in here. Checked by mypy's stubtest."""

from typing import Final

__all__ = ["REVISION", "VERSION"]

VERSION: Final[str]
"""The version in Cargo.toml."""

REVISION: Final[str]
"""``git describe`` of the tree that this was built from, with ``-dirty`` where it had uncommitted changes."""
