"""HO501: Fast Open is configured by half."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.fast_open import ALL_LISTENERS, KEY, SERVER, flags, uses_fast_open
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space


class FastOpenHalf(Rule):
    """Fast Open is configured by half, and so not at all.

    ## What it finds
    The server bit of `tcp_fastopen` without a listener that has TCP_FASTOPEN; a listener with TCP_FASTOPEN without the
    bit; or the bit 0x400 (all listeners) with listeners that began before.

    ## Why it matters
    `tcp_fastopen=3` enables nothing on a server by itself: the program has to set TCP_FASTOPEN on the listening socket.
    The bit 0x400 does it for all, but only for those that call listen() for the first time after it was set.

    ## Evidence
    The setting, and the option of each listener.

    ## Confirm by hand
    `ss -ltno` says nothing of it; `nstat -az 'TcpExtTCPFastOpen*'` stands still.

    ## Remedy
    Turn it on in the program (nginx `listen … fastopen=256`, HAProxy `tfo`), or take the bit away.

    ## When it is wrong
    Programs that start later, or listeners whose options could not be read.

    ## References
    RFC 7413; Documentation/networking/ip-sysctl.rst, tcp_fastopen; Linux `net/ipv4/af_inet.c` `__inet_listen_sk`.
    """

    code = "HO501"
    name = "fast-open-half-configured"
    severity = "notice"
    harm = "untidy"
    proof = "fast-open"
    needs = ("sysctls", "listener_options")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            bits = flags(space)
            known = [
                one
                for one in space.listening
                if one.first.options is not None and one.first.options.fast_open is not None
            ]
            if bits is None or not known:
                continue
            using = [one for one in known if uses_fast_open(one)]
            cause = None
            if bits & SERVER and not using:
                late = bool(bits & ALL_LISTENERS)
                cause = (
                    "The bit for all listeners is set, and every listener began before it was: none has Fast Open."
                    if late
                    else "The server bit is set, and no listener has TCP_FASTOPEN: nothing is enabled by it."
                )
            elif using and not bits & SERVER:
                cause = f"{using[0].name} has TCP_FASTOPEN, and the server bit of the setting is off: it has no effect."
            if cause is not None:
                yield self._at(space, cause, len(using), len(known))

    def _at(self, space: Space, cause: str, using: int, known: int) -> Finding:
        return self.finding(
            space.key(KEY),
            cause,
            (space.setting(KEY), Evidence("listeners with TCP_FASTOPEN", using, f"of {known}", "getsockopt")),
            remedy=Remedy(
                "Do both, or neither.", (), ("nginx: `listen … fastopen=256`; HAProxy: `tfo`; restart the program.",)
            ),
            confirm=space.command(f"sysctl {KEY}"),
        )
