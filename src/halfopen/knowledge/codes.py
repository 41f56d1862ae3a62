"""The codes that the doctor and the linter share: one matter has one code, wherever it is seen.

``halfopen.rules`` and ``halfopen.lint`` may not import each other, and a person who reads ``HO203`` in a finding of
either must find the same matter on its page. Codes that only one of the two can give stand with their rule.
"""

from __future__ import annotations

SHARED_CODES: dict[str, str] = {
    "HO107": "abort-on-overflow",
    "HO201": "key-not-on-this-kernel",
    "HO202": "syn-backlog-without-effect",
    "HO203": "fin-timeout-is-not-time-wait",
    "HO204": "time-wait-buckets-lowered",
    "HO205": "timestamps-off",
    "HO206": "tw-reuse-without-effect",
    "HO207": "syncookies-off",
    "HO208": "syncookies-always",
    "HO209": "rfc1337-set",
    "HO210": "retries-last-otherwise",
    "HO211": "port-range-over-services",
    "HO212": "reserved-ports-truncated",
    "HO213": "setting-overridden",
    "HO214": "setting-skipped-at-boot",
    "HO215": "nonsense-value",
    "HO216": "namespace-without-tuning",
    "HO401": "syn-limit-for-everybody",
    "HO501": "fast-open-half-configured",
    "HO601": "conntrack-table-small",
    "HO602": "reverse-path-filter-strict",
}
"""Code → name. Names read after ``--ignore``."""
