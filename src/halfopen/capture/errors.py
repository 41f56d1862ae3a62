"""What the core says when no input can be read, as a sentence."""

from __future__ import annotations

from halfopen.errors import InputError

_HINTS = {
    "not_found": None,
    "is_directory": "name the files in it, as in: halfopen trace DIRECTORY/*.pcap",
    "permission_denied": "run it as a user who may read the file, or: sudo chmod a+r FILE",
}


def input_error(kind: str, path: str, why: str) -> InputError:
    """The exception for an input that the core refused.

    Args:
        kind: how the core calls the reason: ``not_found``, ``is_directory``, …
        path: the input as it was given.
        why: the reason in words.
    """
    name = "standard input" if path == "-" else path
    return InputError("cannot read", name, why, _HINTS.get(kind))
