"""A remedy as sentences, the first first: what to do, the changes as commands, and what only a person can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Change, Remedy

CHANGES_SHOWN = 5
"""Of a setting in hundreds of namespaces; JSON has all."""


def remedy_steps(remedy: Remedy) -> Iterator[str]:
    """Sentences and commands (may hold hostile text)."""
    yield remedy.summary
    changes = remedy.changes
    yield from (change_text(change) for change in changes[:CHANGES_SHOWN])
    if len(changes) > CHANGES_SHOWN:
        yield f"and {len(changes) - CHANGES_SHOWN} changes like these: `--format json` lists them all"
    yield from remedy.person


def change_text(change: Change) -> str:
    """«`sysctl -w net.core.somaxconn=4096` (now 128)»: where there is a command, what a person types."""
    where = "" if change.netns in {None, "host"} else f" in {change.netns}"
    now = "" if change.now is None else f" (now {change.now})"
    if change.command is not None:
        return f"`{change.command}`{now}"
    if change.want is None:
        return f"remove {change.key}{now}{where}"
    return f"set {change.key} = {change.want}{now}{where}"
