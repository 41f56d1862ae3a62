"""A sysctl.d of a lab host's own, and ``sysctl -p``, which applies its files in the order of their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.programs import exit_code

if TYPE_CHECKING:
    from pathlib import Path

    from halfopen.lab.namespace import Namespace

_DIRECTORY = "etc/sysctl.d"


class SettingFiles:
    """The files below ``root``, which stands for ``/``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / _DIRECTORY).mkdir(parents=True)

    def write(self, name: str, *lines: str) -> None:
        """Write ``/etc/sysctl.d/name``."""
        (self.root / _DIRECTORY / name).write_text("".join(f"{line}\n" for line in lines), encoding="ascii")

    def delete_line(self, place: str) -> None:
        """Delete a line that is named as ``/etc/sysctl.d/10-a.conf:3``."""
        shown, _, line = place.rpartition(":")
        path = self.root / shown.lstrip("/")
        lines = path.read_text(encoding="ascii").splitlines(keepends=True)
        del lines[int(line) - 1]
        path.write_text("".join(lines), encoding="ascii")

    def apply(self, host: Namespace) -> int:
        """The exit code of ``sysctl -p`` with all of them.

        Raises:
            NotAvailableError: the program is not installed.
        """
        return exit_code(host, "sysctl", "-q", "-p", *sorted(map(str, (self.root / _DIRECTORY).glob("*.conf"))))
