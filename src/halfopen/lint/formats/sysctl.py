"""sysctl.conf and the files of sysctl.d."""

from __future__ import annotations

from dataclasses import replace

from halfopen.knowledge.sysctl_text import KERNEL, Assignment, Defect, parse
from halfopen.lint.document import Document


def read(path: str, text: str) -> Document:
    """The settings, whatever they are of: those below ``net.`` are judged, the others are not."""
    items = list(parse(text))
    return Document(
        path,
        "sysctl",
        settings=tuple(item for item in items if isinstance(item, Assignment)),
        defects=tuple(item for item in items if isinstance(item, Defect)),
    )


def read_tuned(path: str, text: str) -> Document:
    """The settings of the section ``[sysctl]`` of a profile of tuned, which sets them when it starts."""
    lines, inside = [], False
    for line in text.split("\n"):
        if line.lstrip().startswith("["):
            inside = line.strip() == "[sysctl]"
        lines.append(line if inside and not line.lstrip().startswith("[") else "")
    items = [item for item in parse("\n".join(lines)) if isinstance(item, Assignment)]
    return Document(path, "tuned", settings=tuple(replace(item, into=KERNEL) for item in items))
