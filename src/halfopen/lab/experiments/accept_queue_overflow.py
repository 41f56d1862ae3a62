"""A full accept queue drops SYNs, and tells nobody but its counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, listener_row
from halfopen.lab.recording import Recording
from halfopen.lab.topology import pair
from halfopen.lab.traffic import close_all, connect, listen
from halfopen.lab.waiting import until
from halfopen.lab.watching import Watching

if TYPE_CHECKING:
    from halfopen.lab.story import Story

BACKLOG = 8
CLIENTS = 100
#: The queue is full when it holds more than its limit: one more than the backlog fits (sk_acceptq_is_full).
FIT = BACKLOG + 1


def run(story: Story) -> None:
    """Fill the queue of a listener that never accepts; then give it a longer one."""
    net = pair(story.network)
    story.say(
        f"The listener's backlog is {BACKLOG}. We open {CLIENTS} connections at once, and nobody calls accept(), as "
        "when an application is busy elsewhere."
    )
    before = Moment.of(net.server)
    doctor = Examination.begin(net.server)
    packets = Recording(net.client)
    listener = listen(net.server, net.server_address, BACKLOG)
    with Watching(lambda: listener_row(net.server)["accept_queue"]) as depth:
        attempts = connect(
            net.client,
            net.server_address,
            CLIENTS,
            until=lambda now: sum(a.connected for a in now) >= FIT,
            timeout_s=0.9,
        )
        until(lambda: before.since("ListenOverflows") >= CLIENTS - FIT, "every SYN to be answered or dropped", 0.9)
    story.figure("Accept queue of a listener that is not accepted from", "seconds", "connections", depth.points)
    row = listener_row(net.server)
    story.expect("clients that are connected: the backlog, and one more", FIT, sum(a.connected for a in attempts))
    story.expect("connections in the accept queue (Recv-Q of the listener)", FIT, row["accept_queue"])
    story.expect("the queue's limit (Send-Q of the listener)", BACKLOG, row["accept_queue_limit"])
    story.expect("ListenOverflows: SYNs that met a full queue", CLIENTS - FIT, before.since("ListenOverflows"))
    story.expect("ListenDrops: the same events again, not others", CLIENTS - FIT, before.since("ListenDrops"))
    story.expect("drops that the listener itself counts (ss -m, d)", CLIENTS - FIT, row["drops"])
    story.expect("clients that were told anything", 0, sum(a.error is not None for a in attempts))
    story.expect(
        "handshakes on the wire, as the tracker sees them",
        f"{FIT} established, {CLIENTS - FIT} unanswered",
        packets.outcomes(),
    )
    doctor.expect(story, "HO101", found=True)

    story.remedy(
        f"Give the listener a backlog that holds the burst: listen(fd, {CLIENTS}), in the application. The kernel's "
        f"own limit, net.core.somaxconn, is {net.server.sysctl('net.core.somaxconn')} and was not the one that decided."
    )
    close_all(attempts)
    listener.close()
    before = Moment.of(net.server)
    doctor = Examination.begin(net.server)
    packets = Recording(net.client)
    listener = listen(net.server, net.server_address, CLIENTS)
    attempts = connect(net.client, net.server_address, CLIENTS)
    story.expect("clients that are connected", CLIENTS, sum(a.connected for a in attempts))
    story.expect("ListenOverflows", 0, before.since("ListenOverflows"))
    story.expect("handshakes on the wire", f"{CLIENTS} established", packets.outcomes())
    doctor.expect(story, "HO101", found=False)
    close_all(attempts)
    listener.close()


EXPERIMENT = Experiment(
    name="accept-queue-overflow",
    title="A full accept queue drops SYNs in silence",
    claim="A listener takes one connection more than its backlog; every SYN beyond is dropped without a word to the "
    "client, and counted once in ListenOverflows and once in ListenDrops.",
    run=run,
    proves=("HO101",),
)
