"""Records from JSON: unknown stays unknown, a newer core's names do no harm."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from halfopen.model.handshake import Handshake, SideOptions
from halfopen.model.summary import Latency, Summary

MINIMAL = {
    "source": "a.pcap",
    "start_ns": 5,
    "client": "10.0.0.1",
    "client_port": 1,
    "server": "10.0.0.2",
    "server_port": 2,
    "outcome": "established",
}


def test_what_is_not_named_is_unknown() -> None:
    row = Handshake.from_dict(MINIMAL)
    assert (row.syn_sent, row.handshake_us, row.simultaneous, row.client_options) == (None, None, None, None)
    assert (row.vlan, row.anomalies) == ((), ())


def test_null_is_unknown_and_zero_is_zero() -> None:
    row = Handshake.from_dict({**MINIMAL, "handshake_us": None, "retransmit_wait_us": 0.0, "syn_data_bytes": 0})
    assert (row.handshake_us, row.retransmit_wait_us, row.syn_data_bytes) == (None, 0.0, 0)


def test_lists_and_options_are_typed() -> None:
    options = {"mss": 1460, "window_scale": 0, "sack_permitted": False, "md5": False}
    row = Handshake.from_dict({**MINIMAL, "vlan": [5, 7], "anomalies": ["reordered"], "client_options": options})
    assert row.vlan == (5, 7)
    assert row.anomalies == ("reordered",)
    assert row.client_options == SideOptions(mss=1460, window_scale=0, sack_permitted=False)


def test_names_of_a_newer_writer_are_left_out() -> None:
    assert Handshake.from_dict({**MINIMAL, "invented": 1}) == Handshake.from_dict(MINIMAL)


@pytest.mark.parametrize("name", MINIMAL)
def test_a_record_without_its_identity_is_an_error(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        Handshake.from_dict({key: value for key, value in MINIMAL.items() if key != name})


def test_records_do_not_change() -> None:
    row = Handshake.from_dict(MINIMAL)
    with pytest.raises(FrozenInstanceError):
        row.client = "10.0.0.9"  # type: ignore[misc]


def test_a_summary_of_an_empty_object() -> None:
    numbers = Summary.from_json({})
    assert (numbers.handshakes, numbers.midstream, numbers.start_ns, numbers.peak) == (0, None, None, None)
    assert numbers.latency_us.handshake == Latency()
    assert numbers.defects == {}


def test_nulls_in_a_summary_are_defaults() -> None:
    nothing = {
        "timeline": None,
        "peak": None,
        "other_endpoints": None,
        "outcomes": None,
        "slowest": None,
        "vantage": None,
    }
    assert Summary.from_json(nothing) == Summary()


def test_defects_are_summed_over_files() -> None:
    inputs = [{"path": "a", "defects": {"cut_off": 1}}, {"path": "b", "defects": {"cut_off": 2, "fragment": 3}}]
    assert Summary.from_json({"inputs": inputs}).defects == {"cut_off": 3, "fragment": 3}
