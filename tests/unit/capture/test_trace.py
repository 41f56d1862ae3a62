"""``halfopen.trace``: the public function, its documentation, and what it gives."""

from __future__ import annotations

import doctest
import os
from typing import TYPE_CHECKING

import pytest
from tests.conftest import ROOT

import halfopen
from halfopen.capture import trace as module

if TYPE_CHECKING:
    from pathlib import Path

LAB = ROOT / "tests" / "captures" / "lab"
LOSSY = LAB / "lossy_many.client.pcap"


def test_the_examples_are_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    outcome = doctest.testmod(module, raise_on_error=False)
    assert (outcome.failed, outcome.attempted > 0) == (0, True)


def test_the_documentation_has_units_and_errors() -> None:
    text = halfopen.trace.__doc__ or ""
    for part in ("Args:", "Returns:", "Raises:", "Example:", "microseconds", "nanoseconds", "InputError", "WhereError"):
        assert part in text


@pytest.mark.parametrize("path", [LOSSY, str(LOSSY), [LOSSY], (str(LOSSY),)])
def test_one_path_or_several(path: Path | str | list[Path] | tuple[str, ...]) -> None:
    found = halfopen.trace(path)
    assert isinstance(found, halfopen.Trace)
    assert len(found) == len(found.handshakes) == found.summary.handshakes == 400
    assert repr(found) == "<halfopen.Trace: 400 handshakes of 5172 packets>"


def test_the_handshakes_are_records_in_order() -> None:
    rows = list(halfopen.trace(LOSSY))
    assert [row.number for row in rows] == list(range(1, 401))
    assert rows[393].syn_sent == 3
    assert rows[393].source == str(LOSSY)


def test_they_are_chosen() -> None:
    first = halfopen.Moment.parse("+1s")
    last = halfopen.Moment.parse("2026-11-22T10:51:38Z")
    found = halfopen.trace(LOSSY, where="syn_sent == 3", since=first, until=last)
    assert [row.number for row in found] == [133, 287]
    assert found.summary.filter == (
        "syn_sent == 3; begun from 1 s after the first packet on and before 2026-11-22 10:51:38 UTC"
    )


def test_the_notices_are_sentences() -> None:
    assert halfopen.trace(LOSSY).notices[0].text == (
        "70 of 400 connects to 10.77.2.2:8000 waited 1 s or 2 s for a retransmitted SYN."
    )


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("none.pcap", "cannot read none.pcap: there is no such file"),
        (str(LAB), f"cannot read {LAB}: it is a directory"),
        (os.devnull, "cannot read /dev/null: it is empty"),
        (
            __file__,
            f"cannot read {__file__}: it is not a capture (pcap or pcapng, plain or compressed with gzip or zstd)",
        ),
    ],
)
def test_what_is_no_capture(path: str, error: str) -> None:
    with pytest.raises(halfopen.InputError) as caught:
        halfopen.trace(path)
    assert str(caught.value) == error


def test_a_condition_that_is_none() -> None:
    with pytest.raises(halfopen.WhereError, match="there is no field nonsense") as caught:
        halfopen.trace(LOSSY, where="nonsense == 1")
    assert (caught.value.text, caught.value.column) == ("nonsense == 1", 1)


def test_a_reading_for_the_summary_keeps_no_handshakes() -> None:
    found = module.read([str(LOSSY)])
    with pytest.raises(ValueError, match="the handshakes were not kept"):
        _ = found.handshakes


def test_columns_without_a_library() -> None:
    assert "arrow_array_stream" in repr(halfopen.trace(LOSSY).__arrow_c_stream__())
