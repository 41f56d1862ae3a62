"""One iptables rule: its arguments, as ``iptables-save`` prints and a script writes them, → a ``FilterRule``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.firewall.rate import per_unit
from halfopen.model.network import FilterRule

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

BUILT_IN_HOOKS = {
    "PREROUTING": "prerouting",
    "INPUT": "input",
    "FORWARD": "forward",
    "OUTPUT": "output",
    "POSTROUTING": "postrouting",
}
#: Matches that make the kernel track connections: each takes a reference (``nf_ct_netns_get``) when it is loaded.
_TRACKING_MATCHES = frozenset(
    {"conntrack", "state", "connlimit", "connmark", "connbytes", "connlabel", "helper", "cluster"}
)
_TRACKING_TARGETS = frozenset(
    {"SNAT", "DNAT", "MASQUERADE", "REDIRECT", "NETMAP", "SYNPROXY", "CONNMARK", "CONNSECMARK"}
)
#: Spellings of one option.
_SAME = {
    "--append": "-A", "--insert": "-I", "--source": "-s", "--src": "-s", "--destination": "-d", "--dst": "-d",
    "--jump": "-j", "--goto": "-g", "--match": "-m", "--protocol": "-p", "--proto": "-p",
    "--destination-port": "--dport", "--destination-ports": "--dports", "--hashlimit": "--hashlimit-upto",
    "--table": "-t", "--delete": "-D", "--replace": "-R", "--check": "-C",
}  # fmt: skip
#: Options without a value, besides those that negation turns into one.
_FLAGS = frozenset({"--syn", "--notrack", "--fragment", "-f", "--random", "--persistent", "--log-uid"})
#: Options whose value may be anything, an option's look-alike too.
_FREE_TEXT = frozenset({"--comment", "--log-prefix", "--string", "--nflog-prefix"})
_DEFAULT_BURST = 5
"""Of both ``limit`` and ``hashlimit``: xt_limit.c, xt_hashlimit.c in iptables' extensions."""

#: Option → its values; a negated one's begin with ``!``.
Options = dict[str, list[str]]


def read_rule(
    words: Sequence[str],
    *,
    family: str,
    table: str = "filter",
    chains: Collection[str] = (),
    text: str | None = None,
    packets: int | None = None,
    bytes_: int | None = None,
) -> FilterRule | None:
    """A rule from its arguments, without the program's name; None when they add no rule.

    ``chains`` are the chains that the table declares: a target with such a name is a jump. ``-t`` among the words
    wins over ``table``.
    """
    options = _options(words)
    chain = next((options[verb][0] for verb in ("-A", "-I", "-R") if options.get(verb)), None)
    if chain is None:
        return None
    table = _first(options, "-t") or table
    limit, per_source = _limit(options)
    return FilterRule(
        family=family,
        table=table,
        chain=chain,
        text=" ".join(words) if text is None else text,
        hook=BUILT_IN_HOOKS.get(chain),
        verdict=_verdict(options, chains),
        packets=packets,
        bytes=bytes_,
        limit=limit,
        limit_per_source=per_source,
        syn_only=_syn_only(options),
        conntrack=_tracks(options, table),
        ports=tuple(_ports(options)),
        sources=tuple(_addresses(options, "-s", "src")),
        destinations=tuple(_addresses(options, "-d", "dst")),
    )


def _options(words: Sequence[str]) -> Options:
    options: Options = {}
    name, negated, fresh = "", False, False
    for word in words:
        if fresh and name in _FREE_TEXT:
            options[name].append(word)
            fresh = False
            continue
        if word == "!":
            negated = True
            continue
        if len(word) > 1 and word.startswith("-") and not word[1].isdigit():
            name, _, value = word.partition("=")
            name, fresh = _SAME.get(name, name), True
            values = options.setdefault(name, [])
            if negated and name in _FLAGS:
                values.append("!")
                negated = False
            elif value:
                values.append(value)
            continue
        # «! --dport 22» and the older «--dport ! 22» negate the same value: the first after the option.
        options.setdefault(name, []).append("!" + word if negated and fresh else word)
        negated = fresh = False
    return options


def _first(options: Options, name: str) -> str:
    """The option's first value; "" where it has none, as in a line that was cut."""
    return next(iter(options.get(name, [])), "")


def _verdict(options: Options, chains: Collection[str]) -> str | None:
    if goto := options.get("-g"):
        return f"goto {goto[-1]}"
    target = _first(options, "-j")
    if not target:
        return None
    if target in chains:
        return f"jump {target}"
    if target == "NOTRACK" or (target == "CT" and "--notrack" in options):
        return "notrack"
    # Extensions' targets are upper case by convention; a chain of one's own that a script does not declare is not.
    return target.lower() if target.isupper() else f"jump {target}"


def _limit(options: Options) -> tuple[str | None, bool]:
    """The limit in words, and whether each source has its own."""
    for name, over in (("--hashlimit-above", "over "), ("--hashlimit-upto", "")):
        if rates := options.get(name):
            modes = ",".join(options.get("--hashlimit-mode", []))
            return over + _with_burst(rates[0], options.get("--hashlimit-burst")), "srcip" in modes.split(",")
    if rates := options.get("--limit"):
        return _with_burst(rates[0], options.get("--limit-burst")), False
    if counts := options.get("--connlimit-above"):
        return f"over {counts[0]} connections", _connlimit_is_per_source(options)
    if counts := options.get("--connlimit-upto"):
        return f"{counts[0]} connections", _connlimit_is_per_source(options)
    return None, False


def _connlimit_is_per_source(options: Options) -> bool:
    return "--connlimit-daddr" not in options and _first(options, "--connlimit-mask") != "0"


def _with_burst(rate: str, burst: list[str] | None) -> str:
    return f"{per_unit(rate)} burst {burst[0] if burst else _DEFAULT_BURST}"


def _syn_only(options: Options) -> bool:
    if "--syn" in options:
        return "!" not in options["--syn"]
    flags = options.get("--tcp-flags", [])
    if len(flags) != 2 or flags[0].startswith("!"):
        return False
    return flags[1].upper() == "SYN" and (
        flags[0].upper() == "ALL" or {"SYN", "ACK"} <= set(flags[0].upper().split(","))
    )


def _tracks(options: Options, table: str) -> bool:
    if table == "nat" or _TRACKING_MATCHES & set(options.get("-m", [])):
        return True
    target = _first(options, "-j")
    return target in _TRACKING_TARGETS or (target == "CT" and "--notrack" not in options)


def _ports(options: Options) -> Iterator[str]:
    for name in ("--dport", "--dports", "--ports"):
        for value in options.get(name, []):
            mark = "!" * value.startswith("!")
            for port in value.removeprefix("!").split(","):
                yield mark + port.replace(":", "-")


def _addresses(options: Options, name: str, direction: str) -> Iterator[str]:
    for value in options.get(name, []):
        mark = "!" * value.startswith("!")
        for address in value.removeprefix("!").split(","):
            yield mark + address.removesuffix("/32").removesuffix("/128")
    names = options.get("--match-set", [])
    for set_, directions in zip(names[::2], names[1::2], strict=False):
        if direction in directions.split(","):
            yield f"!@{set_[1:]}" if set_.startswith("!") else f"@{set_}"
