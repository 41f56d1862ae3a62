"""The codes that the doctor and the linter share: one matter has one code, wherever it is seen.

``halfopen.rules`` and ``halfopen.lint`` may not import each other, and a person who reads ``HO203`` in a finding of
either must find the same matter on its page. Codes that only one of the two can give stand with their rule.
"""

from __future__ import annotations

SHARED_CODES: dict[str, str] = {
    "HO107": "abort-on-overflow",
    "HO113": "somaxconn-low",
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
    "HO217": "setting-duplicate",
    "HO218": "value-refused",
    "HO219": "synack-retries-lowered",
    "HO220": "port-range-parity",
    "HO221": "setting-order",
    "HO222": "comment-behind-value",
    "HO223": "secret-in-file",
    "HO224": "key-not-to-be-written",
    "HO225": "conntrack-is-not-time-wait",
    "HO226": "buffers-out-of-order",
    "HO227": "tcp-mem-in-bytes",
    "HO228": "key-without-effect",
    "HO310": "port-range-small",
    "HO401": "syn-limit-for-everybody",
    "HO404": "connection-limit-shared",
    "HO501": "fast-open-half-configured",
    "HO601": "conntrack-table-small",
    "HO602": "reverse-path-filter-strict",
    "HO603": "synproxy-incomplete",
}
"""Code → name. Names read after ``--ignore``."""
