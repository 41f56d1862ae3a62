"""What of the packet filter would stop a packet of a connect: was it that?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.knowledge.firewall.rejecting import error_of_reject, rejects_with_reset
from halfopen.rules.filter_counters import grown
from halfopen.rules.filter_matching import is_plain, names_source_port
from halfopen.rules.routing import is_own

if TYPE_CHECKING:
    from halfopen.model.cause import Stopped
    from halfopen.rules.causes.way import Way
    from halfopen.rules.filtering import Stop
    from halfopen.rules.space import Space

#: What connect() says where something dropped the SYN.
_SILENCE = frozenset({None, "ETIMEDOUT"})


@dataclass(frozen=True, slots=True)
class Suspect:
    """What would stop which packet, and in which namespace."""

    stop: Stop
    space: Space
    packet: Stopped
    way: Way

    @property
    def guilty(self) -> bool:
        """Whether it stops every such packet, as its counter or its text says; a counter that stood still denies it."""
        if not self._fits:
            return False
        if self.moved:
            return True
        still = self.stop.rule is not None and grown(self.space, self.stop.rule) is not None
        return self.stop.certain and not still and not self.way.established

    @property
    def counted_nothing(self) -> bool:
        """Its counter, where it has one, stood still: it stopped no packet at all."""
        return self.stop.rule is not None and grown(self.space, self.stop.rule) == 0

    @property
    def signed(self) -> bool:
        """Whether the ICMP error that ended the connect is such a rule's, and came from this namespace."""
        icmp_from = self.way.icmp_from
        return (
            self.stop.verdict == "reject" and self._fits and icmp_from is not None and is_own(self.space.now, icmp_from)
        )

    @property
    def moved(self) -> bool:
        """Whether it counted as many packets meanwhile as were lost."""
        rule = self.stop.rule
        named = self.packet == "answer" and rule is not None and names_source_port(rule, self.way.port)
        # Answers may be fewer than SYNs; what names none of their marks counts others' packets, too.
        least = self.way.answers_lost if named else self.way.lost
        return _moved(self.space, self.stop) >= max(1, least)

    @property
    def _fits(self) -> bool:
        """Whether connect() would say what it said: with anything else the SYN came less far, or further."""
        way = self.way
        if way.errno in _SILENCE or way.established:
            return True
        if self.stop.verdict != "reject" or self.packet == "answer":
            return self.stop.verdict == "drop" and way.errno == "EPERM" and self.packet == "syn_out"
        text = "" if self.stop.rule is None else self.stop.rule.text
        told = way.icmp_from is None or is_own(self.space.now, way.icmp_from)
        resets = rejects_with_reset(text)
        return way.errno == error_of_reject(text, v6=":" in way.destination) and (resets or told)

    @property
    def is_likely(self) -> bool:
        """Of an answer: whether what may stop it names its port, counted packets meanwhile, drops all, or is a policy.

        Any other is most likely for strays: every well-kept host has such.
        """
        rule = self.stop.rule
        if self.packet != "answer" or rule is None or is_plain(rule):
            return True
        return bool(names_source_port(rule, self.way.port)) or self.moved or self.stop.certain


def _moved(space: Space, stop: Stop) -> int:
    """Packets that what would stop the packet counted between the snapshots."""
    if stop.rule is not None:
        return grown(space, stop.rule) or 0
    if space.before is None or space.before.packet_filter is None or stop.packets is None:
        return 0
    chains = space.before.packet_filter.chains
    rows = [chain.packets for chain in chains if f"{chain.family} {chain.table} {chain.name}" == stop.chain]
    return stop.packets - rows[0] if rows and rows[0] is not None else 0
