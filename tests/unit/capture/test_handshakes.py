"""Records of a real capture: chosen, ordered, and handed over as Arrow, JSON Lines, CSV and Parquet."""

from __future__ import annotations

import csv
import ctypes
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from halfopen import UsageError, WhereError, _core
from halfopen.capture.trace import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from halfopen.capture.trace import Trace

CAPTURE = str(Path(__file__).parents[2] / "captures/lab/lossy_many.client.pcap")
ALL = 400


def kept(*, where: str | None = None, sort: str | None = None, top: int | None = None) -> Trace:
    return read([CAPTURE], records="columns", where=where, sort=sort, top=top)


def rows(found: Trace) -> list[dict[str, Any]]:
    return [json.loads(line) for line in found.handshakes.to_jsonl().splitlines()]


class ArrowStream(ctypes.Structure):
    """``struct ArrowArrayStream`` of the Arrow C stream interface, as far as this test follows it."""

    _fields_ = [(name, ctypes.c_void_p) for name in ("get_schema", "get_next", "get_last_error", "release", "private")]


class ArrowArray(ctypes.Structure):
    """``struct ArrowArray``: the leading numbers are all that is looked at."""

    _fields_ = [
        ("length", ctypes.c_int64),
        ("numbers", ctypes.c_int64 * 4),
        ("pointers", ctypes.c_void_p * 3),
        ("release", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("private", ctypes.c_void_p),
    ]


def lengths_of_batches(capsule: object) -> list[int]:
    """Reads a stream to its end as any consumer does, without any data-frame library."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    address = pointer(capsule, b"arrow_array_stream")
    get_next = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(
        ArrowStream.from_address(address).get_next
    )
    lengths: list[int] = []
    while True:
        array = ArrowArray()
        assert get_next(address, ctypes.addressof(array)) == 0
        if not array.release:
            return lengths
        lengths.append(array.length)
        array.release(ctypes.addressof(array))


def test_the_arrow_stream_can_be_read_again_and_again() -> None:
    handshakes = kept().handshakes
    first, second = handshakes.__arrow_c_stream__(), handshakes.__arrow_c_stream__(None)
    assert lengths_of_batches(first) == lengths_of_batches(second) == [ALL]
    assert lengths_of_batches(first) == []
    assert 'arrow_schema"' in repr(handshakes.__arrow_c_schema__())


def test_the_stream_outlives_what_it_came_from() -> None:
    capsule = kept().handshakes.__arrow_c_stream__()
    assert lengths_of_batches(capsule) == [ALL]


@pytest.mark.parametrize("library", ["polars", "duckdb", "pyarrow", "pandas"])
def test_dataframe_libraries_take_it(library: str) -> None:
    module = pytest.importorskip(library)
    found = kept()
    if library == "duckdb":
        assert module.sql("select count(*) from found").fetchall() == [(ALL,)]
    else:
        taken = {"polars": "DataFrame", "pyarrow": "table"}.get(library)
        frame = getattr(module, taken)(found) if taken else module.DataFrame.from_arrow(found)
        assert len(frame) == ALL


def test_fields_are_those_of_the_lines() -> None:
    fields = _core.handshake_fields()
    line = rows(kept())[0]
    assert [name for name, _, _ in fields if "." not in name] == list(line)
    options = [name.removeprefix("client_options.") for name, _, _ in fields if name.startswith("client_options.")]
    assert options == list(line["client_options"])


def test_pieces_of_the_lines_are_the_whole() -> None:
    handshakes = kept().handshakes
    pieces = [handshakes.to_jsonl(start, start + 150) for start in range(0, ALL, 150)]
    assert b"".join(pieces) == handshakes.to_jsonl() == handshakes.to_jsonl(0, 10**9)
    assert handshakes.to_jsonl(ALL) == handshakes.to_jsonl(5, 3) == b""


def test_a_trace_is_iterated_in_its_order() -> None:
    found = kept(sort="-handshake_us")
    assert [record.number for record in found] == [row["number"] for row in rows(found)]


def test_files_hold_what_memory_holds(tmp_path: Path) -> None:
    handshakes = kept().handshakes
    handshakes.write_jsonl(tmp_path / "a.jsonl")
    handshakes.write_csv(tmp_path / "a.csv")
    handshakes.write_parquet(tmp_path / "a.parquet")
    assert (tmp_path / "a.jsonl").read_bytes() == handshakes.to_jsonl()
    with (tmp_path / "a.csv").open(newline="") as file:
        assert [row["number"] for row in csv.DictReader(file)] == [str(row["number"]) for row in rows(kept())]
    parquet = (tmp_path / "a.parquet").read_bytes()
    assert parquet.startswith(b"PAR1")
    assert parquet.endswith(b"PAR1")


def test_a_file_that_cannot_be_written_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"/nonexistent/a\.csv"):
        kept().handshakes.write_csv("/nonexistent/a.csv")


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ('outcome != "established"', lambda row: row["outcome"] != "established"),
        ("syn_sent > 1 and not syn_ack_sent > 1", lambda row: row["syn_sent"] > 1 and row["syn_ack_sent"] <= 1),
        ('"syn_retransmitted" in anomalies', lambda row: "syn_retransmitted" in row["anomalies"]),
        ("100_000 <= handshake_us < 1e6", lambda row: 100_000 <= (row["handshake_us"] or 0) < 1e6),
        ("client_options.window_scale == 10", lambda row: row["client_options"]["window_scale"] == 10),
        ('client in "10.77.1.0/24"', lambda row: row["client"].startswith("10.77.1.")),
        ("time_wait is None", lambda row: row["time_wait"] is None),
        ("anomalies", lambda row: row["anomalies"] != []),
    ],
)
def test_a_condition_chooses_what_python_would(where: str, holds: Callable[[dict[str, Any]], bool]) -> None:
    expected = [row for row in rows(kept()) if holds(row)]
    found = kept(where=where)
    assert rows(found) == expected
    assert found.summary.handshakes == len(expected)


def test_the_examples_of_the_manual_are_conditions() -> None:
    page = (Path(__file__).parents[3] / "docs/record.md").read_text(encoding="utf-8")
    examples = page.split("```text\n")[1].split("```")[0].splitlines()
    assert len(examples) > 3
    for example in examples:
        assert kept(where=example).summary.handshakes <= ALL


def test_a_condition_that_names_what_there_is_not() -> None:
    with pytest.raises(WhereError, match="did you mean server_port") as raised:
        kept(where="syn_sent > 1 and serverport == 443")
    assert raised.value.column == 18


@pytest.mark.parametrize("top", [None, 1, 7, ALL + 1])
@pytest.mark.parametrize("sort", ["handshake_us", "-handshake_us", "client_port", "-duration_us"])
def test_sort_and_top_are_pythons(sort: str, top: int | None) -> None:
    name = sort.removeprefix("-")
    everything = rows(kept())
    known = [row for row in everything if row[name] is not None]
    known.sort(key=lambda row: -row[name] if sort.startswith("-") else row[name])
    unknown = [row for row in everything if row[name] is None]
    found = kept(sort=sort, top=top)
    assert [row[name] for row in rows(found)] == [row[name] for row in known + unknown][:top]
    assert found.summary.handshakes == ALL


def test_top_alone_gives_the_earliest() -> None:
    assert rows(kept(top=5)) == rows(kept())[:5]


def test_an_order_that_is_none() -> None:
    with pytest.raises(UsageError, match=r"cannot sort by vlan: .*more than one value"):
        kept(sort="vlan")
