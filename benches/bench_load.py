"""``halfopen load`` beside ``ab`` and a minimal epoll loop in C, against the same nginx with one worker, on loopback.

Whole processes, one thread each, the same connections at a time. The server's three bytes cost next to nothing, so that
what is measured is the opening of connections. A peer that is not installed is said and left out:
``scripts/install-system bench`` installs them.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from measure import Result, alternating, run

if TYPE_CHECKING:
    from collections.abc import Iterator

HALFOPEN = Path(sys.executable).with_name("halfopen")
CONNECTIONS = os.environ.get("HALFOPEN_BENCH_CONNECTIONS", "100")
TOTAL = os.environ.get("HALFOPEN_BENCH_TOTAL", "100000")
TIMES = 5
MIB = 1 << 20
#: How many times as many connections a second as ab, by who closes; ab leaves that to the server, whose FIN costs both
#: kernels a fifth of the whole. By this side's FIN
#: the server is woken up once more for each, and a port of this side is free again after a second only: no claim.
AB_GOALS = {"rst": 1.5, "server-first": 1.3}
#: As many as the loop in C.
LOOP_GOAL = 0.9
#: Memory of a run of a million connections beside one of a tenth of it.
FLAT = 1.05

NGINX = """
daemon off; worker_processes 1; pid {directory}/pid; error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
    access_log off; client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
    server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "ok\\n"; }} }}
}}
"""


def results() -> Iterator[Result]:
    """Every claim for which the peers are here."""
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx is None:
        print("nginx is not installed: load is not measured", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as scratch, _serving(nginx, Path(scratch)) as port:
        yield from _beside_ab(port)
        yield from _beside_a_loop(port, Path(scratch))
        yield from _memory(port)


def _load(port: int, *more: str, total: str = TOTAL) -> list[str | Path]:
    return [HALFOPEN, "--quiet", "load", f"127.0.0.1:{port}", "-c", CONNECTIONS, "-n", total, *more]


def _beside_ab(port: int) -> Iterator[Result]:
    if shutil.which("ab") is None:
        print("ab is not installed: HTTP is not measured", file=sys.stderr)
        return
    for close, goal in AB_GOALS.items():
        command = ["ab", "-q", "-n", TOTAL, "-c", CONNECTIONS, f"http://127.0.0.1:{port}/"]
        ours, ab = alternating(_load(port, "--http", "/", "--close", close), command, TIMES)
        claim = f"load --http --close {close}: {goal} times as many connections a second as ab"
        yield Result(claim, ours.seconds, "ab", ab.seconds, "s", most=1 / goal)


def _beside_a_loop(port: int, scratch: Path) -> Iterator[Result]:
    loop = scratch / "connect_loop"
    run(["cc", "-O2", "-o", loop, Path(__file__).with_name("connect_loop.c")])
    ours, peer = alternating(_load(port), [loop, str(port), CONNECTIONS, TOTAL], TIMES)
    claim = f"load, connect only: {LOOP_GOAL} of a minimal epoll loop in C"
    yield Result(claim, ours.seconds, "the loop", peer.seconds, "s", most=1 / LOOP_GOAL)


def _memory(port: int) -> Iterator[Result]:
    few = run(_load(port, total=str(100_000))).peak_bytes / MIB
    many = run(_load(port, total=str(1_000_000))).peak_bytes / MIB
    yield Result("load: a million connections in the memory of a tenth", many, "100 000", few, "MiB", most=FLAT)


@contextmanager
def _serving(nginx: str, directory: Path) -> Iterator[int]:
    """An nginx of our own on a free port, ended with the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    configuration = directory / "nginx.conf"
    configuration.write_text(NGINX.format(directory=directory, port=port), encoding="utf-8")
    server = subprocess.Popen([nginx, "-p", directory, "-c", configuration])
    try:
        _wait_for(port, server)
        yield port
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            continue
        return
    raise RuntimeError(f"nginx ended with {server.returncode}")
