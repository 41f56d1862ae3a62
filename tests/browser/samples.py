"""Data for the report, made from single handshakes so that every sum in it is consistent with every other."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

START_NS = 1_795_350_130_123_456_789
METRICS = ("syn_to_syn_ack", "syn_ack_to_ack", "handshake", "retransmit_wait")
HOSTILE = "</script><script>alert(1)</script>"

Record = dict[str, Any]
Peer = tuple[str, int]


def record(at_s: float, client: Peer, server: Peer, outcome: str, **fields: object) -> Record:
    """A handshake with what was not given unknown."""
    blank: Record = dict.fromkeys((f"{m}_us" for m in METRICS), None)
    frame = int(at_s * 1000) + 1
    return {
        **blank,
        "source": "office-uplink.pcapng",
        "start_ns": START_NS + round(at_s * 1e9),
        "client": client[0],
        "client_port": client[1],
        "server": server[0],
        "server_port": server[1],
        "outcome": outcome,
        "syn_sent": 1,
        "syn_ack_sent": 0,
        "anomalies": [],
        "time_wait": None,
        "frame_syn": frame,
        "frame_syn_ack": None,
        "frame_ack": None,
        **fields,
    }


def completed(rng: random.Random, at_s: float, client: Peer, server: Peer, *, near_ms: float, waits: int) -> Record:
    """An established handshake whose SYN was lost `waits` times."""
    lost = (2**waits - 1) * 1e6 + (rng.uniform(0, 40_000) if waits else 0)
    there = lost + rng.lognormvariate(math.log(near_ms * 1000), 0.35)
    back = rng.lognormvariate(math.log(180), 0.5)
    seen = record(at_s, client, server, "established", syn_sent=1 + waits, syn_ack_sent=1)
    seen |= {
        "syn_to_syn_ack_us": round(there, 3),
        "syn_ack_to_ack_us": round(back, 3),
        "handshake_us": round(there + back, 3),
    }
    seen |= {"retransmit_wait_us": round(lost, 3), "anomalies": ["syn_retransmitted"] if waits else []}
    seen |= {"frame_syn_ack": seen["frame_syn"] + 3 + waits, "frame_ack": seen["frame_syn"] + 4 + waits}
    seen["time_wait"] = rng.choice(["client", "client", "client", "server", "both", None])
    if rng.random() < 0.01:
        seen["anomalies"] = [
            *seen["anomalies"],
            rng.choice(["port_reused", "ttl_jump", "option_stripped", "reordered"]),
        ]
    return seen


def quantiles(values: list[float]) -> dict[str, Any]:
    """`latency` of the summary."""
    if not values:
        return {"count": 0, "p50": None, "p90": None, "p99": None, "max": None}
    ordered = sorted(values)
    at = {f"p{round(q * 100)}": ordered[int((len(ordered) - 1) * q)] for q in (0.5, 0.9, 0.99)}
    return {"count": len(values), **at, "max": ordered[-1]}


def known(records: list[Record], metric: str) -> list[float]:
    return [r[f"{metric}_us"] for r in records if r[f"{metric}_us"] is not None]


def histogram(records: list[Record]) -> dict[str, Any]:
    """`histogram` of the summary: 20 edges a decade from 1 µs, trimmed to what is not empty."""
    bins: dict[str, Counter[int]] = {
        m: Counter(math.floor(20 * math.log10(v)) for v in known(records, m) if v >= 1) for m in METRICS
    }
    used = [i for counter in bins.values() for i in counter]
    if not used:
        return {"edges_us": [], "below": {}, "above": {}, **{m: [] for m in METRICS}}
    low, high = min(used), max(used)
    return {
        "edges_us": [10 ** (i / 20) for i in range(low, high + 2)],
        **{m: [bins[m][i] for i in range(low, high + 1)] for m in METRICS},
        "below": {m: sum(v < 1 for v in known(records, m)) for m in METRICS},
        "above": dict.fromkeys(METRICS, 0),
    }


def timeline(records: list[Record], width_s: float = 1) -> dict[str, Any] | None:
    if not records:
        return None
    bins = max(int((r["start_ns"] - START_NS) / 1e9 / width_s) for r in records) + 1
    columns: dict[str, list[Any]] = {
        name: [0] * bins for name in ("attempts", "established", "failed", "retransmitted")
    }
    slowest: list[float | None] = [None] * bins
    for r in records:
        i = int((r["start_ns"] - START_NS) / 1e9 / width_s)
        columns["attempts"][i] += 1
        columns["retransmitted"][i] += r["syn_sent"] > 1
        if r["outcome"] == "established":
            columns["established"][i] += 1
        elif r["outcome"] != "partial":
            columns["failed"][i] += 1
        if r["handshake_us"] is not None:
            slowest[i] = max(slowest[i] or 0, r["handshake_us"])
    return {"start_ns": START_NS, "width_s": width_s, **columns, "handshake_max_us": slowest}


def endpoint(server: str, port: int, records: list[Record]) -> dict[str, Any]:
    outcomes = Counter(r["outcome"] for r in records)
    return {
        "server": server,
        "server_port": port,
        "handshakes": len(records),
        "outcomes": dict(outcomes),
        "failed": len(records) - outcomes["established"] - outcomes["partial"],
        "latency_us": {m: quantiles(known(records, m)) for m in METRICS},
        "retransmission": {"syn_handshakes": sum(r["syn_sent"] > 1 for r in records)},
    }


def summarise(records: list[Record], **more: object) -> dict[str, Any]:
    """The summary of these records, with what a report has beside it."""
    groups: dict[tuple[str, int], list[Record]] = {}
    for r in records:
        groups.setdefault((r["server"], r["server_port"]), []).append(r)
    rows = sorted((endpoint(*key, group) for key, group in groups.items()), key=lambda row: -row["handshakes"])
    waits = Counter(round(r["retransmit_wait_us"] / 1e6) for r in records if r["retransmit_wait_us"] is not None)
    failed = [r for r in records if r["outcome"] not in {"established", "partial"}]
    done = sorted((r for r in records if r["handshake_us"] is not None), key=lambda r: -r["handshake_us"])
    starts = [r["start_ns"] for r in records]
    segments = sum(9 + r["syn_sent"] for r in records)
    return {
        "schema": "halfopen.summary/1",
        "version": "0.1.0",
        "generated_at": "2026-11-23 07:40 UTC",
        "inputs": [
            {
                "path": "/var/captures/office-uplink.pcapng",
                "packets": segments + 812,
                "bytes": 96 * segments,
                "defects": {},
            }
        ],
        "packets": segments + 812,
        "tcp_segments": segments,
        "midstream": 0,
        "evicted": 0,
        "handshakes": len(records),
        "first_ns": min(starts, default=None),
        "last_ns": max(starts, default=None),
        "outcomes": dict(Counter(r["outcome"] for r in records)),
        "latency_us": {m: quantiles(known(records, m)) for m in METRICS},
        "retransmission": {
            "answered": sum(waits.values()),
            "waited": sum(waits.values()) - waits[0],
            "waits": [{"seconds": s, "count": n} for s, n in sorted(waits.items())],
        },
        "anomalies": dict(Counter(a for r in records for a in r["anomalies"])),
        "time_wait": dict(Counter(r["time_wait"] for r in records if r["time_wait"])),
        "histogram": histogram(records),
        "timeline": timeline(records),
        "endpoints": rows,
        "endpoints_total": len(rows),
        "silent_hosts": [],
        "silent_hosts_total": 0,
        "slowest": done[:20],
        "failed": failed[:: max(1, len(failed) // 60)][:60],
        "notices": [],
        "ladders": [],
        **more,
    }


def ladder(slow: Record) -> dict[str, Any]:
    """The exchange of a handshake whose first SYNs were lost behind the tap."""
    isn, other = 3_405_691_582, 1_234_567_890
    options = "MSS 1460, SACK permitted, timestamps, window scale 7"
    base = {"window": 64240, "payload_len": 0, "note": None, "seq": isn, "ack": None, "seq_rel": 0, "ack_rel": None}
    start, rows = slow["start_ns"], []
    for i in range(slow["syn_sent"]):
        at = start + (2**i - 1) * 1_000_000_000 + i * 4_100_000
        note = "sent again: nothing had answered" if i else None
        rows.append(
            base
            | {
                "time_ns": at,
                "frame": slow["frame_syn"] + i,
                "from_client": True,
                "flags": "SYN",
                "options": options,
                "client_state": "SYN_SENT",
                "server_state": "LISTEN",
                "note": note,
            }
        )
    if slow["outcome"] == "established":
        at = start + round(slow["syn_to_syn_ack_us"] * 1000)
        rows.append(
            base
            | {
                "time_ns": at,
                "frame": slow["frame_syn_ack"],
                "from_client": False,
                "flags": "SYN-ACK",
                "seq": other,
                "ack": isn + 1,
                "seq_rel": 0,
                "ack_rel": 1,
                "options": options,
                "client_state": "SYN_SENT",
                "server_state": "SYN_RECV",
            }
        )
        at = start + round(slow["handshake_us"] * 1000)
        rows.append(
            base
            | {
                "time_ns": at,
                "frame": slow["frame_ack"],
                "from_client": True,
                "flags": "ACK",
                "seq": isn + 1,
                "ack": other + 1,
                "seq_rel": 1,
                "ack_rel": 1,
                "window": 502,
                "options": None,
                "client_state": "ESTABLISHED",
                "server_state": "ESTABLISHED",
            }
        )
        rows.append(
            base
            | {
                "time_ns": at + 210_000,
                "frame": slow["frame_ack"] + 1,
                "from_client": True,
                "flags": "PSH-ACK",
                "seq": isn + 1,
                "ack": other + 1,
                "seq_rel": 1,
                "ack_rel": 1,
                "window": 502,
                "payload_len": 517,
                "options": None,
                "client_state": "ESTABLISHED",
                "server_state": "ESTABLISHED",
            }
        )
    elif slow["outcome"] == "refused":
        rows.append(
            base
            | {
                "time_ns": start + 320_000,
                "frame": slow["frame_syn"] + 1,
                "from_client": False,
                "flags": "RST-ACK",
                "seq": 0,
                "ack": isn + 1,
                "seq_rel": None,
                "ack_rel": 1,
                "window": 0,
                "options": None,
                "client_state": "CLOSED",
                "server_state": "CLOSED",
            }
        )
    client, server = f"{slow['client']}:{slow['client_port']}", f"{slow['server']}:{slow['server_port']}"
    return {
        "title": f"{client} to {server}: {slow['outcome']}, {slow['syn_sent']} SYNs",
        "client": client,
        "server": server,
        "rows": rows,
    }


def rich(seed: int = 7) -> dict[str, Any]:
    """An office uplink for ten minutes: one lossy path, one dead address, one closed port, one slow accept."""
    rng = random.Random(seed)
    servers = [(f"10.0.{i}.{rng.randrange(1, 255)}", rng.choice([443, 443, 80, 22, 5432])) for i in range(30)]
    servers += [("2001:db8:0:17::5", 443), ("2001:db8:0:17:89ab:cdef:1234:5678", 8443)]
    distance = {server: rng.choice([0.4, 2, 9, 11, 14, 35, 80, 160]) for server in servers}
    records: list[Record] = []
    for _ in range(6200):
        at = rng.uniform(0, 600)
        server = servers[min(int(rng.expovariate(0.2)), len(servers) - 1)]
        client = (f"192.168.1.{rng.randrange(10, 90)}", rng.randrange(32768, 61000))
        lossy = server == servers[0] and 200 < at < 330
        waits = rng.choices([0, 1, 2, 3], [80, 15, 4, 1])[0] if lossy else rng.choices([0, 1], [997, 3])[0]
        records.append(completed(rng, at, client, server, near_ms=distance[server], waits=waits))
    for i in range(148):
        client = (f"192.168.1.{rng.randrange(10, 90)}", 40_000 + i)
        records.append(
            record(
                rng.uniform(0, 600),
                client,
                ("10.0.0.7", 443),
                "unanswered",
                syn_sent=rng.randrange(3, 7),
                anomalies=["syn_retransmitted"],
            )
        )
    for i in range(61):
        client = (f"192.168.1.{rng.randrange(10, 90)}", 41_000 + i)
        records.append(record(rng.uniform(60, 90), client, (servers[3][0], 8080), "refused"))
    for outcome, n in (
        ("half_open", 22),
        ("unreachable", 9),
        ("reset_by_client", 14),
        ("reset_by_server", 6),
        ("partial", 3),
    ):
        for i in range(n):
            answered = (
                {"syn_ack_sent": 2, "syn_to_syn_ack_us": 9_400.25}
                if "reset" in outcome or outcome == "half_open"
                else {}
            )
            records.append(
                record(rng.uniform(0, 600), ("192.168.1.77", 42_000 + i), servers[i % 9], outcome, **answered)
            )
    records.sort(key=lambda r: r["start_ns"])
    waited = sum(1 for r in records if r["server"] == servers[0][0] and r["retransmit_wait_us"])
    of = sum(1 for r in records if (r["server"], r["server_port"]) == servers[0])
    data = summarise(records)
    slow = data["slowest"][0]
    by_outcome = {r["outcome"]: r for r in reversed(data["failed"])}
    data["ladders"] = [
        ladder(slow),
        *(ladder(by_outcome[name]) for name in ("unanswered", "refused") if name in by_outcome),
    ]
    data["notices"] = [
        f"{waited} of {of} connects to {servers[0][0]}:{servers[0][1]} waited 1 s or more for a retransmitted SYN.",
        "10.0.0.7 never answers: 148 attempts from 67 clients to port 443.",
        f"{servers[3][0]}:8080 refuses: nothing listens there.",
    ]
    data["vantage_sentence"] = (
        "Captured near the clients: 98 % of the round trip lies between the capture point and the servers."
    )
    data["silent_hosts"] = [
        {
            "server": "10.0.0.7",
            "ports": 1,
            "server_port": 443,
            "handshakes": 148,
            "syn_sent": 655,
            "clients": 67,
            "clients_exact": True,
        }
    ]
    data["silent_hosts_total"] = 1
    data["midstream"] = 1204
    data["inputs"][0]["defects"] = {"cut_off": 1, "tcp_truncated": 17, "fragment": 204}
    return data


def empty() -> dict[str, Any]:
    """A capture without TCP."""
    return summarise(
        [], packets=12, tcp_segments=0, inputs=[{"path": "dns.pcap", "packets": 12, "bytes": 1480, "defects": {}}]
    )


def flood() -> dict[str, Any]:
    """Ten million SYNs to one port in 90 seconds, of which a few complete."""
    rng = random.Random(3)
    real = [
        completed(
            rng, rng.uniform(0, 90), (f"198.51.100.{i % 200}", 20_000 + i), ("203.0.113.80", 80), near_ms=24, waits=0
        )
        for i in range(400)
    ]
    data = summarise(sorted(real, key=lambda r: r["start_ns"]))
    shape = [round(112_000 * (1 - math.exp(-s / 6)) + rng.uniform(-4000, 4000) + 4100) for s in range(90)]
    failed = sum(shape)
    data["handshakes"] += failed
    data["outcomes"] |= {"unanswered": failed - 9000, "half_open": 9000}
    data["packets"] = data["tcp_segments"] = failed + 21_000
    data["inputs"] = [{"path": "flood.pcap.zst", "packets": failed + 21_000, "bytes": 76 * failed, "defects": {}}]
    row = data["endpoints"][0]
    row |= {"handshakes": data["handshakes"], "outcomes": data["outcomes"], "failed": failed}
    data["timeline"] |= {
        "failed": shape,
        "attempts": [
            f + sum(1 for r in real if int((r["start_ns"] - START_NS) / 1e9) == s) for s, f in enumerate(shape)
        ],
    }
    data["anomalies"] = {"syn_ack_retransmitted": 8123}
    data["failed"] = [
        record(i / 7, (f"{rng.randrange(1, 223)}.{i}.7.9", 1024 + i), ("203.0.113.80", 80), "unanswered")
        for i in range(20)
    ]
    data["notices"] = [
        f"A SYN flood: {failed:,}".replace(",", " ")
        + " SYNs from 9.9 M addresses to 203.0.113.80:80, <0.1 % completed."
    ]
    return data


def hostile() -> dict[str, Any]:
    """Every text that a capture or a file name can bring in, made to hurt."""
    bad = f"{HOSTILE}<img src=x onerror=alert(2)>\"'&amp;<!--\u2028\u202e\x1b[31m\udcff{{}}${{alert(3)}}"
    rng = random.Random(1)
    slow = completed(rng, 1, (bad, 1), (bad, 2), near_ms=5, waits=1) | {"source": bad, "anomalies": [bad]}
    lost = record(2, (bad, 3), (bad, 4), bad, anomalies=[bad], source=bad)
    data = summarise([slow, lost], version=bad, generated_at=bad, notices=[bad], vantage_sentence=bad)
    data["inputs"] = [{"path": bad, "packets": 2, "bytes": 99, "defects": {bad: 3}}]
    data["time_wait"] = {bad: 4}
    data["silent_hosts"] = [{"server": bad, "handshakes": 1}]
    drawn = ladder(slow)
    rows = [
        row | {"flags": bad, "options": bad, "note": bad, "client_state": bad, "server_state": bad}
        for row in drawn["rows"]
    ]
    data["ladders"] = [drawn | {"title": bad, "client": bad, "server": bad, "rows": rows}]
    return data


def many_endpoints(n: int = 65_000) -> dict[str, Any]:
    """A scan: as many endpoints as the summary can hold apart."""
    data = rich()
    own = [
        {
            "server": f"100.64.{i >> 8}.{i & 255}",
            "server_port": 443,
            "handshakes": 1,
            "outcomes": {"refused": 1},
            "failed": 1,
        }
        for i in range(n - len(data["endpoints"]))
    ]
    data["endpoints"] = own + data["endpoints"]
    data["endpoints_total"] = n
    return data
