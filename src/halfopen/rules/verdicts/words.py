"""The sentences of verdicts: what would falsify each, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.model.cause import CauseKind
    from halfopen.model.verdict import VerdictKind

MEASURE = (
    "See what users see, over a longer time: `halfopen probe {target} -c 60`; with `--await-data` (and "
    "`--send TEXT` where the client speaks first) whether the application answers, too."
)
WHERE_LOST = (
    "At the server: `halfopen doctor --for 10s`, and a capture. A SYN that arrives while its ListenDrops stands "
    "still is lost in "
    "its packet filter, its connection tracking or its reverse path filter; ListenDrops that moves means a queue, or "
    "no route back."
)
CAPTURE = (
    "Capture here and at the target at the same time: `halfopen trace HERE --against THERE` says where it was lost."
)
OWN_LOST = (
    "See whether the SYN arrives in {place}, and whether an answer leaves: `{command}`. One that does not arrive is "
    "lost on the way."
)
NO_WAY = (
    "This host has no way to {addresses}: connect() says so at once, and programs go on to the next address; it does "
    "not count here."
)
PERHAPS = "Perhaps it is this: {sentence} {step}"
CAPTURE_TELLS = "`halfopen doctor {target} --capture` tells whether it does."
TRY = "See whether it helps. {remedy}"
AS_ROOT = "As root, halfopen reads this host's packet filter, too: `sudo halfopen doctor {target}`."
SENT_ON = "See what becomes of it where it is sent on to: `{command}`."

NEIGHBOUR_ANSWERS = "`ip neigh show {neighbour}` in state REACHABLE while a connect fails."
EMPTY = "An empty queue (`{check}`) while connects fail, or an answer of the application to the next request."
STILL = "A connect that fails alike while `{check}` stands still."
CONNECTS = "A connect to {address} that is established."
SEVERAL = "A connect to one of these addresses that is established."
LEAVES = "A capture at the target that shows an answer leave: then it is lost on its way back."
CAME_IN = "A longer capture in which the answers to these connects are missing."

FALSIFIED: dict[VerdictKind, str] = {
    "healthy": "A connect that fails or needs a second SYN in a longer run, or from where the users are.",
    "slow_syn": (
        "A capture at the server that shows the first SYN answered at once: then the answer was lost on its way back."
    ),
    "accept_starvation": (
        "`ss -ltn` at the server with an empty queue, or an answer of the application to the next request."
    ),
    "data_lost": "A `ping -M do -s 1472` of that address that is answered: then the way takes packets of full size.",
    "refused": (
        "A listener on that address and port (`ss -ltn` at the server), and a RST that comes from another machine."
    ),
    "unreachable": (
        "The same connect from another host in the network of the target that works: then the way is at fault."
    ),
    "silent_drop": (
        "A capture at this host that shows an answer coming in: then it is dropped here, and not on the way."
    ),
    "not_sent": "A SYN to the target in a capture at this host.",
    "not_resolved": "`getent ahosts NAME` that prints an address.",
    "mixed": "A longer run in which all connects end alike.",
}

FALSIFIED_BY_CAUSE: dict[CauseKind, str] = {
    "ports": "A connect that fails alike while `{check}` prints a smaller number.",
    "route": "A connect that fails alike once `{check}` shows that this is repaired.",
    "filter": "A connect that fails alike with that rule gone, or whose packets it does not count: `{check}`.",
    "conntrack": "A connect that fails alike while `drop=` of `{check}` stands still.",
    "rp_filter": "A connect that fails alike while `{check}` stands still.",
}
"""What would disprove that a local cause is it; ``check`` is its command."""

SIZES = "See which size comes through: `tracepath ADDRESS`, `ping -M do -s 1472 ADDRESS` and smaller ones."
CLAMP = (
    "Let ICMP «fragmentation needed» through on the way, or have the router before the narrow part lower the MSS: "
    "`nft … tcp flags syn tcp option maxseg size set rt mtu`."
)
STEPS: dict[VerdictKind, tuple[str, ...]] = {
    "healthy": (),
    "slow_syn": ("Look for a full accept queue at the server first: it drops SYNs in silence.",),
    "accept_starvation": ("Look at the application at the server: `ss -ltnp` there names it, and how many wait.",),
    "data_lost": (SIZES, CLAMP),
    "refused": ("Start the service, or have it listen on that address.",),
    "unreachable": (),
    "silent_drop": (),
    "not_sent": (),
    "not_resolved": ("Look at /etc/resolv.conf, /etc/hosts and the name.",),
    "mixed": (),
}

FORBIDDEN = {
    "EPERM": "Look for a BPF program of the control group (`bpftool cgroup tree`) or security module that forbids it.",
    "EACCES": "Look for what forbids it: `ip rule`, `ip route get {address}`.",
    "EADDRNOTAVAIL": "Count the connections to it: `ss -Htan 'dst {address}' | wc -l`.",
    "EAFNOSUPPORT": "This host does not speak that address family: `sysctl net.ipv6.conf.all.disable_ipv6`.",
}
"""What connect() said where no SYN was sent, and no cause was found → what to look at."""
LINK_LOCAL = "Name the interface of the link: `halfopen doctor '[{address}%INTERFACE]:{port}'`."
NOT_SENT = "See how this host would send there: `ip route get {address}`."
NOT_ON_THE_WIRE = (
    "See what stands between TCP and the wire: `nft list ruleset`, `tc -s qdisc`, `ip neigh`, and BPF programs that "
    "send connects elsewhere (`bpftool cgroup tree`)."
)
