"""HO402: a flood of SYNs from forged addresses, held off by SYN cookies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.cookies import cookie_evidence, returned_share, sent
from halfopen.rules.rule import Rule
from halfopen.rules.syn_queue import full

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding, Subject
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space

#: Fewer cookies are a moment in which a short queue was full.
SENT_MIN = 100
#: Real clients return nearly all of them; one in ten and less leaves a crowd that never meant to connect.
FORGED_MAX = 0.1
#: In between there are both.
MIXED_MAX = 0.5

STEPS = (
    "Do not limit SYNs with one bucket for everybody, and do not block the sources: they are forged.",
    "If the line itself is full, only the provider, or SYN cookies in XDP, can help.",
)


class SpoofedFlood(Rule):
    """A flood of SYNs from forged addresses is going on, and SYN cookies hold it off.

    ## What it finds
    At least 100 SYN cookies sent, between two snapshots or on a machine that booted within the hour, of which hardly
    any came back.

    ## Why it matters
    Users get in, that is what cookies are for; but the flood is invisible in `ListenDrops` and `ListenOverflows`, and
    in the log it is named once in a listener's life. While it lasts, connections are made by cookie, with what that
    costs.

    ## Evidence
    `SyncookiesSent` against `SyncookiesRecv`; listeners with a full SYN queue; `ListenDrops`, which stands still.

    ## Confirm by hand
    `nstat -az 'TcpExtSyncookies*'`, twice; `ss -Htan state syn-recv | wc -l`.

    ## Remedy
    Leave `tcp_syncookies` at 1 and `tcp_timestamps` at 1. A longer backlog is no defence: the flood
    fills it, too.

    ## When it is wrong
    A broken way back from here to the clients looks the same: are the addresses in SYN_RECV yours?

    ## References
    RFC 4987; Linux `net/ipv4/syncookies.c`, `net/ipv4/tcp_input.c` `tcp_conn_request`.
    """

    code = "HO402"
    name = "spoofed-syn-flood"
    severity = "warning"
    harm = "risk"
    proof = "flood-with-clients"
    needs = ("counters",)
    absorbs = ("HO105", "HO115", "HO406")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            growth, back = sent(space), returned_share(space)
            if growth is None or not growth.recent or growth.count < SENT_MIN or back is None or back > MIXED_MAX:
                continue
            forged = back <= FORGED_MAX
            drops = space.growth("ListenDrops")
            yield self.finding(
                _where(space),
                "SYN cookies are sent and hardly any comes back: a flood from forged addresses, and cookies hold it "
                "off."
                if forged
                else "More than half of the SYN cookies do not come back: a flood among real clients, or a lossy path.",
                (
                    *cookie_evidence(space),
                    None
                    if growth.per_s is None
                    else Evidence("cookies", round(growth.per_s), "per second", "SyncookiesSent"),
                    None
                    if drops is None
                    else Evidence(f"drops at listeners {drops.when}", drops.count, "packets", "ListenDrops"),
                ),
                remedy=Remedy("Leave tcp_syncookies at 1: nobody is shut out.", (), STEPS),
                confirm=space.command("nstat -az 'TcpExtSyncookies*'"),
                confidence="likely" if forged else "possible",
            )


def _where(space: Space) -> Subject:
    """The listener with a full SYN queue, where there is one."""
    for listening in filter(full, space.listening):
        return space.subject("listener", listening.name, **listening.identity())
    return space.whole()
