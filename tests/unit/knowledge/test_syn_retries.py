"""When a SYN is sent again and when connect() gives up, against what was measured on Linux 6.18.44."""

from __future__ import annotations

import pytest

from halfopen.knowledge.syn_retries import (
    LATE_SHARE,
    gives_up_after_s,
    syn_ack_gives_up_after_s,
    syn_times_s,
)

#: (tcp_syn_retries, tcp_syn_linear_timeouts) → when each SYN went out, and when ETIMEDOUT came; seconds, measured.
MEASURED: list[tuple[int, int, list[float], float]] = [
    (1, 4, [0, 1, 2], 3.1),
    (2, 4, [0, 1, 2, 3.1, 4.1, 5.1], 7.1),
    (3, 4, [0, 1, 2, 3.1, 4.1, 5.1, 7.1, 11.2], 19.4),
    (4, 4, [0, 1, 2, 3.1, 4.1, 5.1, 7.1, 11.2, 19.4], 35.5),
    (5, 4, [0, 1, 2, 3.1, 4.1, 5.1, 7.1, 11.2, 19.4, 35.5], 69.3),
    (1, 0, [0, 1], 3.0),
    (2, 0, [0, 1, 3], 7.1),
    (3, 0, [0, 1, 3, 7.1], 15.3),
    (4, 0, [0, 1, 3, 7.1, 15.3], 31.4),
    (5, 0, [0, 1, 3, 7.1, 15.3, 31.4], 65.2),
]


@pytest.mark.parametrize(("retries", "linear", "times", "gives_up"), MEASURED)
def test_as_measured(retries: int, linear: int, times: list[float], gives_up: float) -> None:
    expected = syn_times_s(retries, linear)
    assert len(expected) == len(times)
    for ours, theirs in zip((*expected, gives_up_after_s(retries, linear)), (*times, gives_up), strict=True):
        assert ours <= theirs + 0.05
        assert theirs <= ours * (1 + LATE_SHARE) + 0.15


def test_the_defaults() -> None:
    assert gives_up_after_s(6, 4) == 131
    assert gives_up_after_s(6, 4) * (1 + LATE_SHARE) >= 134.7
    assert gives_up_after_s(6) == 127


@pytest.mark.parametrize(("retries", "seconds"), [(3, 7.1), (4, 9.1), (5, 11.2)])
def test_a_cap_of_two_seconds(retries: int, seconds: float) -> None:
    assert gives_up_after_s(retries, 4, 2.0) == pytest.approx(seconds, rel=LATE_SHARE)


@pytest.mark.parametrize(("retries", "seconds"), [(1, 3.1), (2, 7.4), (3, 15.5), (5, 63.9)])
def test_half_open_requests(retries: int, seconds: float) -> None:
    assert syn_ack_gives_up_after_s(retries) == pytest.approx(seconds, rel=0.06)


def test_the_largest_values_end() -> None:
    assert len(syn_times_s(127, 127)) <= 127 + 127 + 1
