"""HO603: SYNPROXY lacks something that it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import listed
from halfopen.rules.cookies import SYNCOOKIES
from halfopen.rules.rule import Rule
from halfopen.rules.tracking import LOOSE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

TIMESTAMPS = "net.ipv4.tcp_timestamps"


class Synproxy(Rule):
    """SYNPROXY is in the ruleset, and lacks a setting that it needs.

    ## What it finds
    A rule with `synproxy`, and one of `nf_conntrack_tcp_loose=1`, `tcp_syncookies=0`, `tcp_timestamps=0`.

    ## Why it matters
    SYNPROXY waits for the client's ACK as a packet that belongs to no connection. With loose tracking the ACK begins
    one, passes by the rule, and the server answers with a RST. It also needs cookies, and timestamps to keep window
    scaling and SACK.

    ## Evidence
    The rule, and the settings.

    ## Confirm by hand
    `cat /proc/net/stat/synproxy`: `cookie_valid` stands still while clients connect.

    ## Remedy
    Set them. Beside it, SYNs of those ports need `notrack` in the raw table or a chain before connection tracking.

    ## When it is wrong
    A rule for a port that nobody uses.

    ## References
    iptables-extensions(8), SYNPROXY; nft(8), synproxy; Linux `net/netfilter/nf_synproxy_core.c`.
    """

    code = "HO603"
    name = "synproxy-incomplete"
    severity = "warning"
    harm = "failing"
    proof = "synproxy-settings"
    needs = ("packet_filter", "sysctls")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            rules = () if space.now.packet_filter is None else space.now.packet_filter.rules
            used = [rule for rule in rules if (rule.verdict or "").startswith("synproxy")]
            wrong = [
                (key, want)
                for key, value, want in ((LOOSE, 1, "0"), (SYNCOOKIES, 0, "1"), (TIMESTAMPS, 0, "1"))
                if space.sysctl(key) == value
            ]
            if not used or not wrong:
                continue
            yield self.finding(
                space.subject("filter", f"{used[0].family} {used[0].table} {used[0].chain}: {used[0].text}"),
                f"SYNPROXY needs {listed([f'{key}={want}' for key, want in wrong])}.",
                (
                    *(space.setting(key) for key, _ in wrong),
                    *(
                        Evidence(f"synproxy {name}", count, None, "/proc/net/stat/synproxy")
                        for name, count in space.now.synproxy.items()
                    ),
                ),
                remedy=Remedy("Set what it needs.", tuple(space.change(key, want) for key, want in wrong)),
                confirm=space.command(f"sysctl {' '.join(key for key, _ in wrong)}"),
            )
