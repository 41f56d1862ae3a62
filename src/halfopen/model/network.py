"""Interfaces, routes and the rules that lead to them, packet filters and connection tracking of a network namespace."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface."""

    index: int
    name: str
    up: bool = True
    mtu: int | None = None
    addresses: tuple[str, ...] = ()
    """``192.0.2.1/24``, ``2001:db8::1/64``."""
    carrier: bool | None = None
    """Whether there is another end to the wire: without, what leaves by it is thrown away. Null: not known."""


ROUTES_MAX = 10_000
"""Routes of a namespace that a snapshot keeps; a full Internet table has a million."""
RULES_MAX = 1000
"""Routing rules that it keeps, the first. More are no rules of an administrator any more, and each costs time."""


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the main, local or another table."""

    destination: str
    """``default``, or a prefix ``192.0.2.0/24``."""
    kind: str = "unicast"
    """``unicast``, ``local``, ``blackhole``, ``unreachable``, ``prohibit``…"""
    interface: str | None = None
    gateway: str | None = None
    source: str | None = None
    """Preferred source address."""
    table: int = 254
    """254 is main, 255 local."""
    metric: int | None = None
    attributes: dict[str, int] = field(default_factory=dict)
    """RTAX_*: ``rto_min`` (ms), ``rtt`` (1/8 ms), ``rttvar`` (1/4 ms), ``initcwnd``, ``initrwnd``, ``advmss``,
    ``window``, ``quickack``, ``fastopen_no_cookie``… as the kernel keeps them."""
    family: int = 4
    """4 or 6: what ``default`` is the default of."""


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """Which table routes are looked for in (``ip rule``). What is null asks for nothing."""

    priority: int
    """Smaller ones are tried first."""
    family: int = 4
    action: str = "lookup"
    """``lookup``, ``goto``, ``nop``, or a refusal: ``blackhole``, ``unreachable``, ``prohibit``."""
    table: int = 0
    goto: int | None = None
    """The priority at which ``goto`` goes on."""
    inverted: bool = False
    """``not``: it is for what does not meet its conditions."""
    source: str | None = None
    destination: str | None = None
    mark: int | None = None
    mark_mask: int | None = None
    input: str | None = None
    """The interface that a packet came by; ``lo`` for what this host sends (hostile text)."""
    output: str | None = None
    """The interface that the socket is bound to."""
    l3mdev: bool = False
    """For sockets and interfaces of a VRF."""
    protocol: int | None = None
    ports: tuple[int, int] | None = None
    """Destination ports, both ends included."""
    suppress_prefix_length: int | None = None
    """Routes whose prefix is not longer do not count."""
    other: tuple[str, ...] = ()
    """Names of conditions that are not read: ``uidrange``, ``tos``, ``sport``…"""


@dataclass(frozen=True, slots=True)
class TcpMetric:
    """What the kernel remembers of a peer (``ip tcp_metrics``); it seeds the timers of the next connection."""

    destination: str
    source: str | None = None
    age_ms: int | None = None
    rtt_us: int | None = None
    rttvar_us: int | None = None
    fast_open_cookie: bool = False
    """Whether a Fast Open cookie is kept; the cookie itself is not read."""
    fast_open_syn_losses: int = 0
    """SYNs with data that were lost in a row."""
    fast_open_mss: int | None = None


@dataclass(frozen=True, slots=True)
class FilterRule:
    """One rule of nftables or iptables that can stop a packet on its way, or limit it."""

    family: str
    """``ip``, ``ip6``, ``inet``, ``bridge`` or ``netdev``."""
    table: str
    chain: str
    text: str
    """As the tool would print it (hostile text: comments stand in it)."""
    hook: str | None = None
    """``prerouting``, ``input``, ``forward``, ``output``, ``postrouting``, ``ingress``; null where others jump to."""
    verdict: str | None = None
    """``drop``, ``reject``, ``accept``, ``jump <chain>``, ``vmap`` (a verdict map), ``synproxy``, ``notrack``…"""
    packets: int | None = None
    """Its counter; null when it has none."""
    bytes: int | None = None
    limit: str | None = None
    """``10/second burst 5``, ``over 30/second burst 5``, ``over 20 connections``: one bucket for everybody, unless
    ``limit_per_source``. ``over``: the rule is met by what exceeds it."""
    limit_per_source: bool = False
    """The limit keeps a bucket for each source (hashlimit, meter, dynamic set)."""
    syn_only: bool = False
    """It looks at SYNs only (``--syn``, ``tcp flags & (fin|syn|rst|ack) == syn``)."""
    conntrack: bool = False
    """It asks for the connection's state, which turns connection tracking on."""
    ports: tuple[str, ...] = ()
    """Destination ports it names: ``80``, ``8000-8100``, ``ssh``, ``@set``; negated ones begin with ``!``."""
    sources: tuple[str, ...] = ()
    """Source addresses it names; negated ones begin with ``!``."""
    destinations: tuple[str, ...] = ()
    """Destination addresses it names."""


@dataclass(frozen=True, slots=True)
class FilterChain:
    """A base chain and its policy."""

    family: str
    table: str
    name: str
    hook: str | None = None
    policy: str | None = None
    """``accept`` or ``drop``."""
    priority: int | None = None
    packets: int | None = None
    """Packets that the policy met (iptables counts them, nftables does not)."""


@dataclass(frozen=True, slots=True)
class PacketFilter:
    """The packet filter of one namespace, from nftables and both iptables back ends."""

    backends: tuple[str, ...] = ()
    """Which were found in use: ``nftables``, ``iptables-nft``, ``iptables-legacy``."""
    chains: tuple[FilterChain, ...] = ()
    rules: tuple[FilterRule, ...] = ()
    """At most 5000."""
    rules_left_out: int = 0


@dataclass(frozen=True, slots=True)
class Conntrack:
    """Connection tracking of one namespace; the limit is one for all (fact F81)."""

    count: int
    max: int | None = None
    buckets: int | None = None
    assured: int | None = None
    """Entries that early_drop cannot evict; null while the table is less than half full, or could not be read."""
    stats: dict[str, int] = field(default_factory=dict)
    """Sum over processors of /proc/net/stat/nf_conntrack: ``drop``, ``early_drop``, ``insert_failed``, ``invalid``…"""
    timeouts_s: dict[str, int] = field(default_factory=dict)
    """``nf_conntrack_tcp_timeout_*``, by their last words: ``established``, ``time_wait``…"""
