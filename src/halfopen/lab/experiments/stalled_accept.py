"""A pause in accept() that the queue cannot bridge costs some clients one second, others two, and nobody an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, listener_row
from halfopen.lab.story import AtLeast
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import Target, close_all, connect, listen
from halfopen.lab.visitors import Doorman, Visitors, visit
from halfopen.lab.waiting import stopwatch, until
from halfopen.lab.watching import Watching

if TYPE_CHECKING:
    from halfopen.lab.story import Story

RATE, VISITORS = 20, 60
STALL_S = 2.2
NEEDED = round(RATE * STALL_S)
#: Nearly full, and nobody dropped.
BACKLOG, WAITING = 8, 7
ROOM = 128
#: Between two looks at the queue: often enough to see each client come.
WATCH_S = 0.01
#: Enough for three SYNs of any kernel: after 1, 2 and 3 s, or after 1, 3 and 7 s.
PATIENCE_S = 10.0
#: From here on a SYN was sent again (RFC 6298: after 1 s). And below here none was, on a busy machine either.
AGAIN_S, AT_ONCE_S = 0.9, 0.8


def run(story: Story) -> None:
    """Stop accepting for a while, with a short queue and with one that holds what comes meanwhile."""
    net = pair(story.network)
    story.say(f"{WAITING} clients wait in a queue of {BACKLOG}: it has not dropped anybody yet.")
    with listen(net.server, net.server_address, BACKLOG):
        waiting = connect(net.client, net.server_address, WAITING)
        Examination.begin(net.server).expect(story, "HO109", found=True, when="while they wait")
        close_all(waiting)
    story.say(
        f"{RATE} clients a second come. The application does not call accept() for {STALL_S} s: a garbage collection, "
        f"a reload, a control group that throttles. {RATE} x {STALL_S} is {NEEDED}; the backlog is {BACKLOG}."
    )
    moment = Moment.of(net.server)
    visitors = _stall(story, net, BACKLOG)
    times = visitors.connected_s
    slow = [seconds for seconds in times if seconds >= AGAIN_S]
    story.expect(f"clients that were connected, of {VISITORS}", VISITORS, len(times))
    story.expect("  at once", AtLeast(BACKLOG), sum(seconds <= AT_ONCE_S for seconds in times))
    story.expect("  after a second or more", AtLeast(10), len(slow))
    story.expect("  with a time in between", 0,
                 len(times) - len(slow) - sum(seconds <= AT_ONCE_S for seconds in times))  # fmt: skip
    story.expect("clients that were told an error", 0, VISITORS - len(times))
    story.expect("ListenOverflows: dropped SYNs, repeated ones too", AtLeast(10),
                 moment.since("ListenOverflows"))  # fmt: skip
    story.figure(f"Connect latency with a backlog of {BACKLOG}, sorted", "clients", "seconds", list(enumerate(times)))

    story.remedy(
        f"Give the listener a backlog of rate x longest pause and then some: {ROOM}. And find out why the application "
        "pauses: the queue only hides it."
    )
    moment = Moment.of(net.server)
    visitors = _stall(story, net, ROOM)
    times = visitors.connected_s
    story.expect(f"clients that were connected at once, of {VISITORS}", VISITORS,
                 sum(seconds <= AT_ONCE_S for seconds in times))  # fmt: skip
    story.expect("ListenOverflows", 0, moment.since("ListenOverflows"))
    story.expect("but the first byte came late: median milliseconds", AtLeast(200), visitors.median_ms)


def _stall(story: Story, net: Pair, backlog: int) -> Visitors:
    """Visitors of a server that begins to accept late; the doctor looks before that and afterwards."""
    listener = listen(net.server, net.server_address, backlog)
    with Watching(lambda: listener_row(net.server)["accept_queue"], WATCH_S) as depth:
        task = net.client.start(visit, net.client, Target(net.server_address), VISITORS, RATE, PATIENCE_S)
        elapsed = stopwatch()
        until(lambda: elapsed() >= STALL_S, "the pause to end")
        doctor = Examination.begin(net.server)
        doctor.expect(story, "HO104", found=True, when="at the end of the pause")
        if backlog >= NEEDED:
            doctor.expect(story, "HO109", found=False, when="at the end of the pause")
        if backlog < NEEDED:
            story.pitfall()
        door = Doorman(net.server, listener)
        visitors = task.result(60.0)
        until(lambda: listener_row(net.server)["accept_queue"] == 0, "the queue to be empty")
    story.figure(f"Accept queue with a backlog of {backlog}", "seconds", "connections", depth.points)
    Examination.begin(net.server).expect(story, "HO104", found=False, when="once the queue is empty again")
    door.stop()
    return visitors


EXPERIMENT = Experiment(
    name="stalled-accept",
    title="A pause in accept() costs clients one second or two, and nobody is told",
    claim="The accept queue has to hold rate x longest pause; whoever comes when it is full has to send his SYN "
    "again after one second, and perhaps another, and no client gets an error.",
    run=run,
    proves=("HO104", "HO109"),
)
