"""How network namespaces are called: after the container, pod, mount or systemd unit that lives in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.collect.cgroup import Identity, cgroup_of, identify
from halfopen.collect.runtime_state import RuntimeState
from halfopen.collect.text import read_text, readable_name
from halfopen.model.snapshot import NamespaceKind, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halfopen.collect.places import Place
    from halfopen.collect.roots import Roots

ID_SHOWN = 12
"""Digits of a container's id that runtimes show themselves."""


def name_all(places: Sequence[Place], roots: Roots) -> list[Unavailable]:
    """Give every place its name and kind; two never have the same name. Returns what could not be known."""
    state, nameless = RuntimeState(roots), 0
    for place in places:
        place.kind, name, known = _name(place, roots, state)
        place.name = readable_name(name)
        nameless += not known
    _tell_apart(places)
    return [Unavailable("names of containers", _why(nameless))] if nameless else []


def _why(nameless: int) -> str:
    return f"no container runtime left the state of {nameless} of them where it can be read; they go by their ids"


def _name(place: Place, roots: Roots, state: RuntimeState) -> tuple[NamespaceKind, str, bool]:
    """Kind, name, and whether the name is what an administrator calls it."""
    if place.first:
        return "host", "host", True
    identities = list(_identities(place, roots))
    for identity in identities:
        if identity.pod or identity.container:
            return _of_container(identity, state)
    if place.path is not None:
        return "named", place.path.rpartition("/")[2], True
    for identity in identities:
        if identity.unit and identity.unit.endswith(".service"):
            return "unit", identity.unit, True
    if place.pids:
        return "other", f"{_comm(place.pids[0], roots)} (pid {place.pids[0]})", True
    if place.holder is not None:
        return "other", f"held by {_comm(place.holder, roots)} (pid {place.holder})", True
    return "other", f"inode {place.inode}", True


def _of_container(identity: Identity, state: RuntimeState) -> tuple[NamespaceKind, str, bool]:
    known = state.of(identity.container) if identity.container else None
    if identity.pod or (known and known.pod):
        pod = known.pod if known else None
        return "pod", pod or f"pod {identity.pod}", pod is not None
    name = known.container if known else None
    container = identity.container or ""
    is_id = len(container) == 64
    return "container", name or (container[:ID_SHOWN] if is_id else container), name is not None or not is_id


def _identities(place: Place, roots: Roots) -> Iterator[Identity]:
    for pid in place.pids:
        try:
            path = cgroup_of(read_text(f"{roots.proc}/{pid}/cgroup"))
        except OSError:  # it ended
            continue
        if path:
            yield identify(path)


def _comm(pid: int, roots: Roots) -> str:
    try:
        return read_text(f"{roots.proc}/{pid}/comm").removesuffix("\n")
    except OSError:
        return "process"


def _tell_apart(places: Sequence[Place]) -> None:
    seen: set[str] = set()
    for place in places:
        if place.name in seen:
            place.name = f"{place.name} #{place.inode}"
        seen.add(place.name)
