"""``halfopen.snapshot/1`` as a file: JSON, or JSON in gzip, read back with the fault named where there is one.

A file of another machine may be damaged, of another version, or made to do harm: what is read is bounded, every value
is checked against the records of ``halfopen.model``, and any fault is one sentence.
"""

from __future__ import annotations

import sys
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import msgspec

from halfopen.collect.text import readable_name
from halfopen.errors import InputError
from halfopen.model.snapshot import SCHEMA, Snapshot

if TYPE_CHECKING:
    from os import PathLike

LIMIT_BYTES = 1 << 29
"""Of the JSON text; a host with 5 000 namespaces and their settings makes some 250 MB."""
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_CHUNK = 1 << 20
WHAT = "cannot read the snapshot"


@dataclass(frozen=True, slots=True)
class _Header:
    """What must be right before the rest is looked at."""

    schema: str | None = None


def encode(snapshot: Snapshot) -> bytes:
    """The document, on one line."""
    return msgspec.json.encode(snapshot) + b"\n"


def compressed(data: bytes) -> bytes:
    """``data`` in gzip, the same bytes for the same data."""
    squeeze = zlib.compressobj(6, wbits=_GZIP_WINDOW)
    return squeeze.compress(data) + squeeze.flush()


def load(path: str | PathLike[str]) -> Snapshot:
    """Read a snapshot from a file, or from standard input when it is ``-``.

    Raises:
        InputError: it cannot be read, or is no whole snapshot of a version that this program knows.
    """
    name = readable_name(str(path))
    try:
        if str(path) == "-":
            return decode(_bounded(sys.stdin.buffer, "standard input"), "standard input")
        with open(path, "rb") as file:  # noqa: PTH123  (str or PathLike)
            return decode(_bounded(file, name), name)
    except OSError as error:
        raise InputError(WHAT, name, error.strerror or str(error)) from error


def decode(data: bytes, name: str) -> Snapshot:
    """The snapshot in ``data``, plain or gzip; ``name`` is what a fault is told of."""
    if data.startswith(_GZIP_MAGIC):
        data = _inflated(data, name)
    try:
        header = msgspec.json.decode(data, type=_Header)
        if header.schema != SCHEMA:
            raise InputError(WHAT, name, _other_schema(header.schema))
        return msgspec.json.decode(data, type=Snapshot)
    except msgspec.ValidationError as error:
        raise InputError(WHAT, name, f"it is no {SCHEMA}: {_lower(str(error))}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(WHAT, name, f"it is damaged, or no JSON: {_lower(str(error))}") from error
    except RecursionError as error:
        raise InputError(WHAT, name, "it is nested too deeply to be one") from error


def _other_schema(schema: str | None) -> str:
    if schema is None:
        return f"it does not say that it is a {SCHEMA}"
    return f"it is a {schema[:80]}, this program reads {SCHEMA}"


def _lower(text: str) -> str:
    """As the middle of a sentence: ``JSON is malformed`` stays."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _bounded(file: IO[bytes], name: str) -> bytes:
    data = file.read(LIMIT_BYTES + 1)
    if len(data) > LIMIT_BYTES:
        raise InputError(WHAT, name, _too_long())
    return data


def _too_long() -> str:
    return f"it is longer than {LIMIT_BYTES >> 20} MB"


def _inflated(data: bytes, name: str) -> bytes:
    """The contents of one gzip member, bounded however well it was compressed."""
    inflate, parts, length = zlib.decompressobj(_GZIP_WINDOW), [], 0
    try:
        while not inflate.eof and data:
            part = inflate.decompress(data, _CHUNK)
            data = inflate.unconsumed_tail
            parts.append(part)
            length += len(part)
            if length > LIMIT_BYTES:
                raise InputError(WHAT, name, _too_long())
    except zlib.error as error:
        raise InputError(WHAT, name, "the gzip data are damaged") from error
    if not inflate.eof:
        raise InputError(WHAT, name, "the gzip data end too early")
    return b"".join(parts)
