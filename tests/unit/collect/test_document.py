"""A snapshot goes through its file unchanged, and a bad file is one sentence."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.conftest import ROOT

from halfopen.collect import document, take
from halfopen.collect.document import compressed, decode, encode, load
from halfopen.errors import InputError
from halfopen.model.host import Host
from halfopen.model.owner import Owner
from halfopen.model.snapshot import NetNamespace, Snapshot, Unavailable
from halfopen.model.sockets import AcceptQueue, Listener, Sockets
from halfopen.render.document import document as shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOSTILE = 'a\x1b[31m"\\\n\u202e\u009b\U000e0041é'
LISTENER = Listener("::", 80, 3, 2, queued=AcceptQueue(1, 2, 3, 4), owners=(Owner(7, HOSTILE, command=(HOSTILE,)),))
SNAPSHOT = Snapshot(
    taken_at_ns=2**62,
    monotonic_ns=1,
    host=Host(HOSTILE, "6.18"),
    netns=(
        NetNamespace(
            HOSTILE,
            inode=7,
            own=True,
            sysctls={"net.ipv4.x": HOSTILE},
            counters={"TcpExt": {"ListenDrops": 2**64 - 1}},
            sockets=Sockets({"LISTEN": 1}, (LISTENER,)),
        ),
    ),
    unavailable=(Unavailable("x", "y", None),),
)
DATA = encode(SNAPSHOT)


def fault(data: bytes) -> str:
    with pytest.raises(InputError) as raised:
        decode(data, "a.json")
    assert str(raised.value).startswith("cannot read the snapshot a.json: ")
    assert "\n" not in str(raised.value)
    return raised.value.why


@pytest.mark.parametrize("form", [lambda data: data, compressed, gzip.compress], ids=["plain", "compressed", "gzip"])
def test_there_and_back(form: Callable[[bytes], bytes]) -> None:
    assert decode(form(DATA), "x") == SNAPSHOT


def test_this_host_there_and_back() -> None:
    snapshot = take(netns="own")
    assert decode(encode(snapshot), "x") == snapshot


def test_what_is_shown_is_the_same_document_and_harmless() -> None:
    text = shown(SNAPSHOT)
    assert decode(text, "x") == SNAPSHOT
    assert not {"\x1b", "\u202e", "\u009b", "\U000e0041"} & set(text.decode())
    assert "é" in text.decode()


def test_compression_is_the_same_for_the_same_data() -> None:
    assert compressed(DATA) == compressed(DATA)


@pytest.mark.parametrize("cut", [0, 1, 10, len(DATA) // 2, len(DATA) - 2])
def test_a_cut_document(cut: int) -> None:
    assert fault(DATA[:cut]).startswith("it is damaged, or no JSON: ")


@pytest.mark.parametrize("cut", [3, 12, 100, -1])
def test_cut_gzip(cut: int) -> None:
    assert fault(compressed(DATA)[:cut]) == "the gzip data end too early"


def test_damaged_gzip() -> None:
    data = bytearray(compressed(DATA))
    data[40:60] = b"\xff" * 20
    assert fault(bytes(data)) == "the gzip data are damaged"


@pytest.mark.parametrize("place", range(0, len(DATA), 11))
def test_any_damaged_byte_is_a_snapshot_or_a_sentence(place: int) -> None:
    data = DATA[:place] + b"\xff" + DATA[place + 1 :]
    try:
        decode(data, "a.json")
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017  (some bytes may change without a fault)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"schema": "halfopen.snapshot/2"}, "it is a halfopen.snapshot/2, this program reads halfopen.snapshot/1"),
        ({"schema": None}, "it does not say that it is a halfopen.snapshot/1"),
        ({"schema": 7}, "it is no halfopen.snapshot/1: expected `str | null`, got `int` - at `$.schema`"),
        ({"taken_at_ns": "x"}, "it is no halfopen.snapshot/1: expected `int`, got `str` - at `$.taken_at_ns`"),
        (
            {"netns": [{"name": "x"}]},
            "it is no halfopen.snapshot/1: object missing required field `inode` - at `$.netns[0]`",
        ),
        ({"netns": 5}, "it is no halfopen.snapshot/1: expected `array`, got `int` - at `$.netns`"),
    ],
)
def test_values_that_cannot_be(change: dict[str, Any], why: str) -> None:
    assert fault(json.dumps({**json.loads(DATA), **change}).encode()) == why


def test_json_of_another_kind() -> None:
    assert fault(b"[]") == "it is no halfopen.snapshot/1: expected `object`, got `array`"
    assert fault(b"{}") == "it does not say that it is a halfopen.snapshot/1"
    assert fault(b"[" * 100_000).startswith("it is ")


def test_fields_of_a_newer_version_are_passed_over() -> None:
    newer = json.loads(DATA)
    newer["new"] = {"x": 1}
    newer["netns"][0]["new"] = 5
    assert decode(json.dumps(newer).encode(), "x") == SNAPSHOT


def test_what_is_read_is_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(document, "LIMIT_BYTES", 1 << 21)
    assert fault(compressed(b" " * (1 << 22))) == "it is longer than 2 MB"
    (tmp_path / "big").write_bytes(b" " * (1 << 22))
    with pytest.raises(InputError, match="longer than 2 MB"):
        load(tmp_path / "big")


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        load(tmp_path / "none")
    with pytest.raises(InputError, match="Is a directory"):
        load(tmp_path)


def test_the_schema_fits_a_document_of_every_field() -> None:
    schema = json.loads((ROOT / "docs/snapshot.schema.json").read_text(encoding="utf-8"))
    properties = schema["$defs"]["Snapshot"]["properties"]
    assert set(properties) == set(json.loads(DATA))
    assert properties["taken_at_ns"]["description"] == "Nanoseconds since the epoch."


def test_lone_surrogates_never_come_from_a_file() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode(replace(SNAPSHOT, halfopen="\udcff"))
    assert msgspec.json.decode(DATA)["halfopen"] == ""
