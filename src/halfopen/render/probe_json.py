"""The object ``halfopen.probe/1`` that ``halfopen probe --format json`` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from halfopen.handshakes.probes.data import data_headline, data_reason
from halfopen.handshakes.probes.ending import headline, reason
from halfopen.handshakes.probes.fast_open import fast_open_headline, fast_open_verdict
from halfopen.model.probe import SCHEMA, ProbeSummary
from halfopen.render.causes import cause_objects
from halfopen.render.records import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from halfopen.model.cause import LocalCause
    from halfopen.model.probe import ProbeResult, TargetReport

Causes: TypeAlias = "Mapping[tuple[str, str], Sequence[LocalCause]]"
"""{(target, address): what on this host may be behind it}."""

#: Of a latency: what the other commands' objects hold too.
_LATENCY = ("count", "mean_us", "min", "p50", "p90", "p99", "max")


def probe_object(
    reports: Iterable[TargetReport], attempts: Iterable[dict[str, Any]], causes: Causes | None, *, reachable: bool
) -> dict[str, Any]:
    """Everything that a run found: ``targets`` with their numbers, ``attempts`` in order.

    ``local_causes`` of an address are null where they were not asked for, and empty where nothing went wrong.
    """
    return {
        "schema": SCHEMA,
        "reachable": reachable,
        "targets": [_target(report, causes) for report in reports],
        "attempts": list(attempts),
    }


def attempt_object(result: ProbeResult, *, fixed_port: bool = False) -> dict[str, Any]:
    """The record of one connect, and under ``probe`` what only the one who connected can know."""
    said = (headline(result), fast_open_headline(result), result.data and data_headline(result.data))
    sentences = (*said, reason(result, fixed_port=fixed_port), data_reason(result))
    return {
        **record(result.handshake),
        "probe": {
            "target": str(result.target),
            "round": result.round,
            "ending": result.ending,
            "interrupted": result.interrupted,
            "rtt_us": result.rtt_us,
            "rtt_validity": result.rtt_validity,
            "processor_wait_us": result.processor_wait_us,
            "retransmit_wait_method": result.retransmit_wait_method,
            "negotiated": result.negotiated and asdict(result.negotiated),
            "fast_open": result.fast_open and asdict(result.fast_open),
            "data": result.data and asdict(result.data),
            "explanation": [sentence for sentence in sentences if sentence],
        },
    }


def _target(report: TargetReport, causes: Causes | None) -> dict[str, Any]:
    return {
        "target": str(report.target),
        "host": report.target.host,
        "port": report.target.port,
        "resolve_us": report.resolve_us,
        "error": report.error,
        "reachable": report.reachable,
        "addresses": [
            {
                "address": address,
                **_numbers(report.summaries.get(address, ProbeSummary())),
                "fast_open": _fast_open(report.fast_open.get(address)),
                "local_causes": None
                if causes is None
                else cause_objects(causes.get((str(report.target), address), ())),
            }
            for address in report.addresses
        ],
    }


def _fast_open(summary: ProbeSummary | None) -> dict[str, Any] | None:
    if summary is None or summary.fast_open is None:
        return None
    counts = summary.fast_open
    return {**_numbers(summary), **asdict(counts), "verdict": fast_open_verdict(counts)}


def _numbers(summary: ProbeSummary) -> dict[str, Any]:
    times = {
        name: found and {key: getattr(found, key) for key in _LATENCY}
        for name, found in (
            ("connect_us", summary.connect_us),
            ("rtt_us", summary.rtt_us),
            ("first_byte_us", summary.first_byte_us),
        )
    }
    return {
        "attempts": summary.attempts,
        "established": summary.established,
        "answered": summary.satisfied,
        "endings": dict(summary.endings),
        "syn_sent": summary.syn_sent,
        "syn_lost": summary.syn_lost,
        **times,
        "jitter_us": summary.jitter_us,
    }
