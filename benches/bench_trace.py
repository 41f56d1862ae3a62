"""``halfopen trace`` beside tcpdump, tshark and argus on three generated captures: whole processes, warm, in one run.

The captures are made by ``../shared/bench/genbench.py`` (``HALFOPEN_BENCH_GENERATOR`` names another place; it needs
numpy), or are taken from ``HALFOPEN_BENCH_DATA`` where they lie ready. ``HALFOPEN_BENCH_SCALE`` makes them smaller
(1 is 6 GB). tshark takes ten minutes: it runs where ``HALFOPEN_BENCH_TSHARK`` is set.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from measure import Result, best, run

if TYPE_CHECKING:
    from collections.abc import Iterator

HALFOPEN = Path(sys.executable).with_name("halfopen")
GENERATOR = Path(os.environ.get("HALFOPEN_BENCH_GENERATOR", "../shared/bench/genbench.py"))
SCALE = float(os.environ.get("HALFOPEN_BENCH_SCALE", "1"))
TIMES = 3
MIB = 1 << 20

#: What the generator calls each capture, and what it is.
CAPTURES = {"syn-flood": "flood", "bulk": "bulk", "handshakes": "handshakes"}
#: The fields that a record holds, as tshark names them.
FIELDS = """
    frame.number frame.time_epoch ip.src ip.dst ipv6.src ipv6.dst tcp.srcport tcp.dstport tcp.stream tcp.flags tcp.len
    tcp.seq_raw tcp.ack_raw tcp.window_size_value tcp.options.mss_val tcp.options.wscale.shift tcp.options.sack_perm
    tcp.options.timestamp.tsval tcp.analysis.initial_rtt tcp.completeness
""".split()  # noqa: SIM905 - a list of names is read more easily than twenty strings
#: How often faster than each peer the whole analysis is meant to be, by capture.
GOALS = {"tshark": dict.fromkeys(CAPTURES, 200.0), "argus": {"bulk": 5.0, "handshakes": 15.0}}


def results() -> Iterator[Result]:
    """Every claim on every capture; a capture that cannot be had is said and left out."""
    with tempfile.TemporaryDirectory() as scratch:
        for name, what in CAPTURES.items():
            capture = _capture(name, Path(scratch))
            if capture is None:
                continue
            run(["cat", capture])
            yield from _peers(what, name, capture)
            yield from _outputs(what, name, capture, Path(scratch))


def _peers(what: str, name: str, capture: Path) -> Iterator[Result]:
    command: list[str | Path] = [HALFOPEN, "--quiet", "trace", capture]
    ours = best(command, TIMES)
    memory = ours.peak_bytes / MIB
    yield Result(f"{what}: peak memory under 512 MiB", memory, "the limit", 512.0, "MiB", most=1.0)
    tcpdump = best(["tcpdump", "-r", capture, "-w", "/dev/null", "tcp[tcpflags] & tcp-syn != 0"], TIMES).seconds
    yield Result(f"{what}: analysis beside tcpdump's filter", ours.seconds, "tcpdump", tcpdump, "s", most=1.0)
    if shutil.which("argus") and name in GOALS["argus"]:
        argus = best(["argus", "-r", capture, "-w", "/dev/null"], 1).seconds
        goal = 1 / GOALS["argus"][name]
        yield Result(f"{what}: analysis beside argus", ours.seconds, "argus", argus, "s", most=goal)
    if shutil.which("tshark") and os.environ.get("HALFOPEN_BENCH_TSHARK"):
        fields = [argument for field in FIELDS for argument in ("-e", field)]
        tshark = run(["tshark", "-r", capture, "-n", "-Y", "tcp", "-T", "fields", *fields]).seconds
        yield Result(f"{what}: analysis beside tshark", ours.seconds, "tshark", tshark, "s", most=1 / 200)


def _outputs(what: str, name: str, capture: Path, scratch: Path) -> Iterator[Result]:
    """What writing all records costs beside the analysis itself: only where there are many."""
    if name != "handshakes":
        return
    analysis = best([HALFOPEN, "--quiet", "trace", capture], TIMES).seconds
    for format_, most in (("parquet", 1.0), ("jsonl", 3.0)):
        target = scratch / f"out.{format_}"
        whole = best([HALFOPEN, "--quiet", "trace", capture, "--format", format_, "-o", target], TIMES).seconds
        target.unlink()
        claim = f"{what}: writing all records as {format_}"
        yield Result(claim, max(whole - analysis, 0.0), "the analysis", analysis, "s", most=most)


def _capture(name: str, scratch: Path) -> Path | None:
    ready = os.environ.get("HALFOPEN_BENCH_DATA")
    if ready:
        path = Path(ready) / f"{name}.pcap"
        if path.exists():
            return path
    if not GENERATOR.exists():
        print(f"left out: {name}: there is no generator at {GENERATOR}", file=sys.stderr)
        return None
    kind = "short" if name == "handshakes" else CAPTURES[name]
    path = scratch / f"{name}.pcap"
    made = subprocess.run([sys.executable, GENERATOR, kind, path, "--scale", str(SCALE)], check=False)
    if made.returncode != 0:
        print(f"left out: {name}: the generator failed (it needs numpy)", file=sys.stderr)
        return None
    return path
