"""The forecast beside a simulation that opens and closes connections second by second."""

from __future__ import annotations

import pytest

from halfopen.model.sockets import Destination
from halfopen.rules.port_forecast import ByAges, ByGrowth, forecast


def destination(opened: int, ages: tuple[int, ...] = (), time_wait: int = 0) -> Destination:
    waiting = sum(ages) or time_wait
    return Destination(
        "10.0.0.1",
        "10.0.0.2",
        443,
        {"ESTABLISHED": opened, "TIME_WAIT": waiting},
        in_range=opened + waiting,
        time_wait_ages=ages,
    )


def churn(rate: int, begun_s: int) -> tuple[int, ...]:
    """Ages of TIME_WAIT after ``begun_s`` seconds of ``rate`` connections a second."""
    return tuple(rate * max(0, min(10, begun_s - start)) for start in range(0, 60, 10))


def simulated(rate: int, begun_s: int, opened: int, opening: int, ports: int) -> int | None:
    """The second in which so many ports are taken, counted one by one."""
    for second in range(10_000):
        now = begun_s + second
        taken = opened + opening * second + rate * min(now, 60)
        if taken >= ports:
            return second
    return None


@pytest.mark.parametrize("ports", [14_116, 28_232])
@pytest.mark.parametrize("opening", [0, 7])
@pytest.mark.parametrize("rate", [0, 200, 300, 460, 500, 2000])
@pytest.mark.parametrize("begun_s", [10, 20, 40, 60, 300])
def test_as_the_simulation_says(rate: int, begun_s: int, opening: int, ports: int) -> None:
    before = destination(100 - opening, (1,) * 6)
    found = forecast(destination(100, churn(rate, begun_s) if rate else (0,) * 6), before, 1.0)
    expected, said = simulated(rate, begun_s, 100, opening, ports), found.seconds_to(ports)
    if expected is None or said is None:
        assert expected is said is None
    else:
        assert said == pytest.approx(expected, abs=1.5)


def test_a_steady_rate_levels_off() -> None:
    found = forecast(destination(100, churn(300, 20)), None, None)
    assert (found.rate_per_s, found.closes_per_s, found.plateau, found.taken) == (300, 300, 18_100, 6_100)
    assert found.seconds_to(18_200) is None


def test_what_ended_frees_ports() -> None:
    found = forecast(destination(0, (0, 0, 9000, 9000, 9000, 0)), None, None)
    assert found.rate_per_s == 0
    assert found.seconds_to(27_001) is None
    assert isinstance(found, ByAges)
    assert [found.at(seconds) for seconds in (0, 10, 20, 30, 60)] == [27_000, 27_000, 18_000, 9_000, 0]


def test_with_reuse_only_the_youngest_count() -> None:
    found = forecast(destination(100, churn(1000, 60)), None, None, reuse_after_s=1.0)
    assert (found.taken, found.plateau) == (1100, 1100)
    assert found.seconds_to(28_232) is None
    assert found.seconds_to(1100) == 0.0


def test_without_ages_two_snapshots_tell_the_growth() -> None:
    found = forecast(destination(10, time_wait=1000), destination(10, time_wait=500), 1.0)
    assert isinstance(found, ByGrowth)
    assert (found.rate_per_s, found.closes_per_s, found.plateau) == (500, 500, 30_010)
    assert found.seconds_to(28_232) == pytest.approx((28_232 - 1010) / 500)
    assert found.seconds_to(31_000) is None


def test_without_ages_one_snapshot_tells_no_rate() -> None:
    found = forecast(destination(10, time_wait=600), None, None)
    assert (found.rate_per_s, found.closes_per_s, found.seconds_to(1000), found.seconds_to(600)) == (
        None,
        10,
        None,
        0.0,
    )
