"""Bytes of a file as text that the parsers may read: bounded, and with whatever is no UTF-8 kept visible."""

from __future__ import annotations

from halfopen.errors import InputError

MARK = b"\xef\xbb\xbf"
"""The byte order mark that some editors write; programs take it for part of the first word."""
BYTES_MAX = 8 * 2**20
"""Configuration is small; what is larger is something else."""
LINE_MAX = 512 * 2**10
"""Characters of a line. The longest that anybody needs, a list of all ports to reserve, has 400 thousand."""
MARKS_MAX = 2_000_000
"""Blanks and punctuation of a file: what bounds the words that parsers keep in memory."""


def decode(path: str, data: bytes) -> str:
    """The text of ``data``; bytes that are no UTF-8 become lone surrogates, as in file names.

    Raises:
        InputError: too large, binary, or a line that no configuration has.
    """
    if len(data) > BYTES_MAX:
        raise InputError("cannot lint", path, f"it is larger than {BYTES_MAX // 2**20} MB: that is no configuration")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("cannot lint", path, "it is UTF-16: write it as UTF-8, which is what programs and kernel read")
    if b"\0" in data:
        raise InputError("cannot lint", path, "it is binary")
    text = data.removeprefix(MARK).decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    longest = max(map(len, text.split("\n")))
    if longest > LINE_MAX:
        raise InputError("cannot lint", path, f"it has a line of {longest} characters: that is no configuration")
    if sum(map(text.count, " \n\t{}();,&=!<>|\"'")) > MARKS_MAX:
        raise InputError("cannot lint", path, f"it has more than {MARKS_MAX // 10**6} million words")
    return text
