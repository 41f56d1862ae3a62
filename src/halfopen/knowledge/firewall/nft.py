"""nft rulesets: ``nft list ruleset`` as it prints, and files for ``nft -f`` with their commands.

Tables, chains and rules are found by their brackets; of everything else (sets, maps, counters, flowtables) the body is
passed over. Source: man nft; nftables 1.0 ``src/parser_bison.y``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from halfopen.knowledge.firewall.nft_names import with_values
from halfopen.knowledge.firewall.nft_rule import read_rule
from halfopen.knowledge.firewall.nft_words import Word, words
from halfopen.knowledge.firewall.ruleset import Defect, PlacedChain, PlacedRule, Ruleset
from halfopen.model.network import FilterChain

FAMILIES = frozenset({"ip", "ip6", "inet", "arp", "bridge", "netdev"})
_VERBS = frozenset({"add", "create", "insert", "replace"})
#: Names of priorities: man nft, «standard priority names» (those of family bridge differ and are left null).
_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}


@dataclass(slots=True)
class _Reader:
    """A cursor over the words, and what was found so far."""

    text: str
    words: list[Word]
    at: int = 0
    chains: list[PlacedChain] = field(default_factory=list)
    rules: list[PlacedRule] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)
    known: dict[tuple[str, str, str], FilterChain] = field(default_factory=dict)
    """The chains of ``chains`` by family, table and name."""

    # --- the cursor -------------------------------------------------------------------------------------------------

    def statement(self, *, rules: bool = False) -> list[Word]:
        """The words up to the next end, bracketed lists within them whole; stops before the body of an object.

        Among ``rules`` a bracket is always a list.
        """
        found: list[Word] = []
        depth = 0
        while self.at < len(self.words):
            word = self.words[self.at]
            if depth == 0 and (
                word.ends or word.is_mark("}") or (word.is_mark("{") and not rules and _opens_block(found))
            ):
                break
            depth += word.is_mark("{") - word.is_mark("}")
            if not word.ends:
                found.append(word)
            self.at += 1
        return found

    def take(self, mark: str) -> bool:
        """Step over ``mark`` if it is next."""
        if self.at < len(self.words) and self.words[self.at].is_mark(mark):
            self.at += 1
            return True
        return False

    def skip_ends(self) -> None:
        while self.at < len(self.words) and self.words[self.at].ends:
            self.at += 1

    def skip_block(self) -> None:
        """From behind a ``{`` to behind its ``}``."""
        depth = 1
        while self.at < len(self.words) and depth:
            depth += self.words[self.at].is_mark("{") - self.words[self.at].is_mark("}")
            self.at += 1

    # --- the grammar ------------------------------------------------------------------------------------------------

    def file(self) -> None:
        while self.at < len(self.words):
            self.skip_ends()
            before = self.at
            found = self.statement()
            self.top(found)
            if self.at == before:  # a bracket that nothing opened
                if self.at < len(self.words):
                    self.defects.append(Defect(self.words[self.at].line, f"{self.words[self.at].text!r} is unexpected"))
                self.at += 1

    def top(self, found: list[Word]) -> None:
        names = [word.text for word in found]
        if names[:1] and names[0] in _VERBS:
            found, names = found[1:], names[1:]
        kind = names[0] if names else ""
        family, rest = ("ip", found[1:]) if len(names) < 2 or names[1] not in FAMILIES else (names[1], found[2:])
        if kind == "table" and rest:
            self.block_of_table(family, rest[0].text)
        elif kind == "chain" and len(rest) >= 2:
            self.chain(family, rest[0].text, rest[1])
        elif kind == "rule" and len(rest) > 2:
            self.rule(FilterChain(family, rest[0].text, rest[1].text), _behind_position(rest[2:]))
        elif self.take("{"):
            self.skip_block()

    def block_of_table(self, family: str, table: str) -> None:
        if not self.take("{"):
            return
        while self.at < len(self.words) and not self.take("}"):
            self.skip_ends()
            found = self.statement()
            if len(found) >= 2 and found[0].text == "chain":
                self.chain(family, table, found[1])
            elif self.take("{"):
                self.skip_block()

    def chain(self, family: str, table: str, name: Word) -> None:
        chain = FilterChain(family, table, name.text)
        place = len(self.chains)
        self.chains.append(PlacedChain(chain, name.line))
        self.known.setdefault((family, table, name.text), chain)
        if not self.take("{"):
            return
        while self.at < len(self.words) and not self.take("}"):
            self.skip_ends()
            if found := self.statement(rules=True):
                described = _described(chain, found)
                if described is None:
                    self.rule(chain, found)
                else:
                    chain = described
                    self.chains[place] = PlacedChain(chain, name.line)
                    self.known[family, table, name.text] = chain
            elif self.take("{"):
                self.skip_block()

    def rule(self, chain: FilterChain, found: list[Word]) -> None:
        if not found:
            return
        known = self.known.get((chain.family, chain.table, chain.name), chain)
        written = self.text[found[0].start : found[-1].end]
        self.rules.append(PlacedRule(read_rule(found, known, written), found[0].line, found[0].column))


def parse_nft(text: str) -> Ruleset:
    """Every chain and rule of the text; what cannot be understood is a defect, and the rest is still read."""
    reader = _Reader(text, with_values(list(words(text))))
    reader.file()
    return Ruleset(tuple(reader.chains), tuple(reader.rules), tuple(reader.defects))


def _opens_block(found: list[Word]) -> bool:
    """Whether a ``{`` after these words opens a body, not a list of values inside a rule."""
    names = [word.text for word in found]
    if names[:1] and names[0] in _VERBS:
        names = names[1:]
    kinds = {"table", "chain", "set", "map", "flowtable", "counter", "quota", "limit", "secmark", "synproxy"}
    if names[:1] and names[0] in kinds:
        # «counter name {», «table inet name {», «add chain inet t name {»: words only, never an operator.
        return len(names) <= 4 and not any(word.is_mark(mark) for word in found for mark in "=<>!&|,(")
    return names[:2] in (["ct", "helper"], ["ct", "timeout"], ["ct", "expectation"]) and len(names) == 3


def _behind_position(found: list[Word]) -> list[Word]:
    """``add rule t c position 4 …``, ``handle 4`` and ``index 4`` say where, not what."""
    return found[2:] if found and found[0].text in {"position", "handle", "index"} else found


def _described(chain: FilterChain, found: list[Word]) -> FilterChain | None:
    """The chain with what a line says of it; None when the line is a rule."""
    names = [word.text for word in found]
    if names[0] == "type" and "hook" in names[:-1]:
        hook = names[names.index("hook") + 1]
        priority = names[names.index("priority") + 1 :] if "priority" in names else []
        # In families that have policies, accept is the one of a chain that names none.
        return replace(chain, hook=hook, priority=_priority(priority), policy=chain.policy or "accept")
    if names[0] == "policy" and len(names) == 2:
        return replace(chain, policy=names[1])
    return chain if names[0] in {"comment", "flags", "devices", "device"} else None


def _priority(names: list[str]) -> int | None:
    """``-150``, ``mangle``, ``filter - 5`` as a number."""
    joined = "".join(names)
    for name, value in _PRIORITIES.items():
        if joined.startswith(name):
            rest = joined.removeprefix(name)
            return value + int(rest) if _is_int(rest) else value
    return int(joined) if _is_int(joined) else None


def _is_int(text: str) -> bool:
    return text.lstrip("+-").isdigit()
