"""The compact notation of ``tests/cases/rules/*.toml``: a partial snapshot in a few lines.

A case has a table ``now`` and perhaps one ``before``, which is laid over ``now``: it says only what was different. In
both:

- ``sysctls = {"tcp_syncookies" = 0}``: keys below net.ipv4 need no prefix;
- ``counters = {ListenDrops = 5, "Tcp.PassiveOpens" = 9}``: the group TcpExt needs no prefix;
- ``listeners = [{at = "0.0.0.0:443", queue = 5, limit = 4, drops = 7, by = "nginx"}]``: further names are those of the
record;
- ``destinations = [{from = "10.0.0.1", to = "10.0.0.5:5432", states = {TIME_WAIT = 9}}]``;
- ``files = {"/etc/sysctl.d/a.conf" = ["net.ipv4.tcp_syncookies = 1"]}``;
- anything else of a namespace (``packet_filter``, ``conntrack``, ``states``…) and of the snapshot (``host``,
``shared``, ``log``) by its own name;
- ``netns = [{name = "blue", …}]``: further namespaces, in the same notation.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import msgspec

from halfopen.model.snapshot import Snapshot
from halfopen.model.sockets import Destination, Listener

#: When every snapshot was taken; ages count back from here.
TAKEN_NS = 1_760_000_000_000_000_000
BOOT = "6d9e0a4e-0000-4000-8000-000000000001"
#: Old enough that counters since boot say nothing of now.
UPTIME_S = 93 * 86400.0

_NAMESPACE = {
    "name", "inode", "kind", "pid", "path", "own", "sysctls", "counters", "sockstat", "synproxy", "interfaces",
    "routes", "routing_rules", "tcp_metrics", "packet_filter", "conntrack", "listeners", "destinations", "states",
    "processes", "orphans", "stale_syn_recv", "blind",
}  # fmt: skip
_SOCKETS = ("states", "processes", "orphans", "stale_syn_recv")
#: msgspec ignores unknown names; a misspelt one in a case must not pass unseen.
_LISTENER = {field.name for field in fields(Listener)}
_DESTINATION = {field.name for field in fields(Destination)}
_SNAPSHOT = {"host", "shared", "unavailable", "files", "log", "netns"}


def snapshots(case: dict[str, Any]) -> tuple[Snapshot, Snapshot | None]:
    """The snapshot to judge, and the earlier one when the case has a table ``before``."""
    interval_s = case.get("interval_s", 10)
    now = case.get("now", {})
    if "before" not in case:
        return _snapshot(now, 0), None
    return _snapshot(now, 0), _snapshot(_laid_over(now, case["before"]), interval_s)


def _laid_over(base: Any, over: Any) -> Any:  # noqa: ANN401  (any TOML value)
    """``over`` over ``base``, table by table; lists and values are replaced whole."""
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: _laid_over(base.get(key), value) for key, value in over.items()}}
    return over


def _snapshot(table: dict[str, Any], seconds_ago: float) -> Snapshot:
    _known(table, _NAMESPACE | _SNAPSHOT)
    own = {key: value for key, value in table.items() if key in _NAMESPACE}
    first = {"name": "host", "inode": 1, "kind": "host", "own": True, **own}
    others = [{"name": f"ns{i}", "inode": i, "kind": "named", **ns} for i, ns in enumerate(table.get("netns", []), 2)]
    document = {
        "taken_at_ns": TAKEN_NS - int(seconds_ago * 1e9),
        "monotonic_ns": int((UPTIME_S - seconds_ago) * 1e9),
        "host": {"name": "web-1", "kernel": "6.18.44", "boot_id": BOOT, "uptime_s": UPTIME_S, **table.get("host", {})},
        "netns": [_namespace(ns) for ns in [first, *others]],
        "shared": table.get("shared", {}),
        "setting_files": [_file(path, lines) for path, lines in table.get("files", {}).items()],
        "kernel_log": [{"at_ns": TAKEN_NS - int(age * 1e9), "text": text} for age, text in table.get("log", [])],
        "unavailable": table.get("unavailable", []),
    }
    return msgspec.convert(document, Snapshot)


def _known(table: dict[str, Any], names: set[str]) -> None:
    unknown = set(table) - names
    assert not unknown, f"the notation has no {sorted(unknown)}"


def _namespace(table: dict[str, Any]) -> dict[str, Any]:
    _known(table, _NAMESPACE)
    result = {
        key: value for key, value in table.items() if key not in {*_SOCKETS, "listeners", "destinations", "blind"}
    }
    result["sysctls"] = {_key(key): str(value) for key, value in table.get("sysctls", {}).items()}
    result["counters"] = _counters(table.get("counters", {}))
    if not table.get("blind"):
        result["sockets"] = {
            **{key: table[key] for key in _SOCKETS if key in table},
            "listeners": [_listener(row) for row in table.get("listeners", [])],
            "destinations": [_destination(row) for row in table.get("destinations", [])],
        }
    return result


def _key(key: str) -> str:
    return key if key.startswith(("net.", "kernel.", "vm.")) else f"net.ipv4.{key}"


def _counters(table: dict[str, int]) -> dict[str, dict[str, int]]:
    groups: dict[str, dict[str, int]] = {}
    for name, value in table.items():
        group, _, counter = name.rpartition(".")
        groups.setdefault(group or "TcpExt", {})[counter] = value
    return groups


def _listener(row: dict[str, Any]) -> dict[str, Any]:
    names = {"queue": "accept_queue", "limit": "accept_queue_limit"}
    result = {names.get(key, key): value for key, value in row.items() if key not in {"at", "by", "pid", "age_s"}}
    result["address"], result["port"] = _endpoint(row["at"])
    result.setdefault("family", 6 if ":" in result["address"] else 4)
    result.setdefault("accept_queue", 0)
    result.setdefault("accept_queue_limit", 4096)
    result.setdefault("cookie", result["port"] + row.get("pid", 0))
    if "by" in row:
        result["owners"] = [_owner(row["by"], row.get("pid", 812), row.get("age_s", UPTIME_S - 60))]
    _known(result, _LISTENER)
    return result


def _owner(comm: str, pid: int, age_s: float) -> dict[str, Any]:
    return {"pid": pid, "comm": comm, "started_at_ns": TAKEN_NS - int(age_s * 1e9)}


def _destination(row: dict[str, Any]) -> dict[str, Any]:
    result = {key: value for key, value in row.items() if key not in {"from", "to", "by"}}
    result["source"] = row.get("from", "10.0.0.1")
    result["destination"], result["port"] = _endpoint(row["to"])
    if "by" in row:
        result["owners"] = [_owner(row["by"], 900, 600)]
    _known(result, _DESTINATION)
    return result


def _endpoint(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    return address.strip("[]"), int(port)


def _file(path: str, lines: list[str]) -> dict[str, Any]:
    settings = []
    for number, line in enumerate(lines, 1):
        key, _, value = line.partition("=")
        if value:
            name = key.strip()
            settings.append(
                {"line": number, "key": name.lstrip("-"), "value": value.strip(), "ignore_errors": name[0] == "-"}
            )
    return {"path": path, "settings": settings}
