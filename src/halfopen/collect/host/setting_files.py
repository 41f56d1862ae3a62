"""The files that set kernel parameters at boot: sysctl.d of five directories, and ``/etc/sysctl.conf`` (fact 122).

All of them are kept, hidden and overridden ones too: who wins is computed by ``knowledge.sysctl_files``. A link keeps
where it points to, because systemd reads ``/etc/sysctl.conf`` only through one.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.collect.framework import Collector, Context
from halfopen.collect.text import read_text, readable_name
from halfopen.knowledge.sysctl_files import DIRECTORIES, SYSCTL_CONF
from halfopen.knowledge.sysctl_text import settings
from halfopen.knowledge.sysctls.secrets import shown
from halfopen.model.host import SettingFile

if TYPE_CHECKING:
    from pathlib import Path

    from halfopen.model.host import Setting

FILE_BYTES = 1 << 20
FILES_MAX = 500


def collect(context: Context) -> tuple[SettingFile, ...]:
    """Read them; a file that may not be read is a gap, a directory that does not exist is none."""
    found, seen = [], set[str]()
    for directory in DIRECTORIES:
        place = context.host.roots.file(directory)
        real = os.path.realpath(place)
        if real not in seen:  # /lib is a link to /usr/lib where the two are merged
            seen.add(real)
            found += [(f"{directory}/{name}", place / name) for name in _names(place)]
    found.append((SYSCTL_CONF, context.host.roots.file(SYSCTL_CONF)))
    if len(found) > FILES_MAX:
        context.missing("files that set kernel parameters", f"only {FILES_MAX} of {len(found)} were read")
    files = (_read(context, readable_name(name), path) for name, path in found[:FILES_MAX])
    return tuple(file for file in files if file is not None)


def _names(directory: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(directory) if name.endswith(".conf"))  # noqa: PTH208
    except OSError:
        return []


def _without_secret(setting: Setting) -> Setting:
    """A snapshot is passed on; a key of Fast Open cookies in a file is as secret as the running one (fact F118)."""
    return replace(setting, value=shown(setting.key, setting.value))


def _read(context: Context, name: str, path: Path) -> SettingFile | None:
    try:
        target = readable_name(str(path.readlink())) if path.is_symlink() else None
        return SettingFile(name, tuple(map(_without_secret, settings(read_text(path, FILE_BYTES)))), target)
    except FileNotFoundError:  # no sysctl.conf, or a link that leads nowhere
        return None
    except OSError as error:
        context.missing(f"settings of {name}", error.strerror or str(error))
        return None


COLLECTOR = Collector("setting_files", "setting_files", "files that set kernel parameters", collect)
