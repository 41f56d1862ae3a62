"""Which of the given sysctl files will be read together, and in which directories they will lie."""

from __future__ import annotations

from posixpath import basename, dirname, normpath
from typing import TYPE_CHECKING

from halfopen.knowledge.sysctl_files import DIRECTORIES, SYSCTL_CONF
from halfopen.model.host import Setting, SettingFile

if TYPE_CHECKING:
    from halfopen.lint.context import Context
    from halfopen.lint.document import Document

_DIRECTORY = basename(DIRECTORIES[0])


def trees(context: Context) -> list[list[tuple[SettingFile, Document]]]:
    """Groups of files that one host reads: those below one root (``rootfs/etc/sysctl.d``), or in one directory."""
    groups: dict[str, list[tuple[SettingFile, Document]]] = {}
    for document in context.documents:
        if document.kind != "sysctl":
            continue
        root, path = _placed(document.path)
        settings = tuple(
            Setting(item.line, item.key, item.value, item.ignore_errors)
            for item in document.settings
            if item.value is not None and item.key.startswith("net.")
        )
        # Two files cannot lie in one place: the second is another host's.
        group = groups.setdefault(root, [])
        if any(file.path == path for file, _ in group):
            group = groups.setdefault(document.path, [])
        group.append((SettingFile(path, settings), document))
    return [group for group in groups.values() if len(group) > 1]


def _placed(path: str) -> tuple[str, str]:
    """The root, and the path below it as the host will see it."""
    whole = normpath(path if path.startswith("/") else f"/{path}")
    above, name = dirname(whole), basename(whole)
    if name == basename(SYSCTL_CONF):
        return above.removesuffix("/").removesuffix(dirname(SYSCTL_CONF)), SYSCTL_CONF
    for directory in DIRECTORIES:
        if above.endswith(directory):
            return above.removesuffix(directory), f"{directory}/{name}"
    # «cd /etc; halfopen lint sysctl.conf sysctl.d/*»
    if basename(above) == _DIRECTORY:
        return above.removesuffix(f"/{_DIRECTORY}").removesuffix("/etc"), f"{DIRECTORIES[0]}/{name}"
    return above, whole
