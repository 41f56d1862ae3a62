"""``docs/record.md``: the fields of a handshake, and the language of ``--where``."""

from __future__ import annotations

from halfopen._core import handshake_fields
from halfopen.handshakes.where import MAX_DEPTH, MAX_LENGTH

PATH = "docs/record.md"

INTRODUCTION = """# The record of a handshake

`halfopen.handshake/1`: one line of JSON Lines, one row of CSV, Parquet and Arrow. Unknown is `null` (an empty cell in
CSV), never 0 or "". Times end in their unit: `_ns` is a whole number of nanoseconds, `_us` a float of microseconds.

- **JSON Lines**: every field in every line. `_us` has the decimals it needs and at least one. There is no header line.
- **CSV**: RFC 4180 with a header. Members of `client_options` and `server_options` are columns of their own
  (`client_options.mss`); lists are separated by spaces.
- **Parquet, Arrow**: numbers are signed (`int64`, `double`), text is `utf8`, lists and structures are nested. The
  schema's name is in the metadata under `schema`.

In JSON and CSV, control characters and those that turn the direction of writing are escaped (`\\u001b`) where a file's
name holds them.

| field | type | meaning |
| --- | --- | --- |"""

LANGUAGE = f"""
## Conditions

`--where`, and `where=` in Python, take a condition on one record, in a small part of Python's syntax:

```text
outcome != "established" and server_port == 443
100_000 < handshake_us <= 1e6
server in "10.0.0.0/8" and not client in ("10.0.0.1", "2001:db8::/32")
"port_reused" in anomalies or 10 in vlan
client_options.mss is None
simultaneous
```

- Comparisons: `==`, `!=`, `<`, `<=`, `>`, `>=`, chained ones too; `in`, `not in`; `is None`, `is not None`. Joined by
  `and`, `or`, `not` and brackets.
- `in` takes a list in brackets, a field that is a list, a text field that contains the text, or a block of addresses.
- Addresses are compared as addresses, IPv4 before IPv6: every spelling of an address is equal to it.
- A field that is true or false is a condition itself; a list is one when it is not empty.
- A comparison with an unknown value is neither true nor false, as in SQL, and such a record is not chosen:
  `handshake_us > 1000` and `not handshake_us > 1000` both leave out handshakes that have no `handshake_us`.
- What can never be true is an error, not an empty answer: an unknown field, `outcome == "establishd"`, a number
  compared with text.
- At most {MAX_LENGTH} characters, nested at most {MAX_DEPTH} deep.

`--sort FIELD` orders by any field that holds one value, `--sort -FIELD` the largest first, unknown always last. With
`--top N` only N records are held; without it, all of them, 400 bytes each.
"""


def page() -> str:
    """The page."""
    rows = [f"| `{name}` | {type_} | {meaning} |" for name, type_, meaning in handshake_fields()]
    return "\n".join([INTRODUCTION, *rows, LANGUAGE])
