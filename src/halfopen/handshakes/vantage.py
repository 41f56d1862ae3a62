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
    return _by_time(summary, f"{duration(to_server)} to the server and back, {duration(to_client)} to the client")


def _by_time(summary: Summary, legs: str) -> Vantage:
    split = summary.vantage.split
    client, server = split.near_client / split.judged, split.near_server / split.judged
    hops_client, hops_server = _hops(summary.vantage.ttl_client), _hops(summary.vantage.ttl_server)
    if client >= AGREE_MIN:
        return Vantage("client", f"At or near the client: {legs}{_also(hops_client, 'client')}.")
    if server >= AGREE_MIN:
        return Vantage("server", f"At or near the server: {legs}{_also(hops_server, 'server')}.")
    if client >= EACH_SIDE_MIN and server >= EACH_SIDE_MIN and client + server >= AGREE_MIN:
        near = share(split.near_client, split.judged)
        return Vantage(
            "both", f"Beside a host that both opens and accepts: near the client in {near} of the handshakes."
        )
    if client + server <= 1 - AGREE_MIN:
        hops = (
            f"; {hops_client} on the client's side, {hops_server} on the server's"
            if hops_client and hops_server
            else ""
        )
        return Vantage("middle", f"Between client and server: {legs}{hops}.")
    return _by_ttl(summary, "the split of the round trip differs from handshake to handshake")


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


def _hops(ttls: Ttls) -> str | None:
    if not ttls.known or ttls.hops_p50 is None:
        return None
    hops = round(ttls.hops_p50)
    return "no router" if hops == 0 else "1 router" if hops == 1 else f"{hops} routers"


def _also(hops: str | None, side: str) -> str:
    return f"; {hops} between it and the {side}" if hops else ""
