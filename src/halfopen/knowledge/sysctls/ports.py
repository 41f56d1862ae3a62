"""Settings of the choice of local ports."""

from __future__ import annotations

from halfopen.knowledge.kernel_version import KernelVersion
from halfopen.knowledge.sysctls.row import Sysctl

ROWS = (
    Sysctl(
        key="net.ipv4.ip_local_port_range",
        default="32768 60999",
        accepts=(1, 65535),
        count=2,
        effect="bind",
        does="The ports that connect() and bind(0) choose from, for each source, destination and its port anew.",
        myth="1024 65535 costs nothing; services that listen in it may find their port taken",
        facts=(50, 51, 52, 57),
    ),
    Sysctl(
        key="net.ipv4.ip_local_reserved_ports",
        default="",
        count=0,
        effect="bind",
        does="Ports that are never chosen automatically; a write longer than 4095 bytes is cut silently.",
        facts=(56,),
    ),
    Sysctl(
        key="net.ipv4.ip_unprivileged_port_start",
        default="1024",
        accepts=(0, 65535),
        effect="bind",
        does="The first port that needs no privilege; ip_local_port_range may not begin below it, nor it end above.",
        facts=(57,),
    ),
    Sysctl(
        key="net.ipv4.ip_autobind_reuse",
        default="0",
        accepts=(0, 1),
        since=KernelVersion(5, 7),
        effect="bind",
        does="Lets bind(0) share ports between SO_REUSEADDR sockets; for tests, and unreliable.",
        facts=(58,),
    ),
)
