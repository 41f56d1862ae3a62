"""A census of a busy host's sockets, beside a loop that only receives the same netlink dump, and beside ``ss``.

The sockets are made in a network namespace of this run: 200 000 in TIME_WAIT, 20 000 established, 2 000 listening. The
three are measured in turn: what else the machine does meanwhile meets all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halfopen import _core
from measure import Result, Run, run

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "target/release/examples/sockets"
TIMES = 9
WHO = ("census", "bare")
PRINTED = ("ss", "-tan")
TIME_WAIT, ESTABLISHED, LISTENERS = 200_000, 20_000, 2_000


def results() -> Iterator[Result]:
    """Both ratios, from the same sockets; nothing where namespaces may not be made."""
    build = ["cargo", "build", "--release", "--locked", "-p", "halfopen-kernel", "--example", "sockets"]
    subprocess.run(build, check=True, cwd=ROOT)
    found: list[Result] = []
    failures: list[Exception] = []

    def inside() -> None:
        namespace = _core.create_namespace()
        try:
            _core.enter_netns(namespace)
            found.extend(measure())
        except Exception as error:  # noqa: BLE001 (raised on the other thread)
            failures.append(error)
        finally:
            os.close(namespace)

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    for failure in failures:
        raise failure
    yield from found


def measure() -> list[Result]:
    """In the namespace of the calling thread."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    Path("/proc/sys/net/ipv4/tcp_max_tw_buckets").write_text(str(2 * TIME_WAIT), encoding="ascii")
    half = (ESTABLISHED // 2, LISTENERS // 2)
    with made(10_000, 0, *half), made(20_000, TIME_WAIT, *half) as holder:
        holder.measure()
        rounds = [(holder.measure(), run(PRINTED)) for _ in range(TIMES)]
    wanted = {"TIME_WAIT": TIME_WAIT, "ESTABLISHED": ESTABLISHED, "LISTEN": LISTENERS}
    for told, _ in rounds:
        if any(told[state] != count for state, count in wanted.items()):
            raise RuntimeError(f"not the sockets that were to be counted: {told}")
    return list(judged(rounds))


def judged(rounds: list[tuple[dict[str, Any], Run]]) -> Iterator[Result]:
    """The best of each."""
    best = {(who, what): min(told[who][what] for told, _ in rounds) for who in WHO for what in ("wall_ms", "cpu_ms")}
    ours, peer = (best[who, "wall_ms"] for who in WHO)
    ss = min(peers.seconds for _, peers in rounds) * 1e3
    ss_cpu = min(peers.cpu_seconds for _, peers in rounds) * 1e3
    what = "222 000 sockets counted"
    yield Result(f"{what} beside receiving alone", ours, "a bare receive loop", peer, "ms", most=1.5)
    # With two idle processors: where others keep one of them busy, the two threads of the census get less than two.
    yield Result(f"{what} 5 times as fast as printed", ours, "ss -tan", ss, "ms", most=1 / 5)
    # The kernel's own work on the dump, which both need, is a third of what ss takes (ADR 31).
    counted, received = (best[who, "cpu_ms"] for who in WHO)
    yield Result(f"{what}, processor time beside receiving alone", counted, "a bare receive loop", received, "ms", 1.5)
    yield Result(f"{what}, processor time beside printed", counted, "ss -tan", ss_cpu, "ms", most=1 / 2)


@dataclass(frozen=True)
class Holder:
    """A process that holds sockets, and measures when it is told to."""

    process: subprocess.Popen[str]

    def measure(self) -> dict[str, Any]:
        """Once: ``bare`` and ``census`` {``wall_ms``, ``cpu_ms``}, and what was counted."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        return told


@contextmanager
def made(*numbers: int) -> Iterator[Holder]:
    """Sockets of another process, as long as the block lasts."""
    command = [str(EXAMPLE), *map(str, numbers)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield Holder(process)
