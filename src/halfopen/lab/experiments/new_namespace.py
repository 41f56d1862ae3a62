"""A new network namespace starts with the kernel's own defaults, not with the host's tuning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.experiment import Experiment
from halfopen.lab.namespace import Namespace

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


def run(story: Story) -> None:
    """Tune a host, make a namespace on it, and look."""
    host = story.network.host("host")
    for key, value, _ in TUNED:
        host.set_sysctl(key, value)
    story.say("A host is tuned. Then a container starts: a new network namespace, made by a process of that host.")
    container = host.run(Namespace, "container")
    try:
        for key, value, default in TUNED:
            story.expect(f"{key} in the container (host: {value})", default, " ".join(container.sysctl(key).split()))
        story.remedy("Set the keys in each namespace: docker run --sysctl, a pod's securityContext, or nsenter.")
        for key, value, _ in TUNED:
            container.set_sysctl(key, value)
            story.expect(f"{key} in the container", value, " ".join(container.sysctl(key).split()))
    finally:
        container.close()


EXPERIMENT = Experiment(
    name="new-namespace",
    title="A container does not get the host's tuning",
    claim="The TCP settings of a new network namespace are the kernel's defaults, whatever the host's are.",
    run=run,
    proves=("HO216",),
)
