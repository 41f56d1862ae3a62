"""The doctor on real hosts: every fault is found, and no healthy host raises an alarm."""

from __future__ import annotations

import os
import subprocess
from shutil import which
from typing import TYPE_CHECKING

import pytest
from tests.rules.faulty import FAULTY
from tests.rules.faulty_programs import PROGRAMS_AT_FAULT
from tests.rules.healthy import HEALTHY, PROGRAMS
from tests.rules.healthy_proxy import proxy, proxy_without_reuse
from tests.rules.healthy_services import SERVICES, redis_pipelines
from tests.rules.hosts import Hosts, doctor
from tests.rules.tables import HEALTHY_TABLES, TABLES_AT_FAULT

from halfopen.errors import NotAvailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rules.conftest import Outcomes

    from halfopen.lab.namespace import Namespace

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="making network namespaces needs root"),
    pytest.mark.timeout(240),
]


def complaints(command: str) -> str:
    """What a command that a finding gives to check it by says when somebody copies it; nothing when it works."""
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=20)
    return done.stderr or ("" if done.returncode == 0 else f"exit code {done.returncode}")


NEEDED = {**PROGRAMS, redis_pipelines: "redis-server", proxy: "haproxy", proxy_without_reuse: "haproxy"}
ALL_FAULTY = (*FAULTY, *PROGRAMS_AT_FAULT, *TABLES_AT_FAULT)


def prepared(prepare: Callable[[Hosts], Namespace], hosts: Hosts) -> Namespace:
    """The host to be examined; a table that this machine has not, or that is too large to fill, is a reason to skip."""
    try:
        return prepare(hosts)
    except NotAvailableError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(("prepare", "code"), ALL_FAULTY, ids=[prepare.__name__ for prepare, _ in ALL_FAULTY])
def test_a_fault_is_found(prepare: Callable[[Hosts], Namespace], code: str, outcomes: Outcomes) -> None:
    with Hosts() as hosts:
        host = prepared(prepare, hosts)
        findings = doctor(host)["findings"]
        for finding in findings:
            assert host.run(complaints, finding["confirm"]) == "", finding["confirm"]
    codes = {found for finding in findings for found in (finding["code"], *finding["also"])}
    outcomes["found"].append((prepare.__name__, code in codes))
    assert code in codes, [(finding["code"], finding["cause"]) for finding in findings]


@pytest.mark.parametrize(
    "prepare",
    [*HEALTHY, *SERVICES, *HEALTHY_TABLES, proxy, proxy_without_reuse],
    ids=lambda prepare: str(prepare.__name__),
)
def test_a_healthy_host_raises_no_alarm(prepare: Callable[[Hosts], Namespace], outcomes: Outcomes) -> None:
    program = NEEDED.get(prepare)
    if program is not None and which(program) is None:
        pytest.skip(f"{program} is not installed")
    with Hosts() as hosts:
        host = prepared(prepare, hosts)
        # Both ways of asking: watching, and one look at counters since boot.
        findings = [*doctor(host)["findings"], *doctor(host, None)["findings"]]
    alarms = [(finding["code"], finding["cause"]) for finding in findings if finding["severity"] != "notice"]
    outcomes["alarms"].append((prepare.__name__, bool(alarms)))
    assert alarms == []
