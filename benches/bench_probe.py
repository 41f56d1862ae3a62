"""What ``halfopen probe`` adds to the time that it measures: connect() minus the kernel's own round trip, ``TCP_INFO``.

On a veth pair and on loopback, in namespaces of this run, in turn with a bare blocking connect() in C. The server
accepts nothing: a process that is woken up on the same machine is woken up within the client's connect(), which is
then longer by that, whoever calls it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from halfopen.lab.topology import Network, pair
from measure import Result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lab.namespace import Namespace

HALFOPEN = Path(sys.executable).with_name("halfopen")
ROUNDS, CONNECTS = 6, 200
#: Issue of the probe: what it adds of its own, microseconds.
MOST_US = 20.0
#: Beside the bare connect(), which takes that long itself.
BESIDE_BARE = 1.5
#: The control does not pause: its caches are as warm as they get.
PAUSE_US = "0"
BACKLOG = 4 * ROUNDS * CONNECTS


def results() -> Iterator[Result]:
    """Both networks; nothing where namespaces may not be made."""
    if os.geteuid() != 0:
        print("making a network namespace needs root: probe is not measured", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as scratch, Network() as network:
        control = Path(scratch, "connect_times")
        subprocess.run(["cc", "-O2", "-o", control, Path(__file__).with_name("connect_times.c")], check=True)
        both = pair(network)
        both.server.set_sysctl("net.core.somaxconn", BACKLOG)
        with both.server.run(socket.create_server, ("", 0), backlog=BACKLOG) as server:
            port = server.getsockname()[1]
            yield from _beside_bare("a veth pair", both.client, both.server_address, port, control)
            yield from _beside_bare("loopback", both.server, "127.0.0.1", port, control)


def _beside_bare(where: str, host: Namespace, address: str, port: int, control: Path) -> Iterator[Result]:
    """Both in turn: what else the machine does meanwhile meets both."""
    ours, bare = [], []
    for _ in range(ROUNDS):
        ours += host.run(_probe, address, port)
        bare += host.run(_control, control, address, port)
    added, least = median(ours), median(bare)
    what = f"probe on {where}: connect() beyond the kernel's round trip"
    yield Result(f"{what} under {MOST_US:g} µs", added, "the limit", MOST_US, "µs", most=1.0)
    yield Result(f"{what}, beside a bare connect() in C", added, "its own", least, "µs", most=BESIDE_BARE)


def _probe(address: str, port: int) -> list[float]:
    command: list[str | Path] = [
        HALFOPEN,
        "probe",
        "--format",
        "jsonl",
        "-c",
        str(CONNECTS),
        "-i",
        "0",
        f"{address}:{port}",
    ]
    records = map(json.loads, _lines(command))
    return [record["connect_us"] - record["syn_to_syn_ack_us"] for record in records]


def _control(control: Path, address: str, port: int) -> list[float]:
    rows = (line.split() for line in _lines([control, address, str(port), str(CONNECTS), PAUSE_US]))
    return [float(wall) - float(round_trip) for wall, round_trip in rows]


def _lines(command: list[str | Path]) -> list[str]:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()
