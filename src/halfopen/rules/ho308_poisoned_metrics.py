"""HO308: the kernel remembers a round trip that was none, and starts new connections with a long timer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import duration
from halfopen.rules.policy_routing import Flow
from halfopen.rules.routing import route_to
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Confidence, Finding
    from halfopen.model.network import TcpMetric
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space

#: No network that a host is attached to itself has that; a handshake with one lost packet leaves more.
ATTACHED_US_MIN = 100_000
#: Above every path but those over a satellite.
DISTANT_US_MIN = 700_000
#: The first timer is the remembered round trip and twice that again (tcp_init_metrics).
TIMER_FACTOR = 3
#: Peers that are named; of the rest the number is told.
NAMED_MAX = 20


class PoisonedMetrics(Rule):
    """The kernel remembers a round trip that was none, and starts connections to that peer with a long timer.

    ## What it finds
    An entry of `ip tcp_metrics` with a round trip of 100 ms and more to a peer on a network of this host's own, or of
    700 ms and more to any other.

    ## Why it matters
    One handshake that lost a packet leaves a round trip that contains the wait. The next connection to that address
    starts with three times that as its retransmission timer: a lost packet then costs seconds instead of 200 ms, on a
    path of microseconds.

    ## Evidence
    The remembered round trip, its age, and the route.

    ## Confirm by hand
    `ip tcp_metrics show ADDRESS`, beside `ping ADDRESS`.

    ## Remedy
    `ip tcp_metrics delete ADDRESS` forgets it at once. Where losses are frequent, `tcp_no_metrics_save=1` keeps the
    kernel from remembering; Fast Open cookies are kept all the same.

    ## When it is wrong
    A peer behind a satellite, or one that is reached over a tunnel with long queues.

    ## References
    Linux `net/ipv4/tcp_metrics.c` `tcp_init_metrics`, `tcp_update_metrics`; ip-tcp_metrics(8).
    """

    code = "HO308"
    name = "poisoned-tcp-metrics"
    severity = "notice"
    harm = "slow"
    proof = "poisoned-metrics"
    needs = ("tcp_metrics",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each peer, up to a limit."""
        for space in context.spaces:
            found = [(metric, how) for metric in space.now.tcp_metrics if (how := _judge(space, metric))]
            for metric, confidence in found[:NAMED_MAX]:
                yield self._at(space, metric, confidence)

    def _at(self, space: Space, metric: TcpMetric, confidence: Confidence) -> Finding:
        round_trip = metric.rtt_us or 0
        timer = duration(round_trip * TIMER_FACTOR)
        return self.finding(
            space.subject("destination", metric.destination, address=metric.destination),
            f"A round trip of {duration(round_trip)} is remembered for this peer: new connections begin with a timer "
            f"of {timer}.",
            (
                Evidence("remembered round trip", round(round_trip / 1000, 1), "ms", "tcp_metrics"),
                None
                if metric.age_ms is None
                else Evidence("remembered for", round(metric.age_ms / 1000), "s", "tcp_metrics"),
            ),
            remedy=Remedy("Forget it.", (), (f"`{space.command(f'ip tcp_metrics delete {metric.destination}')}`",)),
            confirm=space.command(f"ip tcp_metrics show {metric.destination}"),
            confidence=confidence,
        )


def _judge(space: Space, metric: TcpMetric) -> Confidence | None:
    round_trip = metric.rtt_us or 0
    if round_trip < ATTACHED_US_MIN:
        return None
    found = route_to(space.now, Flow(metric.destination, metric.source)).route
    if found is not None and found.gateway is None and found.kind in {"unicast", "local"}:
        return "likely"
    return "possible" if round_trip >= DISTANT_US_MIN else None
