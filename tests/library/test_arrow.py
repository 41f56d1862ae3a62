"""``halfopen.trace`` as an Arrow stream: polars, DuckDB, pandas and pyarrow take it, whole and without a copy."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from tests.conftest import ROOT, environment
from tests.library.stream import Watched
from tests.parity.containers import Packet, pcap, read_pcap

import halfopen

if TYPE_CHECKING:
    from pathlib import Path

LOSSY = ROOT / "tests/captures/lab/lossy_many.client.pcap"
CANON = ROOT / "tests/captures/derived/c03-pcap-le-ns.pcap"


@pytest.fixture(scope="module")
def lossy() -> halfopen.Trace:
    return halfopen.trace(LOSSY)


@pytest.fixture(scope="module")
def canon() -> halfopen.Trace:
    """Every kind of record: nulls, lists, both IP versions."""
    return halfopen.trace(CANON)


def lines(found: halfopen.Trace) -> list[dict[str, Any]]:
    """The same records as JSON Lines."""
    return [json.loads(line) for line in found.handshakes.to_jsonl().splitlines()]


# --- what arrives ----------------------------------------------------------------------------------------------------


def test_polars_gets_every_value(canon: halfopen.Trace) -> None:
    assert pl.DataFrame(canon).to_dicts() == lines(canon)


def test_pyarrow_gets_every_value(canon: halfopen.Trace) -> None:
    table = pa.table(canon)
    table.validate(full=True)
    assert table.to_pylist() == lines(canon)


def test_duckdb_gets_every_value(canon: halfopen.Trace) -> None:
    answer = duckdb.execute("from canon")
    columns = [name for name, *_ in answer.description or ()]
    assert [dict(zip(columns, row, strict=True)) for row in answer.fetchall()] == lines(canon)


def test_pandas_gets_every_value(canon: halfopen.Trace) -> None:
    frame = pd.DataFrame.from_arrow(canon)
    wanted = lines(canon)
    assert list(frame.columns) == list(wanted[0])
    for name in ("client", "server_port", "outcome", "start_ns", "syn_sent"):
        assert frame[name].tolist() == [record[name] for record in wanted]
    times = frame["syn_to_syn_ack_us"]
    assert times[times.notna()].tolist() == [
        r["syn_to_syn_ack_us"] for r in wanted if r["syn_to_syn_ack_us"] is not None
    ]


def test_the_schema_says_what_it_is(canon: halfopen.Trace) -> None:
    schema = pa.table(canon).schema
    assert schema.metadata[b"schema"] == b"halfopen.handshake/1"
    assert schema.field("start_ns").type == pa.int64()
    assert schema.field("syn_to_syn_ack_us").type == pa.float64()
    assert schema.field("vlan").type == pa.list_(
        pa.field("item", pa.int64(), schema.field("vlan").type.value_field.nullable)
    )
    assert pa.types.is_struct(schema.field("client_options").type)
    required = {"source", "start_ns", "client", "client_port", "server", "server_port", "outcome"}
    assert required <= set(schema.names)
    assert pa.schema(canon.handshakes) == schema


def test_columns_are_those_of_the_other_formats(canon: halfopen.Trace) -> None:
    assert pa.table(canon).schema.names == list(lines(canon)[0]) == pl.DataFrame(canon).columns


def test_a_capture_without_handshakes(tmp_path: Path) -> None:
    """No rows, and yet all columns."""
    (tmp_path / "empty.pcap").write_bytes(pcap([]))
    empty = halfopen.trace(tmp_path / "empty.pcap")
    assert pl.DataFrame(empty).schema == pl.DataFrame(halfopen.trace(CANON)).schema
    assert (len(empty), pl.DataFrame(empty).height, pa.table(empty).num_rows) == (0, 0, 0)
    assert duckdb.execute("select count(*) from empty").fetchall() == [(0,)]


# --- as people use it ------------------------------------------------------------------------------------------------


def test_a_question_in_sql(lossy: halfopen.Trace) -> None:
    found = duckdb.execute("select count(*), sum(syn_sent - 1) from lossy where retransmit_wait_us > 0").fetchall()
    assert found == [(70, 77)]


def test_a_question_in_polars(lossy: halfopen.Trace) -> None:
    frame = pl.DataFrame(lossy)
    assert frame.filter(pl.col("anomalies").list.contains("syn_retransmitted")).height == 70
    assert frame["client_options"].struct.field("mss").unique().to_list() == [1460]


def test_it_can_be_taken_again_and_again(lossy: halfopen.Trace) -> None:
    first = pl.DataFrame(lossy)
    assert duckdb.execute("select count(*) from lossy").fetchall() == [(400,)]
    assert pl.DataFrame(lossy).equals(first)
    assert pl.DataFrame(lossy.handshakes).equals(first)
    assert [handshake.start_ns for handshake in lossy] == first["start_ns"].to_list()


def test_what_was_taken_outlives_the_trace() -> None:
    table, frame = pa.table(halfopen.trace(LOSSY)), pl.DataFrame(halfopen.trace(LOSSY))
    gc.collect()
    table.validate(full=True)
    assert frame["client_port"].to_list() == table["client_port"].to_pylist()


def test_a_stream_that_nobody_reads_is_released(lossy: halfopen.Trace) -> None:
    for _ in range(100):
        assert type(lossy.__arrow_c_stream__()).__name__ == "PyCapsule"
    gc.collect()
    assert pl.DataFrame(lossy).height == 400


# --- without a copy --------------------------------------------------------------------------------------------------


def test_pyarrow_uses_the_memory_that_is_handed_over(lossy: halfopen.Trace) -> None:
    watched = Watched(lossy)
    table = pa.table(watched)
    assert watched.lengths == [400]
    for column in table.itercolumns():
        for chunk in column.chunks:
            assert {
                buffer.address for buffer in chunk.buffers() if buffer is not None and buffer.size
            } <= watched.buffers


def test_polars_uses_the_memory_that_is_handed_over(lossy: halfopen.Trace) -> None:
    """Of numbers; texts it keeps in a layout of its own."""
    watched = Watched(lossy)
    frame = pl.DataFrame(watched)
    numbers = [series for series in frame if series.dtype in {pl.Int64, pl.Float64} and series.null_count() == 0]
    assert len(numbers) > 10
    for series in numbers:
        view = series.to_numpy(allow_copy=False)
        assert view.__array_interface__["data"][0] in watched.buffers


BATCH = 65_536


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> halfopen.Trace:
    """More than two batches: one refused connect, with other ports and numbers each time."""
    (syn_time, syn), (rst_time, rst) = (p for p in read_pcap(CANON) if p[1][34:38] in {PORTS, PORTS[2:] + PORTS[:2]})
    packets: list[Packet] = []
    for number in range(2 * BATCH + 1):
        ports = (20_000 + number % 40_000).to_bytes(2, "big"), (1 + number // 40_000).to_bytes(2, "big")
        shift = number * 1000
        packets.append((syn_time + shift, syn[:34] + b"".join(ports) + syn[38:]))
        packets.append((rst_time + shift, rst[:34] + b"".join(ports[::-1]) + rst[38:]))
    file = tmp_path_factory.mktemp("many") / "many.pcap"
    file.write_bytes(pcap(sorted(packets, key=lambda packet: packet[0])))
    return halfopen.trace(file)


PORTS = (40006).to_bytes(2, "big") + (81).to_bytes(2, "big")


def test_batches(many: halfopen.Trace) -> None:
    watched = Watched(many)
    frame = pl.DataFrame(watched)
    assert watched.lengths == [BATCH, BATCH, 1]
    assert frame.height == len(many) == 2 * BATCH + 1
    assert frame["outcome"].unique().to_list() == ["refused"]
    assert frame["start_ns"].is_sorted()
    assert frame.select("client_port", "server_port").n_unique() == 2 * BATCH + 1


def test_a_reader_that_stops_early(many: halfopen.Trace) -> None:
    reader = pa.RecordBatchReader.from_stream(many)
    assert reader.read_next_batch().num_rows == BATCH
    del reader
    gc.collect()
    assert duckdb.execute("select outcome from many limit 1").fetchall() == [("refused",)]


# --- without pyarrow -------------------------------------------------------------------------------------------------

#: As on a machine where pyarrow is not installed: importing it fails, and nobody can find it.
WITHOUT_PYARROW = "import sys; sys.modules['pyarrow'] = None; import halfopen; t = halfopen.trace(sys.argv[1]);"


def run(program: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-c", WITHOUT_PYARROW + program, str(LOSSY)]
    return subprocess.run(arguments, capture_output=True, text=True, check=False, env=environment())


@pytest.mark.parametrize(
    "program",
    [
        "import polars; print(polars.DataFrame(t).height)",
        "import duckdb; print(duckdb.execute('select count(*) from t').fetchone()[0])",
        "import duckdb; print(len(duckdb.sql('from t').df()))",
    ],
)
def test_nothing_of_it_is_needed(program: str) -> None:
    done = run(program)
    assert (done.stdout, done.returncode) == ("400\n", 0), done.stderr


def test_pandas_itself_needs_it() -> None:
    """Its ``from_arrow`` goes through pyarrow whatever it is given; without it, DuckDB makes a data frame (above)."""
    done = run("import pandas; pandas.DataFrame.from_arrow(t)")
    assert done.returncode == 1
    assert "ImportError: `Import pyarrow` failed" in done.stderr
