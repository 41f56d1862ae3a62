"""A new network namespace starts with the kernel's own defaults, not with the host's tuning."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.lab.examine import codes_of, hold, snapshot
from halfopen.lab.experiment import Experiment
from halfopen.lab.namespace import Namespace, sysctl_path
from halfopen.lab.traffic import listen
from halfopen.rules.diagnose import diagnose

if TYPE_CHECKING:
    from halfopen.lab.story import Story

#: Key, what the host was tuned to, what the kernel compiles in.
TUNED = (
    ("net.core.somaxconn", "1234", "4096"),
    ("net.ipv4.tcp_tw_reuse", "1", "2"),
    ("net.ipv4.tcp_syncookies", "2", "1"),
    ("net.ipv4.tcp_fin_timeout", "15", "60"),
    ("net.ipv4.ip_local_port_range", "20000 65000", "32768 60999"),
)
#: What a new namespace takes over from the machine's first one (tcp_sk_init, net/ipv4/tcp_ipv4.c).
INHERITED = (
    ("net.ipv4.tcp_rmem", "4096 65536 131072"),
    ("net.ipv4.tcp_wmem", "4096 65536 131072"),
    ("net.ipv4.tcp_congestion_control", "reno"),
)
#: A setting that only the machine's first namespace has.
OF_THE_FIRST = "net.ipv4.tcp_max_orphans"
#: Settings of the whole machine: a namespace lacks them, or shows them read-only.
OF_THE_MACHINE = (OF_THE_FIRST, "net.ipv4.tcp_mem", "net.core.netdev_max_backlog", "net.core.rmem_max")
CODE = "HO216"
#: Drawn, with the unit.
SHOWN = (("net.core.somaxconn", "connections"), ("net.ipv4.tcp_fin_timeout", "seconds"))


def run(story: Story) -> None:
    """Tune a host, make a namespace on it, and look."""
    host = story.network.host("host")
    machine = {key: _of_the_machine(host, key) for key, _ in INHERITED}
    for key, value in (*((key, value) for key, value, _ in TUNED), *INHERITED):
        host.set_sysctl(key, value)
    story.say("A host is tuned. Then a container starts: a new network namespace, made by a process of that host.")
    container = host.run(Namespace, "container")
    story.network.adopt(container)
    with listen(container, "0.0.0.0", 8):  # noqa: S104  (in a namespace that has no link)
        _tell(story, host, container, machine)


def _tell(story: Story, host: Namespace, container: Namespace, machine: dict[str, str]) -> None:
    fresh = {key: _held(container, key) for key, _, _ in TUNED}
    for key, value, default in TUNED:
        story.expect(f"{key} in the container (host: {value})", default, fresh[key])
    _examine(story, host, container, found=True)
    story.say(
        "Three settings are taken over, and not from the host that made it but from the machine's first namespace:"
    )
    for key, value in INHERITED:
        story.expect(f"{key} in the container (host: {value})", machine[key], _held(container, key))
    story.say("Settings of the whole machine cannot be set from there; a container that is given one does not start:")
    for key in OF_THE_MACHINE:
        can = container.run(os.access, sysctl_path(key), os.W_OK)
        story.expect(f"{key} can be written in the container", "no", "yes" if can else "no")
    story.remedy("Set the keys in each namespace: docker run --sysctl, a pod's securityContext, or nsenter.")
    for key, value, _ in TUNED:
        container.set_sysctl(key, value)
        story.expect(f"{key} in the container", value, _held(container, key))
    _examine(story, host, container, found=False)
    for key, unit in SHOWN:
        cases = (
            ("host", _held(host, key)),
            ("its new container", fresh[key]),
            ("when it was set there, too", _held(container, key)),
        )
        story.compare(key, unit, [(case, float(value)) for case, value in cases])


def _of_the_machine(fresh: Namespace, key: str) -> str:
    """The value of the machine's first namespace, where we are in it; else that of a namespace made before."""
    if sysctl_path(OF_THE_FIRST).exists():
        return " ".join(sysctl_path(key).read_text(encoding="ascii").split())
    return _held(fresh, key)


def _held(host: Namespace, key: str) -> str:
    return " ".join(host.sysctl(key).split())


def _examine(story: Story, host: Namespace, container: Namespace, *, found: bool) -> None:
    """The doctor of a machine that has these two namespaces."""
    seen = snapshot(host)
    (outer,), (inner,) = seen.netns, snapshot(container).netns
    spaces = replace(outer, kind="host", name="host"), replace(inner, kind="container", name="container")
    codes = {code for finding in diagnose(replace(seen, netns=spaces)).findings for code in codes_of(finding)}
    hold(story, "host", CODE, expected=found, found=CODE in codes)


EXPERIMENT = Experiment(
    name="new-namespace",
    title="A container does not get the host's tuning",
    claim="The TCP settings of a new network namespace are the kernel's defaults, whatever the host's are; only buffer "
    "sizes and congestion control are taken over, from the machine's first namespace.",
    run=run,
    proves=(CODE,),
    hosts=("host", "container"),
)
