"""``halfopen.trace``: every handshake in capture files."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Literal

from halfopen import _core
from halfopen.capture.errors import input_error
from halfopen.errors import UsageError
from halfopen.model.handshake import Handshake
from halfopen.model.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from halfopen.handshakes.notices import Notice
    from halfopen.model.moment import Moment

Path = str | os.PathLike[str]
Records = Literal["none", "columns", "jsonl", "csv", "parquet"]
#: Records whose lines are in memory at once while a trace is iterated.
_PORTION = 4096


class Trace:
    """What a reading found: the numbers, and the handshakes as columns.

    The object is an Arrow stream (``__arrow_c_stream__``): ``polars.DataFrame(trace)``, ``duckdb.sql("from trace")``
    and ``pyarrow.table(trace)`` take it without copying. Iterating gives :class:`halfopen.model.handshake.Handshake`.

    Attributes:
        summary: the numbers, see :class:`halfopen.model.summary.Summary`.
    """

    summary: Summary

    def __init__(self, summary: Summary, handshakes: _core.Handshakes | None) -> None:
        self.summary = summary
        self._handshakes = handshakes

    @property
    def handshakes(self) -> _core.Handshakes:
        """All handshakes as columns, ordered by their start (beyond 131 072 of them by their end)."""
        if self._handshakes is None:
            raise ValueError("the handshakes were not kept: this reading was for its summary")
        return self._handshakes

    @property
    def notices(self) -> list[Notice]:
        """What the capture shows, as ranked sentences."""
        from halfopen.handshakes.notices import notices

        return notices(self.summary)

    def __len__(self) -> int:
        """How many handshakes there are."""
        return self.summary.handshakes

    def __iter__(self) -> Iterator[Handshake]:
        """The handshakes, one record each."""
        return map(Handshake.from_dict, self.records())

    def records(self) -> Iterator[dict[str, Any]]:
        """The handshakes as ``halfopen.handshake/1`` objects: every field, under its name."""
        for start in range(0, len(self.handshakes), _PORTION):
            for line in self.handshakes.to_jsonl(start, start + _PORTION).splitlines():
                yield json.loads(line)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The Arrow PyCapsule interface: the schema ``halfopen.handshake/1``."""
        return self.handshakes.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        """Says how much there is."""
        return f"<halfopen.Trace: {self.summary.handshakes} handshakes of {self.summary.packets} packets>"


def trace(
    path: Path | Iterable[Path],
    *,
    where: str | None = None,
    since: Moment | str | None = None,
    until: Moment | str | None = None,
    max_flows: int | None = None,
    verify_checksums: bool = False,
) -> Trace:
    """Read captures and give every handshake in them.

    Args:
        path: a capture, or several that are one capture in time order (a ring of ``tcpdump -C`` files). pcap and
            pcapng, plain, gzip or zstd; ``-`` is standard input.
        where: only handshakes for which this expression holds, as in
            ``outcome != "established" and server_port == 443``.
        since: only handshakes that began at or after this moment: ``"2026-11-23T07:00:00Z"``, or counted from the first
            packet, ``"+1m30s"``.
        until: only handshakes that began before this one.
        max_flows: connections tracked at once, at about 490 bytes each; three lone SYNs take the room of one.
            The default, 500 000, keeps the whole under 512 MiB.
        verify_checksums: mark handshakes that have a segment with a wrong checksum (``bad_checksum``); network cards
            that fill checksums in make many where a host captured what it sent itself.

    Returns:
        The numbers and the handshakes. Times are in microseconds (``…_us``) or nanoseconds since the epoch (``…_ns``).

    Raises:
        halfopen.InputError: no input can be read as a capture. A damaged one is read as far as it goes: its
            ``defects`` are in ``summary.inputs``.
        halfopen.WhereError: ``where`` does not parse, or names what there is not; a ValueError too.

    Privileges: none beyond reading the files.

    Example:
        >>> import halfopen
        >>> found = halfopen.trace("tests/captures/lab/refused.pcap")
        >>> found.summary.outcomes
        {'refused': 2}
        >>> [(h.server_port, h.outcome, h.frame_syn) for h in found]
        [(9999, 'refused', 5), (9998, 'refused', 9)]
    """
    inputs = [path] if isinstance(path, (str, os.PathLike)) else list(path)
    return read(
        [os.fspath(item) for item in inputs],
        where=where,
        since=_moment(since),
        until=_moment(until),
        max_flows=max_flows,
        verify_checksums=verify_checksums,
        records="columns",
    )


