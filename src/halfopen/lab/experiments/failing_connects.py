"""Connects that fail at once, because nobody listens, and again and again, because the program does not give up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import close_all, connect, listen

if TYPE_CHECKING:
    from halfopen.lab.story import Story

CONNECTS = 20


def run(story: Story) -> None:
    """A client that connects to a port where nobody listens, and then somebody does."""
    net = pair(story.network)
    story.say(f"A program connects {CONNECTS} times to a port of the server where nobody listens.")
    doctor, moment = Examination.begin(net.client), Moment.of(net.client)
    story.expect("connects that were refused", CONNECTS, _errors(net).count("ECONNREFUSED"))
    story.expect("AttemptFails on the client", CONNECTS, moment.since("AttemptFails"))
    story.expect("ActiveOpens", CONNECTS, moment.since("ActiveOpens"))
    doctor.expect(story, "HO309", found=True)
    Examination.begin(net.server).expect(story, "HO309", found=False)

    story.remedy("Find the program and its destination, and start what it looks for.")
    listener = listen(net.server, net.server_address, CONNECTS)
    doctor, moment = Examination.begin(net.client), Moment.of(net.client)
    story.expect("connects that failed", 0, sum(error is not None for error in _errors(net)))
    story.expect("AttemptFails on the client", 0, moment.since("AttemptFails"))
    doctor.expect(story, "HO309", found=False)
    listener.close()


def _errors(net: Pair) -> list[str | None]:
    attempts = connect(net.client, net.server_address, CONNECTS)
    close_all(attempts)
    return [attempt.error for attempt in attempts]


EXPERIMENT = Experiment(
    name="failing-connects",
    title="Connects that are refused, and the counter that tells",
    claim="A refused connect moves AttemptFails beside ActiveOpens on the client's side, and nothing on the server's "
    "that would tell it from a scan.",
    run=run,
    proves=("HO309",),
)
