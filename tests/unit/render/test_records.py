"""Records that were made here look like those of captures: the same fields in the same order, in every format."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import polars as pl
import pytest
from tests.unit.active.results import changed, established, failed

import halfopen
from halfopen import _core
from halfopen.model.handshake import Handshake, SideOptions
from halfopen.render.records import arrow, csv_header, csv_line, json_line, record

if TYPE_CHECKING:
    from pathlib import Path

CAPTURE = "tests/captures/lab/refused.pcap"
ROWS = [
    changed(established(), vlan=(7, 8), client_options=SideOptions(mss=1460, sack_permitted=True)).handshake,
    failed("not_sent", "EADDRNOTAVAIL", client=None, client_port=None).handshake,
]


def test_an_object_has_the_fields_of_a_capture() -> None:
    captured = next(halfopen.trace(CAPTURE).records())
    made = record(ROWS[0])
    assert list(made) == list(captured)
    assert list(made["client_options"]) == list(captured["client_options"])


def test_a_line_can_be_read_back() -> None:
    for row in ROWS:
        assert Handshake.from_dict(json.loads(json_line(row))) == row


def test_csv_is_that_of_captures(tmp_path: Path) -> None:
    halfopen.trace(CAPTURE).handshakes.write_csv(tmp_path / "captured.csv")
    header = (tmp_path / "captured.csv").read_bytes().split(b"\n")[0] + b"\n"
    assert csv_header().encode() == header
    first, second = csv.DictReader(io.StringIO(csv_header() + csv_line(ROWS[0]) + csv_line(ROWS[1])))
    assert (first["vlan"], first["client_options.mss"], first["client_options.sack_permitted"]) == (
        "7 8",
        "1460",
        "true",
    )
    assert (second["client"], second["errno"], second["syn_sent"]) == ("", "EADDRNOTAVAIL", "0")


def test_columns_are_those_of_captures() -> None:
    made = pl.DataFrame(arrow(ROWS))
    assert made.schema == pl.DataFrame(halfopen.trace(CAPTURE)).schema
    assert made["vlan"].to_list() == [[7, 8], []]
    assert made["client_options"].to_list()[0]["mss"] == 1460
    assert made["client_options"].to_list()[1] is None
    assert made["errno"].to_list() == [None, "EADDRNOTAVAIL"]
    assert made["connect_us"].to_list() == [300.0, 300.0]


def test_parquet_is_read_as_it_was_written() -> None:
    made = pl.DataFrame(arrow(ROWS))
    assert pl.read_parquet(io.BytesIO(arrow(ROWS).to_parquet())).equals(made)


def test_no_rows_are_columns_too() -> None:
    assert pl.DataFrame(arrow([])).shape == (0, len(record(ROWS[0])))
    assert len(_core.Records([])) == 0


def test_a_value_of_a_wrong_type_is_an_error() -> None:
    with pytest.raises(TypeError):
        _core.Records([{"start_ns": "now"}])
