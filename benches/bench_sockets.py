"""A census of a busy host's sockets, beside a loop that only receives the same netlink dump, and beside ``ss``.

The sockets are made in a network namespace of this run: 200 000 in TIME_WAIT, 20 000 established, 2 000 listening.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from halfopen import _core
from measure import Result, best

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "target/release/examples/sockets"
TIMES = 9
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
    with made(10_000, 0, *half, 0), made(20_000, TIME_WAIT, *half, TIMES) as told:
        wanted = {"TIME_WAIT": TIME_WAIT, "ESTABLISHED": ESTABLISHED, "LISTEN": LISTENERS}
        if any(told[state] != count for state, count in wanted.items()):
            raise RuntimeError(f"not the sockets that were to be counted: {told}")
        ss = best(["ss", "-tan"], 3).seconds * 1e3
    ours = told["census_ms"]
    what = "222 000 sockets counted"
    return [
        Result(f"{what} beside receiving alone", ours, "a bare receive loop", told["bare_ms"], "ms", most=1.5),
        # With two idle processors: where others keep one of them busy, the two threads of the census get less than two.
        Result(f"{what} 5 times as fast as printed", ours, "ss -tan", ss, "ms", most=1 / 5),
    ]


@contextmanager
def made(*numbers: int) -> Iterator[dict[str, float]]:
    """Sockets of another process, as long as the block lasts, and what it measured."""
    command = [str(EXAMPLE), *map(str, numbers)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        yield json.loads(holder.stdout.readline())
