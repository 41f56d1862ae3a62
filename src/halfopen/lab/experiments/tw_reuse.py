"""What tcp_tw_reuse does with its values 0, 1 and 2, after which time, and what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.closing_first import NO_PORT, PORTS, RANGE, few_ports, once
from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment, hosts_of_pairs
from halfopen.lab.observe import Moment, states
from halfopen.lab.story import Between
from halfopen.lab.topology import Pair
from halfopen.lab.traffic import listen
from halfopen.lab.waiting import stopwatch, until

if TYPE_CHECKING:
    import socket

    from halfopen.lab.story import Story

REUSE = "net.ipv4.tcp_tw_reuse"
DELAY = "net.ipv4.tcp_tw_reuse_delay"
TIMESTAMPS = "net.ipv4.tcp_timestamps"
#: Of kernels before 6.14, which counted in whole seconds.
FIXED_MS = 1000
#: Shorter than the default of tcp_tw_reuse_delay; and how late we may notice.
SHORT_MS, LATE_S = 300, 0.6
LOOPBACK = "127.0.0.1"


def run(story: Story) -> None:
    """The three values against used-up ports, on a link and on loopback; then without timestamps."""
    net = few_ports(story)
    delay_ms = int(net.client.sysctl(DELAY)) if net.client.has_sysctl(DELAY) else FIXED_MS
    story.say(
        f"A client has {PORTS} ports ({RANGE}), and all of them are in TIME_WAIT: it has closed so many connections to "
        f"one server. They are older than {delay_ms} ms."
    )
    with listen(net.server, net.server_address, 64) as listener:
        _old(story, net, listener, delay_ms)
        for value, meaning in ((0, "off"), (2, "the default: for loopback addresses")):
            net.client.set_sysctl(REUSE, value)
            story.expect(f"{REUSE} = {value}, {meaning}: the next connection", NO_PORT, once(net, listener))
        story.pitfall()
    _loopback(story, delay_ms)
    story.say(f"{REUSE} = 1, on clients whose ports are used up at once:")
    for wanted in (delay_ms, SHORT_MS) if net.client.has_sysctl(DELAY) else (delay_ms,):
        _reuse_after(story, wanted)
    bare = _reuse_without(story, delay_ms)
    Examination.begin(bare.client).expect(story, "HO206", found=True)
    story.remedy(
        f"Set {REUSE} to 1 where many connections are opened, and leave {TIMESTAMPS} at 1. On a server it does nothing."
    )
    net.client.set_sysctl(REUSE, 1)
    with listen(net.server, net.server_address, 64) as listener:
        moment = Moment.of(net.client)
        story.expect("the first of these clients: the next connection", "connected", once(net, listener) or "connected")
        story.expect("  TWRecycled: ports that were reused", 1, moment.since("TWRecycled"))
    bare.client.set_sysctl(TIMESTAMPS, 1)
    Examination.begin(bare.client).expect(story, "HO206", found=False)


def _old(story: Story, net: Pair, listener: socket.socket, delay_ms: int) -> None:
    """Use every port up, and let the TIME_WAITs grow older than the delay."""
    moment = Moment.of(net.client)
    worked = sum(once(net, listener) is None for _ in range(PORTS))
    age = stopwatch()
    story.expect("connections that worked", PORTS, worked)
    until(lambda: age() > 2 * delay_ms / 1000, "twice that time to pass")
    story.expect("sockets in TIME_WAIT", PORTS, states(net.client).get("TIME_WAIT", 0))
    story.expect("  TWRecycled: ports that were reused meanwhile", 0, moment.since("TWRecycled"))


def _loopback(story: Story, delay_ms: int) -> None:
    story.say(f"With {REUSE} = 2, and a server on {LOOPBACK}:")
    net = few_ports(story, " on loopback")
    net.client.set_sysctl(REUSE, 2)
    with listen(net.client, LOOPBACK, 64) as listener:
        _reused(story, Pair(net.client, net.client, net.link), listener, delay_ms)


def _reuse_after(story: Story, delay_ms: int) -> None:
    net = few_ports(story, f" with {delay_ms} ms")
    net.client.set_sysctl(REUSE, 1)
    if net.client.has_sysctl(DELAY):
        net.client.set_sysctl(DELAY, delay_ms)
    with listen(net.server, net.server_address, 64) as listener:
        _reused(story, net, listener, delay_ms)


def _reused(story: Story, net: Pair, listener: socket.socket, delay_ms: int) -> None:
    """How old the oldest TIME_WAIT is when its port is taken again."""
    moment, age, opened = Moment.of(net.client), stopwatch(), 1
    once(net, listener)
    while once(net, listener) is None and not moment.since("TWRecycled"):
        opened += 1
    refused_s, delay_s = age(), delay_ms / 1000
    until(lambda: moment.since("TWRecycled") or once(net, listener) is None, "a port to be free again", 5.0)
    within = Between(delay_s, delay_s + LATE_S)
    story.expect(f"{delay_ms} ms: seconds of TIME_WAIT when a port was taken again", within, age())
    if refused_s < delay_s:
        story.expect("  connections before that", PORTS, opened)
    story.expect("  TWRecycled: ports that were reused", 1, moment.since("TWRecycled"))


def _reuse_without(story: Story, delay_ms: int) -> Pair:
    """A client that never had time stamps; a connection that reuses a port inherits that the old one had some."""
    story.say(f"With {TIMESTAMPS} = 0 it can do nothing for connections that had none:")
    net = few_ports(story, " without timestamps")
    for key, value in ((REUSE, 1), (TIMESTAMPS, 0)):
        net.client.set_sysctl(key, value)
    with listen(net.server, net.server_address, 64) as listener:
        _old(story, net, listener, delay_ms)
        story.expect("the next connection", NO_PORT, once(net, listener))
    return net


EXPERIMENT = Experiment(
    name="tw-reuse",
    title="tcp_tw_reuse: whom it helps, after which time, and what it needs",
    claim="tcp_tw_reuse=1 lets connect() take a port whose TIME_WAIT is a second old (tcp_tw_reuse_delay since Linux "
    "6.14), if the connection had timestamps; 2 does so for loopback addresses only, 0 never.",
    run=run,
    proves=("HO206",),
    hosts=hosts_of_pairs("", " on loopback", " with 1000 ms", " with 300 ms", " without timestamps"),
)
