"""Names of containers and pods, from the files that container runtimes keep of what runs. No runtime is asked.

Docker: ``/var/lib/docker/containers/<id>/config.v2.json``. containerd (CRI, nerdctl): the bundle's ``config.json``
below ``/run/containerd``. CRI-O: the same below ``/run/containers``. Podman: its list in ``/var/lib/containers``. All
of them need root.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from halfopen.collect.text import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from halfopen.collect.roots import Roots

_POD = (("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri.sandbox-name"),
        ("io.kubernetes.pod.namespace", "io.kubernetes.pod.name"))  # fmt: skip
_CONTAINER = ("io.kubernetes.cri.container-name", "io.kubernetes.container.name", "nerdctl/name")


@dataclass(frozen=True, slots=True)
class Known:
    """What a runtime says of a container."""

    container: str | None = None
    pod: str | None = None
    """``default/web-5d9c``."""


class RuntimeState:
    """Looks containers up; each file is read when it is first needed."""

    def __init__(self, roots: Roots) -> None:
        self._roots = roots

    def of(self, container: str) -> Known | None:
        """What is known of a container by its id; None when no runtime's state could be read. Never raises."""
        docker = _json(self._roots.file(f"/var/lib/docker/containers/{container}/config.v2.json"))
        if isinstance(docker, dict) and isinstance(docker.get("Name"), str):
            return Known(docker["Name"].lstrip("/"))
        for bundle in self._bundles(container):
            if known := _from_annotations(_json(bundle)):
                return known
        name = self._podman.get(container)
        return Known(name) if name else None

    def _bundles(self, container: str) -> Iterator[Path]:
        yield from self._roots.file("/run/containerd/io.containerd.runtime.v2.task").glob(f"*/{container}/config.json")
        yield self._roots.file(f"/run/containers/storage/overlay-containers/{container}/userdata/config.json")

    @cached_property
    def _podman(self) -> dict[str, str]:
        listed = _json(self._roots.file("/var/lib/containers/storage/overlay-containers/containers.json"))
        if not isinstance(listed, list):
            return {}
        entries = [entry for entry in listed if isinstance(entry, dict) and entry.get("names")]
        return {str(entry.get("id")): str(entry["names"][0]) for entry in entries if isinstance(entry["names"], list)}


def _from_annotations(config: Any) -> Known | None:  # noqa: ANN401  (any JSON)
    annotations = config.get("annotations") if isinstance(config, dict) else None
    if not isinstance(annotations, dict):
        return None
    pod = next(
        (f"{annotations[a]}/{annotations[b]}" for a, b in _POD if annotations.get(a) and annotations.get(b)), None
    )
    name = next((str(annotations[key]) for key in _CONTAINER if annotations.get(key)), None)
    return Known(name, pod) if name or pod else None


def _json(path: Path) -> Any:  # noqa: ANN401  (any JSON)
    import msgspec

    try:
        return msgspec.json.decode(read_bytes(path))
    except (OSError, msgspec.DecodeError):  # not this runtime's container, or not ours to read: the next one
        return None
