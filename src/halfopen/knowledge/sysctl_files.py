"""Who wins when several files set the same kernel setting (fact F122).

systemd-sysctl and ``sysctl --system`` agree on the directories: a file hides those of the same name in later ones
(/etc, /run, /usr/local/lib, /usr/lib), all others are applied in the order of their names, and the last word wins. They
differ in /etc/sysctl.conf: ``sysctl --system`` applies it last, systemd-sysctl reads it only where a symbolic link in
sysctl.d points to it, in that link's place.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from posixpath import basename, dirname, join, normpath
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halfopen.model.host import Setting, SettingFile

Reader = Literal["systemd-sysctl", "sysctl --system"]

DIRECTORIES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
"""Where files are looked for; of two with one name the earlier directory's counts."""
SYSCTL_CONF = "/etc/sysctl.conf"

LATE_PREFIXES = ("net.netfilter.", "net.nf_conntrack_max", "net.bridge.", "net.ipv4.netfilter.")
"""Keys that exist once a module is loaded: boot skips them in silence when it is not yet (fact F123)."""


@dataclass(frozen=True, slots=True)
class Place:
    """One line of one file."""

    path: str
    line: int
    value: str

    def __str__(self) -> str:
        """``/etc/sysctl.d/99-a.conf:3``."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one reader makes of one key."""

    key: str
    winner: Place
    overridden: tuple[Place, ...] = ()
    """Lines that set the key before, in the order in which they are applied."""

    @property
    def duplicates(self) -> tuple[Place, ...]:
        """Overridden lines of the winner's own file."""
        return tuple(place for place in self.overridden if place.path == self.winner.path)


def applied(files: Iterable[SettingFile], reader: Reader) -> list[SettingFile]:
    """The files in the order in which ``reader`` applies them, without the hidden ones."""
    given = list(files)
    by_name: dict[str, SettingFile] = {}
    for file in sorted((file for file in given if file.path != SYSCTL_CONF), key=_rank):
        by_name.setdefault(basename(file.path), file)
    ordered = [by_name[name] for name in sorted(by_name) if name.endswith(".conf")]
    conf = next((file for file in given if file.path == SYSCTL_CONF), None)
    if conf is not None and reader == "sysctl --system":
        ordered.append(conf)
    return ordered


def hidden(files: Iterable[SettingFile]) -> dict[str, str]:
    """{path of a file that is not read at all: path of the one with its name that is read instead}."""
    given = list(files)
    read = {basename(file.path): file.path for file in applied(given, "systemd-sysctl")}
    return {
        file.path: read[basename(file.path)]
        for file in given
        if file.path != SYSCTL_CONF and read.get(basename(file.path), file.path) != file.path
    }


def outcomes(files: Iterable[SettingFile], reader: Reader) -> dict[str, Outcome]:
    """{key: who wins}, in the order of the last words.

    Patterns (``net.ipv4.conf.*.rp_filter``) compete with the same pattern only.
    """
    places: dict[str, list[Place]] = {}
    for file in applied(files, reader):
        for setting in file.settings:
            # Inserted anew, so that the keys stand in the order of their last word.
            places[setting.key] = [*places.pop(setting.key, []), _place(file, setting)]
    return {key: Outcome(key, lines[-1], tuple(_distinct(lines))) for key, lines in places.items()}


def readers_disagree(files: Iterable[SettingFile]) -> dict[str, tuple[Place | None, Place]]:
    """Keys that end up otherwise after boot (first) than after ``sysctl --system`` (second)."""
    given = list(files)
    boot, by_hand = outcomes(given, "systemd-sysctl"), outcomes(given, "sysctl --system")
    pairs = {key: (boot[key].winner if key in boot else None, by_hand[key].winner) for key in by_hand}
    return {key: (one, other) for key, (one, other) in pairs.items() if one is None or one.value != other.value}


def value_of(key: str, files: Iterable[SettingFile], reader: Reader) -> Place | None:
    """The line that sets ``key``; an exact key goes before any pattern that matches it (sysctl.d(5))."""
    known = outcomes(files, reader)
    if key in known:
        return known[key].winner
    matching = [outcome.winner for name, outcome in known.items() if _matches(key, name)]
    return matching[-1] if matching else None


def is_late(key: str) -> bool:
    """Whether the key appears only with a module, so that boot may have skipped it."""
    return key.startswith(LATE_PREFIXES)


def _matches(key: str, name: str) -> bool:
    # A pattern's * stays within one part of the key, as in a path.
    parts, wanted = key.split("."), name.split(".")
    return "*" in name and len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def _rank(file: SettingFile) -> int:
    directory = dirname(file.path)
    return DIRECTORIES.index(directory) if directory in DIRECTORIES else len(DIRECTORIES)


def _place(file: SettingFile, setting: Setting) -> Place:
    path = file.path if file.target is None else normpath(join(dirname(file.path), file.target))
    return Place(path, setting.line, setting.value)


def _distinct(lines: list[Place]) -> list[Place]:
    """All but the winner; the same line met twice (through a link and by itself) is no other line."""
    winner = (lines[-1].path, lines[-1].line)
    return [place for place in lines[:-1] if (place.path, place.line) != winner]
