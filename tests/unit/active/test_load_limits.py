"""The sentence behind «the client is the limit»."""

from __future__ import annotations

import os

from halfopen.active.load_limits import Strain, client_limit
from halfopen.model.load import Plan

PLAN = Plan(
    target="10.0.0.5:80", address="10.0.0.5", port=80, connections=10_000, total=None, rate=2000, duration_s=10.0,
    exchange="connect", reuse=1, close="rst", threads=1, sources=(), timeout_s=10.0,
)  # fmt: skip


def test_a_thread_without_a_pause_is_said_to_have_none() -> None:
    limit = client_limit("cpu", PLAN, Strain(0.99, None, 0.01, 10.0), 0)
    assert limit is not None
    assert limit.why.startswith("its thread had work 99 % of the time; this machine lends it ")


def test_a_late_thread_says_how_late_and_who_had_the_processor() -> None:
    limit = client_limit("cpu", PLAN, Strain(0.41, (200, 34_000.0), 3.2, 10.0), 0)
    assert limit is not None
    assert limit.why.startswith(
        "200 connections began 34 ms or more after they were due, though fewer than 10 000 were open, and their "
        "latencies count that; its thread had work 41 % of the time, and it waited 3.2 s of 10 s for a processor"
    )
    assert limit.remedy.startswith("less other work on this machine, or ")


def test_a_kernel_that_does_not_count_the_wait_is_not_quoted() -> None:
    limit = client_limit("cpu", PLAN, Strain(0.41, (200, 34_000.0), None, 10.0), 0)
    assert limit is not None
    assert "for a processor" not in limit.why
    assert "other work" not in limit.remedy
    assert f"{len(os.sched_getaffinity(0))} processor" in limit.why
