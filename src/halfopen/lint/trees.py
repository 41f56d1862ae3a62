"""Which of the given sysctl files will be read together, and in which directories they will lie."""

from __future__ import annotations

from posixpath import basename, dirname
from typing import TYPE_CHECKING

from halfopen.knowledge.sysctl_files import DIRECTORIES, SYSCTL_CONF
from halfopen.model.host import Setting, SettingFile

if TYPE_CHECKING:
    from halfopen.lint.context import Context
    from halfopen.lint.document import Document


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
        groups.setdefault(root, []).append((SettingFile(path, settings), document))
    return [group for group in groups.values() if len(group) > 1]


def _placed(path: str) -> tuple[str, str]:
    """The root, and the path below it as the host will see it."""
    whole = path if path.startswith("/") else f"/{path}"
    if whole.endswith(SYSCTL_CONF):
        return whole.removesuffix(SYSCTL_CONF), SYSCTL_CONF
    for directory in DIRECTORIES:
        if dirname(whole).endswith(directory):
            return dirname(whole).removesuffix(directory), f"{directory}/{basename(whole)}"
    return dirname(whole), whole
