"""Values that mean nothing, and that the kernel stores without a word: what they do, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctls import ROWS
from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import listener_row
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import PORT, close_all, connect, listen
from halfopen.rules.ho215_nonsense_value import OTHERS

if TYPE_CHECKING:
    from halfopen.lab.story import Story
    from halfopen.model.finding import Finding

SOMAXCONN = "net.core.somaxconn"
ASKED, CLIENTS = 1000, 8
#: So that who is not let in at once is not let in by a second SYN either.
PATIENCE_S = 0.5


def run(story: Story) -> None:
    """Every setting of a host to a value beyond what it is defined for; then somaxconn to 0."""
    net = pair(story.network)
    values = _nonsense()
    was = {key: net.server.sysctl(key) for key in values}
    story.say("A slip of the pen in each of these settings. Does the kernel refuse it?")
    for key, value in values.items():
        net.server.set_sysctl(key, value)
        story.expect(f"{key} after {value} was written", str(value), net.server.sysctl(key))
    doctor = Examination.begin(net.server)
    doctor.expect(story, "HO215", found=True)
    found = _by_key(doctor)
    story.expect("settings of which halfopen doctor says that they mean nothing", len(values), len(found))

    net.server.set_sysctl(SOMAXCONN, 0)
    story.say(f"{SOMAXCONN} is 0. A program calls listen() with {ASKED}, and {CLIENTS} clients come.")
    story.expect("let in: one, the entry more than the limit", 1, _let_in(net, 0))
    low = doctor.expect(story, "HO113", found=True)

    story.remedy("Set what was meant, or the default; and restart the programs that listen.")
    doctor.cure(story, low, *(finding for finding in found.values() if _asks(finding)))
    for key in (key for key, finding in found.items() if not _asks(finding)):
        story.say(f"{key} has no default that is the same everywhere: it goes back to the {was[key]} that it was.")
        net.server.set_sysctl(key, was[key])
    story.expect("let in, of a listener that was started again", CLIENTS, _let_in(net, ASKED))
    doctor.expect(story, "HO215", found=False)
    doctor.expect(story, "HO113", found=False)


def _nonsense() -> dict[str, int]:
    """A value for each setting that a host has for itself: beyond its meaning, and within what is accepted."""
    return {
        row.key: row.accepts[1] if row.accepts[1] > row.sensible[1] else -1
        for row in ROWS
        if row.sensible and row.accepts and "*" not in row.key and row.key not in OTHERS
    }


def _by_key(doctor: Examination) -> dict[str, Finding]:
    return {
        finding.subject.key: finding
        for finding in doctor.findings()
        if finding.code == "HO215" and finding.subject.key is not None
    }


def _asks(finding: Finding) -> bool:
    return finding.remedy is not None and bool(finding.remedy.changes)


def _let_in(net: Pair, limit: int) -> int:
    """Connections that a new listener has within ``PATIENCE_S``; nobody accepts."""
    with listen(net.server, net.server_address, ASKED):
        assert listener_row(net.server, PORT)["accept_queue_limit"] == limit
        attempts = connect(net.client, net.server_address, CLIENTS, timeout_s=PATIENCE_S)
        row = listener_row(net.server, PORT)
        close_all(attempts)
    return int(row["accept_queue"])


EXPERIMENT = Experiment(
    name="nonsense-values",
    title="Settings that mean nothing, and that the kernel accepts",
    claim="The kernel stores tcp_syncookies=255, tcp_fin_timeout=-1 or somaxconn=0 without an error; the last of them "
    "lets a single client wait, whatever the program asked for.",
    run=run,
    proves=("HO113", "HO215"),
)
