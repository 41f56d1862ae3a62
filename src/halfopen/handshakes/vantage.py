"""Where a capture was taken: at the client, at the server, between them, or beside a host that is both.

Two independent witnesses. Time: the two legs of a handshake, capture point to server and capture point to client, last
as long as the way there; a host answers within microseconds. TTL: a packet with a TTL of exactly 64, 128 or 255 has
passed no router. Where neither says anything, that is the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from halfopen.model.quantity import duration, share

if TYPE_CHECKING:
    from halfopen.model.summary import Summary, Ttls

Place = Literal["client", "server", "middle", "both"]

#: Round trips below this are as short as a host's own reaction (tens of µs, and the capture's jitter on top), so that
#: their split says nothing.
ROUND_TRIP_MIN_US = 300.0

#: Share of handshakes that must agree before the split speaks for the capture as a whole.
AGREE_MIN = 0.8

#: Share of handshakes on each side from which on the host is client of some and server of others.
EACH_SIDE_MIN = 0.1

#: Share of untouched TTLs from which on no router lies between that side and the capture point; below which one does.
PRISTINE_MIN = 0.9
PRISTINE_MAX = 0.1


@dataclass(frozen=True, slots=True)
class Vantage:
    """Where the capture was taken, as far as it can be told."""

    place: Place | None
    """``both``: beside a host that opens and accepts connections. None: it cannot be told."""
    reason: str
    """What says so, or why nothing does; a sentence after «captured»."""

    @property
    def sentence(self) -> str:
        """The whole as a sentence of its own."""
        if self.place is None:
            return f"Where it was captured c{self.reason[1:]}"
        return f"Captured {self.reason[0].lower()}{self.reason[1:]}"


def infer(summary: Summary) -> Vantage:
    """The capture point, from the split of the round trip, else from the TTLs."""
    whole, to_client = summary.latency_us.handshake.p50, summary.latency_us.syn_ack_to_ack.p50
    if not summary.vantage.split.judged or whole is None or to_client is None:
        lack = "shows both legs of the round trip" if summary.outcome("established") else "is in this capture"
        return Vantage(None, f"Cannot be told, because no completed handshake {lack}.")
    if whole < ROUND_TRIP_MIN_US:
        return _by_ttl(summary, f"the round trip of {duration(whole)} is as short as a host's own reaction")
    # Not the median of SYN to SYN-ACK: half-open attempts, a flood's for one, have a share in that.
    waited = summary.latency_us.retransmit_wait.p50 or 0.0
    to_server = max(whole - waited - to_client, 0.0)
    if summary.retransmission.syn_ack_handshakes * 2 > summary.outcome("established"):
        # The median then holds the server's timer.
        to_client = summary.latency_us.syn_ack_to_ack.min or to_client
    return _by_time(summary, f"{duration(to_server)} to the server and back, {duration(to_client)} to the client")


def _by_time(summary: Summary, legs: str) -> Vantage:
    split = summary.vantage.split
    client, server = split.near_client / split.judged, split.near_server / split.judged
    ttls = summary.vantage
    if client >= AGREE_MIN:
        return _at("client", legs, _routers(ttls.ttl_client), _routers(ttls.ttl_server))
    if server >= AGREE_MIN:
        return _at("server", legs, _routers(ttls.ttl_server), _routers(ttls.ttl_client))
    if client >= EACH_SIDE_MIN and server >= EACH_SIDE_MIN and client + server >= AGREE_MIN:
        near, far = share(split.near_client, split.judged), share(split.near_server, split.judged)
        return Vantage(
            "both",
            f"Near the client in {near} and near the server in {far} of the handshakes: beside a host or a network "
            "that both opens and accepts.",
        )
    if client + server <= 1 - AGREE_MIN:
        here, there = _routers(ttls.ttl_client), _routers(ttls.ttl_server)
        hops = ""
        if here is not None and there is not None:
            hops = f"; {_hops(here)} on the client's side, {_hops(there)} on the server's"
        return Vantage("middle", f"Between client and server: {legs}{hops}.")
    return _by_ttl(summary, "the split of the round trip differs from handshake to handshake")


def _at(side: Literal["client", "server"], legs: str, here: int | None, there: int | None) -> Vantage:
    """What the TTLs say of a capture point that the times put beside one end."""
    other = "server" if side == "client" else "client"
    if here and there == 0:
        # A server that is slow to answer looks as far away.
        why = f"the times put it near the {side} ({legs}), the TTLs beside the {other}"
        return Vantage(None, f"Cannot be told, because {why}.")
    if here:
        routers = f"{_hops(here)} between it and the {side}"
        return Vantage(side, f"Nearer to the {side} than to the {other}: {legs}; {routers}.")
    also = "" if here is None else f"; no router between it and the {side}"
    return Vantage(side, f"At or near the {side}: {legs}{also}.")


def _by_ttl(summary: Summary, why_not_time: str) -> Vantage:
    client, server = _untouched(summary.vantage.ttl_client), _untouched(summary.vantage.ttl_server)
    if client and server is False:
        return Vantage("client", "On the client's network: its TTLs are untouched, the server's are not.")
    if server and client is False:
        return Vantage("server", "On the server's network: its TTLs are untouched, the client's are not.")
    if client is False and server is False:
        return Vantage("middle", "Between client and server: routers lie on both sides, by the TTLs.")
    ttl = "no router lies on either side" if client and server else "the TTLs do not agree"
    return Vantage(None, f"Cannot be told, because {why_not_time} and {ttl}.")


def _untouched(ttls: Ttls) -> bool | None:
    if not ttls.known:
        return None
    part = ttls.pristine / ttls.known
    return True if part >= PRISTINE_MIN else False if part <= PRISTINE_MAX else None


def _routers(ttls: Ttls) -> int | None:
    """Between the capture point and that side, if any TTL is known."""
    return None if not ttls.known or ttls.hops_p50 is None else round(ttls.hops_p50)


def _hops(routers: int) -> str:
    return "no router" if routers == 0 else "1 router" if routers == 1 else f"{routers} routers"