def read(
    inputs: list[str],
    *,
    where: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    max_flows: int | None = None,
    verify_checksums: bool = False,
    sort: str | None = None,
    top: int | None = None,
    rows: int = 10,
    records: Records = "none",
    output: str | None = None,
    progress: Callable[[int, int, int | None], None] | None = None,
) -> Trace:
    """:func:`trace` with all that the command line needs.

    Args:
        inputs: paths.
        where: see :func:`trace`.
        since: see :func:`trace`.
        until: see :func:`trace`.
        max_flows: see :func:`trace`.
        verify_checksums: see :func:`trace`.
        sort: the field by which the records are ordered; ``-FIELD`` for the largest first. Without ``top``, all of them
            are held in memory, 400 bytes each.
        top: only the first so many records; without ``sort`` the earliest.
        rows: how many of the slowest and of the failed handshakes are kept in the summary.
        records: where the handshakes go.
        output: the file for ``jsonl``, ``csv`` and ``parquet``; standard output when None.
        progress: called some times a second with packets read, bytes read, and bytes in all (None where unknown).

    Raises:
        InputError: no input can be read.
        OSError: the output cannot be written.
    """
    from halfopen.handshakes.where import parse_where

    try:
        found = _core.trace(
            inputs,
            max_flows=max_flows,
            verify_checksums=verify_checksums,
            since=_pair(since),
            until=_pair(until),
            program=None if where is None else (where, parse_where(where)),
            sort=sort,
            top=top,
            slowest=rows,
            failed=rows,
            records=records,
            output=output,
            progress=progress,
        )
    except _core.CaptureError as error:
        raise input_error(*error.args) from None
    return Trace(Summary.from_json(_document(found, _only(where, since, until))), found.handshakes)


def _moment(value: Moment | str | None) -> Moment | None:
    if not isinstance(value, str):
        return value
    from halfopen.model.moment import Moment

    try:
        return Moment.parse(value)
    except ValueError as error:
        raise UsageError(f"{value!r} is no moment", why=str(error)) from None


def _pair(moment: Moment | None) -> tuple[int, bool] | None:
    return None if moment is None else (moment.ns, moment.relative)


def _only(where: str | None, since: Moment | None, until: Moment | None) -> str | None:
    """What the handshakes were chosen by, in words."""
    begun = [] if since is None else [f"from {since} on"]
    begun += [] if until is None else [f"before {until}"]
    said = [] if where is None else [where]
    said += [f"begun {' and '.join(begun)}"] if begun else []
    return "; ".join(said) or None


def _document(found: _core.Trace, only: str | None) -> dict[str, Any]:
    """The object ``halfopen.summary/1`` as far as it is counted."""
    summary = json.loads(found.summary)
    senders = set(found.midstream_senders)
    for host in summary.get("silent_hosts") or ():
        host["sent_midstream"] = host["server"] in senders
    return {
        "inputs": found.inputs,
        "packets": found.packets,
        "tcp_segments": found.tcp_segments,
        "midstream": found.midstream,
        "midstream_segments": found.midstream_segments,
        "late_segments": found.late_segments,
        "captured_twice": found.captured_twice,
        "evicted": found.evicted,
        "start_ns": found.first_frame_ns,
        "end_ns": found.last_frame_ns,
        "filter": only,
        **summary,
        "slowest": [json.loads(line) for line in found.slowest.splitlines()],
        "failed": [json.loads(line) for line in found.failed.splitlines()],
    }
