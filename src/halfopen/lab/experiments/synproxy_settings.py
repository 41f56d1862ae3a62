"""A synproxy rule without the setting that it needs: nobody is let in, and one write mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.programs import nft
from halfopen.lab.story import AtLeast
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import Target, listen
from halfopen.lab.visitors import Doorman, Visitors, visit

if TYPE_CHECKING:
    from halfopen.lab.story import Story

LOOSE = "net.netfilter.nf_conntrack_tcp_loose"
CLIENTS, RATE, PATIENCE_S = 20, 40, 2.5
#: As nft(8) has it, without timestamps (with them newer kernels make each client wait for a second).
RULES = """table inet t {
    chain raw { type filter hook prerouting priority raw
        tcp dport 8000 tcp flags syn notrack
    }
    chain input { type filter hook input priority filter
        tcp dport 8000 ct state invalid,untracked synproxy mss 1460 wscale 7 sack-perm
        ct state invalid drop
    }
}"""


def run(story: Story) -> None:
    """Clients of a server behind synproxy, with loose connection tracking and with strict."""
    net = pair(story.network)
    nft(net.server, RULES)
    net.server.set_sysctl(LOOSE, 1)
    story.say(f"The server is behind a synproxy rule. {LOOSE} is 1, the default. {CLIENTS} clients come.")
    doctor = Examination.begin(net.server)
    story.expect("clients served", 0, _visit(net).served)
    found = doctor.expect(story, "HO603", found=True)

    story.remedy("Make the settings that synproxy needs.")
    doctor.cure(story, found)
    story.expect("clients served", AtLeast(CLIENTS - 2), _visit(net).served)
    doctor.expect(story, "HO603", found=False)


def _visit(net: Pair) -> Visitors:
    door = Doorman(net.server, listen(net.server, net.server_address, CLIENTS))
    visitors = visit(net.client, Target(net.server_address), CLIENTS, RATE, PATIENCE_S)
    door.stop()
    return visitors


EXPERIMENT = Experiment(
    name="synproxy-settings",
    title="synproxy with loose connection tracking lets nobody in",
    claim="With nf_conntrack_tcp_loose=1 the client's ACK begins a connection of its own and never reaches synproxy: "
    "no client is served; with 0 all are.",
    run=run,
    proves=("HO603",),
)
