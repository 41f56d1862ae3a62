"""The usual answers to a SYN flood, each as settings and rules: the rows of the experiment ``flood-with-clients``."""

from __future__ import annotations

from dataclasses import dataclass

from halfopen.lab.story import AtLeast, Between, Expected

CLIENTS, CLIENT_RATE = 40, 20
#: More than a queue of 1024 can forget: in one that is more than half full, a request lives 3 to 7 s.
FLOOD_RATE = 1000
#: Enough to fill every queue below before the first client comes.
PREFILL = 8000
BACKLOG = 128
COOKIES = "net.ipv4.tcp_syncookies"
MAX_SYN_BACKLOG = "net.ipv4.tcp_max_syn_backlog"

GLOBAL_LIMIT = """table inet t {
    chain input { type filter hook input priority filter
        tcp dport 8000 tcp flags syn limit rate over 10/second burst 5 packets drop
    }
}"""
#: A second's worth may come at once, as clients do whom a busy machine keeps waiting: the burst of 5 that a rule has
#: unless told otherwise drops them.
SOURCE_LIMIT = """table inet t {
    set m { type ipv4_addr; flags dynamic; timeout 1m; size 65535; }
    chain input { type filter hook input priority filter
        tcp dport 8000 tcp flags syn update @m { ip saddr limit rate over 30/second burst 30 packets } drop
    }
}"""
SYNPROXY = """table inet t {
    chain raw { type filter hook prerouting priority raw
        tcp dport 8000 tcp flags syn notrack
    }
    chain input { type filter hook input priority filter
        tcp dport 8000 ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm
        ct state invalid drop
    }
}"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to the flood, and how many of the clients are served with it."""

    name: str
    served: Expected
    settings: tuple[tuple[str, int], ...] = ()
    backlog: int = BACKLOG
    rules: str | None = None
    flood_rate: int = FLOOD_RATE
    prefill: int = PREFILL
    finds: tuple[str, ...] = ()
    """Rules that the doctor of the server finds meanwhile."""
    silent: tuple[str, ...] = ()
    """Rules that it does not."""


_NO_COOKIES = (COOKIES, 0)
#: Without it, conntrack takes an ACK out of the blue for an open connection, and synproxy never sees it.
_STRICT = ("net.netfilter.nf_conntrack_tcp_loose", 0)
NOBODY, ALL = Between(0, CLIENTS // 8), AtLeast(CLIENTS - 2)
#: With one retry, what filled a queue at once is given up at once, every three seconds; the flood needs 0.13 s to fill
#: it again, in which four to seven of the clients come (measured). The limit for all SYNs lets in fewer.
FEW = Between(0, CLIENTS // 4)
ANSWERS = (
    Answer("nothing: SYN cookies off", NOBODY, (_NO_COOKIES,)),
    Answer("a larger backlog, 1024", NOBODY, (_NO_COOKIES, (MAX_SYN_BACKLOG, 4096)), backlog=1024),
    Answer("tcp_synack_retries = 1", FEW, (_NO_COOKIES, ("net.ipv4.tcp_synack_retries", 1))),
    Answer("the rule «limit 10/second» for all SYNs", FEW, rules=GLOBAL_LIMIT, finds=("HO401",)),
    Answer("a limit for each source, 30/second", ALL, rules=SOURCE_LIMIT),
    Answer("synproxy with timestamps", ALL, (_STRICT,), rules=SYNPROXY),
    Answer("synproxy without", ALL, (_STRICT,), rules=SYNPROXY.replace(" timestamp", "")),
    Answer("SYN cookies, the default", ALL, finds=("HO402",), silent=("HO401",)),
)
#: What the same clients have without a flood.
PEACE = Answer("no flood", ALL, flood_rate=0, prefill=0, silent=("HO401", "HO402"))
