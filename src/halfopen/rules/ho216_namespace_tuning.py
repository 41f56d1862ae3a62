"""HO216: the host was tuned, and a container has the kernel's defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctls import ROWS
from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import listed, plural
from halfopen.rules.files import same_value
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.knowledge.sysctls import Sysctl
    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space

STEPS = (
    "Docker and Podman: `--sysctl net.core.somaxconn=…` for the container.",
    "Kubernetes: `securityContext.sysctls` of the pod; the kubelet has to allow unsafe ones.",
)


class NamespaceTuning(Rule):
    """The host was tuned, and a network namespace that serves or connects still has the kernel's defaults.

    ## What it finds
    A namespace with sockets in which settings that were changed on the host have their defaults.

    ## Why it matters
    A new network namespace gets the defaults that are compiled into the kernel, not the values of the host (save for
    buffer sizes and congestion control). So `somaxconn`, port ranges and retries that were set on the host reach no
    container, and the service in it runs with other limits than everybody believes.

    ## Evidence
    The values on the host, in the namespace, and the default.

    ## Confirm by hand
    `nsenter -t PID -n sysctl KEY`. (`/proc/PID/root/proc/sys` shows the reader's own namespace.)

    ## Remedy
    Set them where the container is made. If the container needs none of it, nothing is wrong.

    ## When it is wrong
    The host's tuning is meant for the host only.

    ## References
    Linux `net/ipv4/tcp_ipv4.c` `tcp_sk_init`; Documentation/networking/ip-sysctl.rst.
    """

    code = "HO216"
    name = "namespace-without-tuning"
    severity = "notice"
    harm = "risk"
    proof = "new-namespace"
    needs = ("sysctls",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for namespaces that lack the same settings."""
        host = context.host
        if host is None:
            return
        tuned = [row for row in ROWS if _is_tuned(host, row)]
        lacking: dict[tuple[str, ...], list[Space]] = {}
        for space in context.spaces:
            keys = tuple(row.key for row in tuned if _lacks(host, space, row))
            if keys and _in_use(space):
                lacking.setdefault(keys, []).append(space)
        for keys, spaces in lacking.items():
            yield self._at(host, keys, spaces)

    def _at(self, host: Space, keys: tuple[str, ...], spaces: list[Space]) -> Finding:
        first, more = spaces[0], spaces[1:]
        also = f" ({plural(len(more), 'more namespace')} likewise)" if more else ""
        return self.finding(
            first.whole(),
            f"{plural(len(keys), 'setting')} of the host {'has' if len(keys) == 1 else 'have'} not reached it, among "
            "them "
            f"{listed(list(keys))}{also}.",
            [
                Evidence(key, f"{first.now.sysctls[key]}, on the host {host.now.sysctls[key]}", None, "sysctl")
                for key in keys[:10]
            ],
            remedy=Remedy("Set what the service needs where its container is made.", (), STEPS),
            confirm=first.command(f"sysctl {keys[0]}"),
        )


def _is_tuned(host: Space, row: Sysctl) -> bool:
    value = host.now.sysctls.get(row.key)
    return (
        row.scope == "namespace"
        and row.default is not None
        and not row.read_only
        and value is not None
        and not same_value(value, row.default)
    )


def _lacks(host: Space, space: Space, row: Sysctl) -> bool:
    value = space.now.sysctls.get(row.key)
    return space is not host and value is not None and row.default is not None and same_value(value, row.default)


def _in_use(space: Space) -> bool:
    """Whether anything listens or connects there."""
    return bool(space.listening or space.destinations)
