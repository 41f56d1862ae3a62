"""The table of kernel settings against the kernel: what it accepts, and what a fresh namespace begins with."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from halfopen.knowledge.kernel_version import MEASURED, KernelVersion
from halfopen.knowledge.sysctls import ROWS, Sysctl

#: Says what one key of the new namespace that it is started in holds, and of each value whether the kernel takes it.
PROBE = """
import sys
path, *values = sys.argv[1:]
print(" ".join(open(path).read().split()))
for value in values:
    try:
        with open(path, "w") as file:
            file.write(value)
        print("taken")
    except OSError as error:
        print(error.errno)
"""

NUMBERS = [
    row for row in ROWS if row.accepts and row.count == 1 and row.scope == "namespace" and row.effect != "module"
]
#: Those of the whole host may have been changed, those of modules may not be there.
WITH_DEFAULT = [row for row in ROWS if row.default and row.scope == "namespace" and row.effect != "module"]


@pytest.fixture(autouse=True)
def _measured_kernel() -> None:
    if os.geteuid() != 0:
        pytest.skip("a network namespace of one's own needs root")
    if KernelVersion.parse(platform.release()) != MEASURED:
        pytest.skip(f"the table was measured on Linux {MEASURED}, this is {platform.release()}")


def probe(row: Sysctl, *values: int) -> list[str]:
    path = "/proc/sys/" + row.key.replace("*", "all").replace(".", "/")
    command = ["unshare", "-n", sys.executable, "-c", PROBE, path]
    done = subprocess.run([*command, *map(str, values)], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.splitlines()


@pytest.mark.parametrize("row", NUMBERS, ids=lambda row: row.key)
def test_the_range_is_the_kernels(row: Sysctl) -> None:
    assert row.accepts is not None
    low, high = row.accepts
    if row.key == "net.ipv4.ip_unprivileged_port_start":
        high = 32768  # no further than where the port range begins: they bound each other
    _, *answers = probe(row, low, high, low - 1, high + 1)
    assert answers == ["taken", "taken", "22", "22"]


@pytest.mark.parametrize("row", WITH_DEFAULT, ids=lambda row: row.key)
def test_the_default_is_that_of_a_fresh_namespace(row: Sysctl) -> None:
    assert probe(row) == [row.default]
