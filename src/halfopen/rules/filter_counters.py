"""Counters of packet filter rules between two snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.model.network import FilterRule
    from halfopen.rules.space import Space


def grown(space: Space, rule: FilterRule) -> int | None:
    """Packets that the rule counted between the snapshots; None when that is not known."""
    if space.before is None or space.before.packet_filter is None or rule.packets is None:
        return None
    for earlier in space.before.packet_filter.rules:
        same_place = (earlier.family, earlier.table, earlier.chain) == (rule.family, rule.table, rule.chain)
        if same_place and earlier.packets is not None and rule_key(earlier.text) == rule_key(rule.text):
            return rule.packets - earlier.packets if rule.packets >= earlier.packets else None
    return None


def rule_key(text: str) -> str:
    """A rule's text without its counter, which nft prints in it."""
    words = text.split()
    return " ".join(
        word for index, word in enumerate(words) if not (word.isdigit() and words[index - 1] in {"packets", "bytes"})
    )
