"""HO805: an image is to keep kernel settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctls import find
from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding


class SettingsInImage(Check):
    """An image of a container keeps no kernel settings.

    ## What it finds
    `RUN` of a Dockerfile that writes settings below `net.`, with `sysctl -w` or into a sysctl file; `COPY` and
    `ADD` of a file to /etc/sysctl.conf or below sysctl.d.

    ## Why it matters
    Settings belong to a kernel and a network namespace, not to files of an image. While an image is built /proc/sys is
    read-only, and `sysctl -w` fails; a sysctl file in the image is read by nobody, because no boot takes place in a
    container. The container starts with the kernel's defaults, not even with those of its host.

    ## Evidence
    The line.

    ## Confirm by hand
    `docker run --rm IMAGE cat /proc/sys/net/core/somaxconn`.

    ## Remedy
    Give the setting to the container: `docker run --sysctl net.core.somaxconn=8192`, `sysctls:` in Compose,
    `securityContext.sysctls` in Kubernetes. Settings of the whole machine, such as `net.netfilter.nf_conntrack_max`,
    belong to its host.

    ## When it is wrong
    For an image that is booted, with an init system or as a virtual machine.

    ## References
    docker-run(1), `--sysctl`; Linux `net/ipv4/tcp_ipv4.c`, `tcp_sk_init`.
    """

    code = "HO805"
    name = "settings-in-image"
    severity = "warning"
    harm = "untidy"
    proof = "new-namespace"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, item in context.unread:
            if item.key.startswith("net."):
                why = (
                    "while an image is built /proc/sys is read-only, and settings do not go into it"
                    if item.is_at_once
                    else _UNREAD
                )
                yield self.on(document, item, why, _instead(item.key))
        for document in context.documents:
            for word in document.copied:
                yield self.at(document, (word.line, word.column), word.text, _UNREAD, _give("KEY"))


def _instead(key: str) -> str:
    row = find(key)
    if row is not None and row.scope == "global":
        return "set it on the host: it belongs to the whole machine"
    return _give(key)


def _give(key: str) -> str:
    return (
        f"give it to the container: docker run --sysctl {key}=…, sysctls: of Compose, securityContext.sysctls of "
        "Kubernetes"
    )


_UNREAD = "nobody reads the file when a container starts: it has the kernel's defaults"
