"""The native half. Private: ``halfopen`` is the public name of everything in here. Checked by mypy's stubtest."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Final, Literal, final

VERSION: Final[str]
"""The version in Cargo.toml."""

REVISION: Final[str]
"""``git describe`` of the tree that this was built from, with ``-dirty`` where it had uncommitted changes."""

class CaptureError(OSError):
    """No input can be read as a capture. ``args`` are kind, path, and why in words."""

@final
class Handshakes:
    """Finished records as Arrow columns of the schema ``halfopen.handshake/1``."""

    def __len__(self) -> int: ...

@final
class Trace:
    """What a reading found. The texts are JSON (``summary``, see docs/summary.md) and JSON Lines (records)."""

    @property
    def summary(self) -> str: ...
    @property
    def slowest(self) -> str: ...
    @property
    def failed(self) -> str: ...
    @property
    def inputs(self) -> list[dict[str, Any]]: ...
    @property
    def packets(self) -> int: ...
    @property
    def tcp_segments(self) -> int: ...
    @property
    def midstream(self) -> int: ...
    @property
    def midstream_segments(self) -> int: ...
    @property
    def late_segments(self) -> int: ...
    @property
    def captured_twice(self) -> int: ...
    @property
    def evicted(self) -> int: ...
    @property
    def first_frame_ns(self) -> int | None: ...
    @property
    def last_frame_ns(self) -> int | None: ...
    @property
    def handshakes(self) -> Handshakes | None: ...

def trace(
    inputs: Sequence[str | PathLike[str]],
    *,
    max_flows: int | None = None,
    verify_checksums: bool = False,
    since: tuple[int, bool] | None = None,
    until: tuple[int, bool] | None = None,
    slowest: int = 10,
    failed: int = 10,
    endpoints: int = 1000,
    records: Literal["none", "columns", "jsonl", "csv", "parquet"] = "none",
    output: str | PathLike[str] | None = None,
    progress: Callable[[int, int, int | None], object] | None = None,
) -> Trace:
    """Read captures to their end.

    ``since`` and ``until`` are (nanoseconds, counted from the first frame). ``output`` is the file for records, standard
    output when None. ``progress`` is called with packets, bytes and total bytes now and then; what it raises ends the
    reading. Raises CaptureError when no input can be read, OSError when the output cannot be written.
    """

def exchanges(
    inputs: Sequence[str | PathLike[str]],
    wanted: Sequence[tuple[str, int, str, int, int | None]],
    *,
    verify_checksums: bool = False,
    progress: Callable[[int, int, int | None], object] | None = None,
) -> list[dict[str, Any]]:
    """Read captures again and give the packets of the wanted connections: (address, port, address, port, start or None).

    Each dict has ``wanted`` (index), ``handshake`` (a JSON line), ``packets`` (dicts), ``omitted``, ``omitted_after``.
    """
