"""connect() that fails on its own host: no SYN is sent, and the error tells why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyroute2 import IPRoute

from halfopen import _core
from halfopen.lab.closing_first import NO_PORT, PORTS, RANGE, few_ports
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment
from halfopen.lab.topology import add_addresses, add_route
from halfopen.lab.traffic import PORT, Target, close_all, connect, listen

if TYPE_CHECKING:
    from halfopen.lab.story import Story
    from halfopen.lab.topology import Pair

#: RFC 5737's third network: no route of the lab leads there.
NOWHERE, FORBIDDEN, UNREACHABLE, SWALLOWED = (f"203.0.113.{number}" for number in (1, 2, 3, 4))
#: Types of routes that answer with an error, rtnetlink(7).
ROUTES = (
    (FORBIDDEN, "prohibit", "EACCES"),
    (UNREACHABLE, "unreachable", "EHOSTUNREACH"),
    (SWALLOWED, "blackhole", "EINVAL"),
)
WAIT_S = 2.0
DEFAULT_RANGE = "32768 60999"


def run(story: Story) -> None:
    """Targets without a route or with one that says no, and a target for which no port is left."""
    net = few_ports(story)
    for address, kind, _ in ROUTES:
        net.client.run(_add_route, address, kind)
    story.say("A client connects where no packet of it can go:")
    _judge(story, net, NOWHERE, "no route", "ENETUNREACH")
    for address, kind, error in ROUTES:
        _judge(story, net, address, f"a route of type {kind}", error)
    with listen(net.server, net.server_address, 2 * PORTS):
        held = connect(net.client, net.server_address, PORTS)
        story.expect(f"connections to one server, with {PORTS} ports", PORTS, sum(each.connected for each in held))
        _judge(story, net, net.server_address, "no port left", NO_PORT)
        story.remedy("Add the route, or ports: the server, and what is between, have nothing to do with it.")
        net.client.set_sysctl(RANGE, DEFAULT_RANGE)
        net.client.run(add_route, f"{NOWHERE}/32", gateway=net.server_address)
        net.server.run(add_addresses, net.link.ends[1].interface, [(NOWHERE, 32)])
        with listen(net.server, NOWHERE, 8):
            for address in (net.server_address, NOWHERE):
                (attempt,) = connect(net.client, Target(address), timeout_s=WAIT_S)
                story.expect(f"{address}: connected", "yes", "yes" if attempt.connected else "no")
                close_all([attempt])
        close_all(held)


def _judge(story: Story, net: Pair, address: str, what: str, error: str) -> None:
    moment = Moment.of(net.client)
    found = net.client.run(lambda: _core.probe(address, PORT, timeout_s=WAIT_S))
    story.expect(f"{what}: told", error, found["errno"])
    story.expect("  SYNs, by probe", 0, found["syn_sent"])
    story.expect("  packets that left (OutRequests)", 0, moment.since("OutRequests"))


def _add_route(address: str, kind: str) -> None:
    with IPRoute() as route:
        route.route("add", dst=f"{address}/32", type=kind)


EXPERIMENT = Experiment(
    name="not-sent",
    title="connect() that fails before anything was sent",
    claim="Without a route, with one that forbids, and without a port, connect() fails at once with an error of its "
    "own, and no packet leaves.",
    run=run,
)
