"""What ``halfopen trace`` was asked to do, as one value, and which wishes exclude each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from halfopen.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from halfopen.model.exchange import FourTuple
    from halfopen.model.moment import Moment

FailOn = Literal["never", "failed", "anomaly"]
FAIL_ON: tuple[FailOn, ...] = ("never", "failed", "anomaly")


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceOptions:
    """The options, under their names; None is «not given»."""

    files: tuple[str, ...]
    """Paths as they were given; ``-`` is standard input."""
    where: str | None = None
    sort: str | None = None
    top: int | None = None
    since: Moment | None = None
    until: Moment | None = None
    ladder: int | FourTuple | None = None
    report: Path | None = None
    against: str | None = None
    output: Path | None = None
    fail_on: FailOn = "never"
    max_flows: int | None = None
    verify_checksums: bool = False


def check(options: TraceOptions, format_: str) -> None:
    """Refuse what cannot be meant.

    Raises:
        UsageError: two wishes exclude each other, or a result would overwrite a capture.
    """
    if options.ladder is not None and format_ != "text":
        raise UsageError(f"--ladder is a drawing: it has no --format {format_}")
    if options.ladder is not None and options.against is not None:
        raise UsageError("--ladder draws one capture, and --against compares two")
    if options.ladder is not None:
        _check_ladder(options)
    if [*options.files, options.against].count("-") > 1:
        raise UsageError("standard input can be read only once: - was given twice")
    since, until = options.since, options.until
    if since and until and since.relative == until.relative and since.ns >= until.ns:
        raise UsageError("--since is not before --until: no handshake can be in between")
    _check_targets(options)
    if options.against is not None:
        _check_against(options, format_)


def _check_against(options: TraceOptions, format_: str) -> None:
    for name in ("where", "sort", "since", "until", "report"):
        if getattr(options, name) is not None:
            raise UsageError(f"--against compares whole captures: it takes no --{name}")
    if format_ in {"csv", "parquet"}:
        raise UsageError(f"--against has no --format {format_}: it prints text, json, jsonl")


def _check_ladder(options: TraceOptions) -> None:
    for name in ("where", "sort", "top", "since", "until", "report"):
        if getattr(options, name) is not None:
            raise UsageError(f"--ladder draws what it names, whatever else is in the capture: it takes no --{name}")


def _check_targets(options: TraceOptions) -> None:
    captures = [path for path in (*options.files, options.against) if path not in {None, "-"}]
    for name, target in (("--output", options.output), ("--report", options.report)):
        if target is not None and any(_is_same_file(target, str(capture)) for capture in captures):
            raise UsageError(f"{name} {target} is one of the captures: it would be overwritten")
    if str(options.report) == "-":
        raise UsageError("--report needs the name of a file: standard output has the result")
    if options.report is not None:
        # Standard input is copied; a pipe with a name would be waited for, for ever.
        for path in filter(_is_pipe, options.files):
            raise UsageError(f"--report reads captures twice, and {path} is a pipe: give it as standard input, -")
    if options.output and options.report and _is_same_file(options.output, str(options.report)):
        raise UsageError("--output and --report are the same file")


def _is_pipe(path: str) -> bool:
    from pathlib import Path

    return path != "-" and Path(path).is_fifo()


def _is_same_file(one: Path, other: str) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return str(one) == other  # neither need exist yet
