"""The doctor on real hosts: every fault is found, and no healthy host raises an alarm."""

from __future__ import annotations

import os
from shutil import which
from typing import TYPE_CHECKING

import pytest
from tests.rules.faulty import FAULTY
from tests.rules.healthy import HEALTHY, PROGRAMS
from tests.rules.hosts import Hosts, doctor

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rules.conftest import Outcomes

    from halfopen.lab.namespace import Namespace

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="making network namespaces needs root"),
    pytest.mark.timeout(240),
]


@pytest.mark.parametrize(("prepare", "code"), FAULTY, ids=[prepare.__name__ for prepare, _ in FAULTY])
def test_a_fault_is_found(prepare: Callable[[Hosts], Namespace], code: str, outcomes: Outcomes) -> None:
    with Hosts() as hosts:
        findings = doctor(prepare(hosts))["findings"]
    codes = {found for finding in findings for found in (finding["code"], *finding["also"])}
    outcomes["found"].append((prepare.__name__, code in codes))
    assert code in codes, [(finding["code"], finding["cause"]) for finding in findings]


@pytest.mark.parametrize("prepare", HEALTHY, ids=lambda prepare: str(prepare.__name__))
def test_a_healthy_host_raises_no_alarm(prepare: Callable[[Hosts], Namespace], outcomes: Outcomes) -> None:
    program = PROGRAMS.get(prepare)
    if program is not None and which(program) is None:
        pytest.skip(f"{program} is not installed")
    with Hosts() as hosts:
        host = prepare(hosts)
        # Both ways of asking: watching, and one look at counters since boot.
        findings = [*doctor(host)["findings"], *doctor(host, None)["findings"]]
    alarms = [(finding["code"], finding["cause"]) for finding in findings if finding["severity"] != "notice"]
    outcomes["alarms"].append((prepare.__name__, bool(alarms)))
    assert alarms == []
