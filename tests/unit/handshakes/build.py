"""Short ways to write down a summary in a test: only what the case is about."""

from __future__ import annotations

from typing import Any

from halfopen.model.summary import Summary

START_NS = 1_777_636_800_000_000_000
SECOND_NS = 1_000_000_000


def row(server: str = "10.0.0.5", port: int = 443, *, span_s: float = 60, **values: Any) -> dict[str, Any]:  # noqa: ANN401
    """An endpoint; outcomes by name, everything else as in the JSON. Counts that follow from others are filled in."""
    names = ("established", "refused", "unreachable", "unanswered", "half_open", "reset_by_client", "reset_by_server")
    outcomes = {name: values.pop(name) for name in (*names, "partial") if name in values}
    handshakes = sum(outcomes.values())
    partial, established = outcomes.get("partial", 0), outcomes.get("established", 0)
    return {
        "server": server,
        "server_port": port,
        "handshakes": handshakes,
        "outcomes": outcomes,
        "answered": handshakes - outcomes.get("unanswered", 0),
        "failed": handshakes - partial - established,
        "syn_sent": handshakes - partial,
        "syn_ack_sent": established + sum(outcomes.get(name, 0) for name in names[4:]),
        "first_ns": START_NS,
        "last_ns": START_NS + int(span_s * SECOND_NS),
        "clients": 1,
        "clients_exact": True,
        "failed_clients": 1,
        "failed_clients_exact": True,
        "peak": {"attempts": handshakes, "seconds": 1, "at_ns": START_NS},
        **values,
    }


def waits(answered: int, **seconds: int) -> dict[str, Any]:
    """Retransmission numbers of an endpoint: ``waits(100, s1=5, s3=2)``."""
    waited = sum(seconds.values())
    return {
        "answered": answered,
        "waited": waited,
        "syn": waited,
        "syn_handshakes": waited,
        "waits": [{"seconds": 0, "count": answered - waited}]
        + [{"seconds": int(name[1:]), "count": count} for name, count in seconds.items()],
    }


def host(server: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401
    """A server address, by default one that never answered two connects of one client to one port."""
    return {
        "server": server,
        "ports": 1,
        "server_port": 443,
        "handshakes": 2,
        "outcomes": {"unanswered": 2},
        "syn_sent": 4,
        "clients": 1,
        "clients_exact": True,
        "first_ns": START_NS,
        "last_ns": START_NS + 60 * SECOND_NS,
        **values,
    }


def summary(*rows: dict[str, Any], **values: Any) -> Summary:  # noqa: ANN401
    """A whole summary whose totals are the sums of ``rows``."""
    outcomes: dict[str, int] = {}
    for endpoint in rows:
        for name, count in endpoint["outcomes"].items():
            outcomes[name] = outcomes.get(name, 0) + count
    undecided: dict[str, int] = {}
    for endpoint in rows:
        for name, count in endpoint.get("undecided", {}).items():
            undecided[name] = undecided.get(name, 0) + count
    retransmission = {"waited": sum(endpoint.get("retransmission", {}).get("waited", 0) for endpoint in rows)}
    handshakes = sum(outcomes.values())
    return Summary.from_json(
        {
            "packets": 4 * handshakes,
            "tcp_segments": 4 * handshakes,
            "handshakes": handshakes,
            "outcomes": outcomes,
            "undecided": undecided,
            "syn_sent": sum(endpoint["syn_sent"] for endpoint in rows),
            "retransmission": retransmission,
            "start_ns": START_NS,
            "end_ns": START_NS + 120 * SECOND_NS,
            "endpoints": list(rows),
            "endpoints_total": len(rows),
            **values,
        }
    )
