"""HO806: a container is given a setting of the whole machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctls.whole_machine import OF_WHOLE_MACHINE
from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding


class HostSettingInContainer(Check):
    """A setting of the whole machine cannot be given to a container.

    ## What it finds
    Keys such as `net.core.netdev_max_backlog`, `net.core.rmem_max`, `net.ipv4.tcp_mem` and
    `net.netfilter.nf_conntrack_max` in `docker run --sysctl`, in `sysctls:` of Compose, and in
    `securityContext.sysctls` of Kubernetes.

    ## Why it matters
    A container has a network namespace of its own, in which these keys are missing or read-only: writing them fails,
    and the container does not start.

    ## Evidence
    The key.

    ## Confirm by hand
    `unshare -rn ls -l /proc/sys/net/core/rmem_max`: no such file, or no w.

    ## Remedy
    Delete the line, and set the key on the host: in its sysctl.d.

    ## When it is wrong
    When a later kernel has made the key a namespace's own.

    ## References
    Linux `net/core/sysctl_net_core.c`, `net/ipv4/sysctl_net_ipv4.c`; measured on 6.18.
    """

    code = "HO806"
    name = "host-setting-in-container"
    severity = "warning"
    harm = "failing"
    proof = "new-namespace"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, item in context.settings(*OF_WHOLE_MACHINE):
            if item.in_container:
                yield self.on(
                    document,
                    item,
                    "it belongs to the whole machine: a container cannot set it, and does not start",
                    "delete the line, and set the key on the host",
                )
