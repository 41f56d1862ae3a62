"""Two captures of the same traffic, compared by the native core."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from halfopen import _core
from halfopen.capture.errors import input_error
from halfopen.model.against import SCHEMA, Against

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from halfopen.capture.trace import Path


def against(
    a: Path | Iterable[Path],
    b: Path | Iterable[Path],
    *,
    max_flows: int | None = None,
    verify_checksums: bool = False,
    top: int = 10,
    lines: bool = False,
    output: str | None = None,
    progress: Callable[[int, int, int | None], None] | None = None,
) -> Against:
    """Compare two captures of the same traffic, taken at two points of its way.

    Handshakes are matched by four-tuple and initial sequence number, their packets by IP identification and TSval, or
    by order and time where there are none. Which point is nearer to the client is read from the packets.

    Args:
        a: a capture, or several that are one in time order.
        b: the other one.
        max_flows: connections tracked at once.
        verify_checksums: mark handshakes that have a segment with a wrong checksum.
        top: how many of the handshakes with losses are in the result.
        lines: write one JSON object for each handshake to ``output``.
        output: the file for them; standard output when None.
        progress: called now and then with packets read, bytes read, and bytes in all (None where unknown).

    Returns:
        What was lost where, how the time splits, and how the clocks relate; times in microseconds.

    Raises:
        halfopen.InputError: one of them cannot be read as a capture.
        OSError: the output cannot be written.

    Privileges: none beyond reading the files.

    Example:
        >>> from halfopen.capture.against import against
        >>> lab = "tests/captures/lab/normal_server_close"
        >>> found = against(f"{lab}.server.pcap", f"{lab}.client.pcap")
        >>> found.common, found.packets_lost, found.near_client
        (1, 0, 'b')
        >>> found.split_us.between.p50
        20231.0
    """
    try:
        found = _core.against(
            _paths(a),
            _paths(b),
            max_flows=max_flows,
            verify_checksums=verify_checksums,
            top=top,
            lines=lines,
            output=output,
            progress=progress,
        )
    except _core.CaptureError as error:
        raise input_error(*error.args) from None
    document = {"schema": SCHEMA, "inputs": {"a": found.inputs_a, "b": found.inputs_b}, **json.loads(found.document)}
    return Against.from_json(document)


def _paths(path: Path | Iterable[Path]) -> list[str]:
    items = [path] if isinstance(path, (str, os.PathLike)) else path
    return [os.fspath(item) for item in items]
