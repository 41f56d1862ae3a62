"""HO603: SYNPROXY lacks something that it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.rule import Rule
from halfopen.rules.tracking import LOOSE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context


class Synproxy(Rule):
    """SYNPROXY is in the ruleset, and lacks a setting that it needs.

    ## What it finds
    A rule with `synproxy`, and `nf_conntrack_tcp_loose=1`, the default.

    ## Why it matters
    SYNPROXY waits for the client's ACK as a packet that belongs to no connection. With loose tracking the ACK begins
    one, passes by the rule, and the server answers with a RST. `tcp_syncookies` and `tcp_timestamps` of the server do
    not matter to it, whatever guides say: its cookies are its own (measured with both at 0).

    ## Evidence
    The rule, and the setting.

    ## Confirm by hand
    `cat /proc/net/stat/synproxy`: `cookie_valid` stands still while clients connect.

    ## Remedy
    Set it to 0. Beside it, SYNs of those ports need `notrack` in the raw table or a chain before connection tracking.

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
            if not used or space.sysctl(LOOSE) != 1:
                continue
            yield self.finding(
                space.subject("filter", f"{used[0].family} {used[0].table} {used[0].chain}: {used[0].text}"),
                f"SYNPROXY needs {LOOSE}=0.",
                (
                    space.setting(LOOSE),
                    *(
                        Evidence(f"synproxy {name}", count, None, "/proc/net/stat/synproxy")
                        for name, count in space.now.synproxy.items()
                    ),
                ),
                remedy=Remedy("Set what it needs.", (space.change(LOOSE, "0"),)),
                confirm=space.command(f"sysctl {LOOSE}"),
            )
