"""sysctl.conf and the files of sysctl.d."""

from __future__ import annotations

from halfopen.knowledge.sysctl_text import Assignment, Defect, parse
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
