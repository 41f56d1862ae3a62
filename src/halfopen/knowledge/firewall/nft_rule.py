"""One nft rule: its words → a ``FilterRule``."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from halfopen.knowledge.firewall.rate import per_unit
from halfopen.model.network import FilterRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.knowledge.firewall.nft_words import Word
    from halfopen.model.network import FilterChain

_VERDICTS = frozenset({"accept", "drop", "reject", "return", "queue", "continue"})
_TRANSLATIONS = frozenset({"snat", "dnat", "masquerade", "redirect"})
_ACTIONS = _TRANSLATIONS | {"notrack", "synproxy", "tproxy", "dup", "fwd"}
#: What a SYN alone looks like; 1.0 prints the first, older and newer versions the others. There are eight flags:
#: what is longer is no list of them, and the bounds keep the search from going over a hostile rule again and again.
_SYN_ONLY = re.compile(
    r"tcp flags (?:& \( [^)]{0,80}\bsyn\b[^)]{0,80}\) == syn\b(?! \|)"
    r"|(?:== )?syn / [^ ]+(?: , [^ ]+){0,8})"
)
_NEEDED = {"syn", "ack"}


def read_rule(words: list[Word], chain: FilterChain, text: str) -> FilterRule:
    """The rule that these words are, in ``chain``; ``text`` is how it was written."""
    names = [word.text for word in words if not word.quoted]
    limit, per_source = _limit(names)
    packets, bytes_ = _counter(names)
    return FilterRule(
        family=chain.family,
        table=chain.table,
        chain=chain.name,
        text=" ".join(text.split()),
        hook=chain.hook,
        verdict=_verdict(names),
        packets=packets,
        bytes=bytes_,
        limit=limit,
        limit_per_source=per_source,
        syn_only=_syn_only(names),
        conntrack=_tracks(names),
        ports=tuple(_after(names, "dport")),
        sources=tuple(_after(names, "saddr")),
        destinations=tuple(_after(names, "daddr")),
    )


def _verdict(names: list[str]) -> str | None:
    """What becomes of a packet that matches; the verdicts inside a map are not the rule's."""
    outer = list(_outside_braces(names))
    if "vmap" in outer:
        return "vmap"
    for name, following in pairwise(outer):
        if name in {"jump", "goto"}:
            return f"{name} {following}"
    found = [name for name in outer if name in _VERDICTS] or [name for name in outer if name in _ACTIONS]
    return found[-1] if found else None


def _outside_braces(names: list[str]) -> Iterator[str]:
    depth = 0
    for name in names:
        depth += (name == "{") - (name == "}")
        if depth == 0:
            yield name


def _limit(names: list[str]) -> tuple[str | None, bool]:
    """The limit in words, and whether each source has its own (a dynamic set, a map or a meter keyed by source)."""
    depth, keyed = 0, False
    for place, name in enumerate(names):
        depth += (name == "{") - (name == "}")
        if depth == 0:
            keyed = False
        elif name == "saddr":
            keyed = True
        elif name == "vmap" or (name == "," and not keyed):
            keyed = False
        if name == "limit" and names[place + 1 : place + 2] == ["rate"]:
            return _rate(names[place + 2 :]), keyed and depth > 0
        if name == "count" and place and names[place - 1] == "ct":
            return _count(names[place + 1 :]), keyed and depth > 0
    return None, False


def _rate(names: list[str]) -> str:
    over = "over " if names[:1] == ["over"] else ""
    names = names[1:] if over else names
    rate, rest = names[:1], names[1:]
    if rest and "/" in rest[0]:  # «10 mbytes/second»
        rate, rest = [f"{rate[0]} {rest[0]}"], rest[1:]
    elif rest[:1] == ["/"]:
        rate, rest = [f"{rate[0]}/{''.join(rest[1:2])}"], rest[2:]
    # nft 1.0 adds «burst 5 packets» itself when it loads a rule that names none.
    burst = rest[1] if rest[:1] == ["burst"] and len(rest) > 1 else "5"
    return f"{over}{per_unit(''.join(rate))} burst {burst}"


def _count(names: list[str]) -> str:
    over = "over " if names[:1] == ["over"] else ""
    return f"{over}{''.join(names[1:2] if over else names[:1])} connections"


def _counter(names: list[str]) -> tuple[int | None, int | None]:
    for place, name in enumerate(names):
        if (
            name == "counter"
            and names[place + 1 : place + 2] == ["packets"]
            and names[place + 3 : place + 4] == ["bytes"]
        ):
            packets, bytes_ = names[place + 2], "".join(names[place + 4 : place + 5])
            if packets.isdigit() and bytes_.isdigit():
                return int(packets), int(bytes_)
    return None, None


def _syn_only(names: list[str]) -> bool:
    match = _SYN_ONLY.search(" ".join(names))
    return match is not None and set(re.findall(r"\w+", match.group())) >= _NEEDED


def _tracks(names: list[str]) -> bool:
    return "ct" in names or "synproxy" in names or not _TRANSLATIONS.isdisjoint(names)


def _after(names: list[str], field: str) -> Iterator[str]:
    """The values that ``field`` is compared with: one, a list in braces, or a set by name; negated with ``!``."""
    for place, name in enumerate(names):
        if name != field:
            continue
        following = place + 1
        operator = names[following] if following < len(names) else ""
        if operator in {"!=", "=="}:
            following += 1
        for value in _values(names, following):
            yield "!" * (operator == "!=") + value


#: What stands behind a field that is compared with nothing.
_NO_VALUES = frozenset({"}", ",", ".", "&", "vmap", "map", "limit", "ct", "timeout", "counter", "<", ">", "<=", ">="})


def _values(names: list[str], start: int) -> Iterator[str]:
    if start >= len(names):
        return
    if names[start] != "{":
        if names[start] not in _NO_VALUES:
            yield names[start]
        return
    for place in range(start + 1, len(names)):
        if names[place] == "}":
            return
        if names[place] != ",":
            yield names[place]
