"""Records of conversations that were made by chance, against a reference that knows what took place.

The ends are simulated, a tap on the way between them captures what passes, well or badly, and the reference reads the
record off the list of packets: no table of states, no streaming, nothing in common with the tracker.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from tests.model import capture, draw
from tests.model.reference import expected, is_unclear
from tests.model.telling import told
from tests.model.world import World
from tests.parity.captures import Record, trace
from tests.parity.containers import pcap

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model.capture import Captured
    from tests.model.draw import Conversation

START_NS = 1_600_000_000 * 10**9
#: Conversations begin this long after one another: hundreds of them are under way at a time.
APART_NS = 15_000_000
CONVERSATIONS = 1500


@dataclass(frozen=True)
class Made:
    """A conversation, and the numbers of its attempts."""

    conversation: Conversation
    attempts: range


def held(seed: int) -> tuple[list[Made], list[Captured]]:
    """Conversations, and what one capture holds of them."""
    random, made, packets, attempt = Random(seed), [], [], 0
    for number in range(CONVERSATIONS):
        conversation, now = draw.conversation(random, number), START_NS + number * APART_NS
        first, tap = attempt, conversation.tap
        tap = replace(tap, starts_ns=now + tap.starts_ns) if tap.starts_ns else tap
        for plan, pause in conversation.plans:
            world = World(plan, random, now + pause)
            packets += capture.captured(world.run().passing, attempt, tap, random)
            now, attempt = world.now, attempt + 1
        made.append(Made(conversation, range(first, attempt)))
    return made, capture.numbered(packets)


def differences(wanted: dict[str, Any], record: Record) -> dict[str, tuple[object, object]]:
    """{field: (what it has to hold, what it holds)}; times to the nanosecond."""
    found: dict[str, tuple[object, object]] = {
        f"anomaly {name}": (is_so, name in record["anomalies"]) for name, is_so in wanted["anomalies"].items()
    }
    for field, value in wanted.items():
        if field != "anomalies" and not (field.endswith("_bytes") and value is None):
            found[field] = (_rounded(value), _rounded(record[field]))
    return {field: (theirs, ours) for field, (theirs, ours) in found.items() if theirs != ours}


def _rounded(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value


def judged(made: Made, packets: list[list[Captured]], records: list[Record]) -> str:
    """What is wrong with the records of one conversation, whose attempts these are; nothing if nothing is."""
    wanted = [fields for fields in map(expected, packets) if fields is not None]
    if len(records) != len(wanted):
        wrong: object = f"{len(records)} records, not {len(wanted)}"
    else:
        wrong = [found for found in map(differences, wanted, records) if found]
    story = "\n".join(map(told, packets))
    return f"\n{made.conversation.kind}, {made.conversation.tap}\n{story}\n{wrong}" if wrong else ""


@pytest.mark.parametrize("seed", range(1, 7))
def test_records_hold_what_took_place(tmp_path: Path, seed: int) -> None:
    conversations, packets = held(seed)
    of: dict[int, list[Captured]] = defaultdict(list)
    for packet in packets:
        of[packet.attempt].append(packet)
    ends = {attempt: made.conversation.ends for made in conversations for attempt in made.attempts}
    file = tmp_path / "made.pcap"
    file.write_bytes(pcap((p.time_ns, capture.frame(p, ends[p.attempt])) for p in packets))
    records: dict[int, list[Record]] = defaultdict(list)
    for record in sorted(trace(file).records, key=lambda record: int(record["number"])):
        records[max(record["client_port"], record["server_port"])].append(record)
    wrong = [
        judged(made, [of[attempt] for attempt in made.attempts], records[made.conversation.ends.ports[0]])
        for made in conversations
        if not any(is_unclear(of[attempt]) for attempt in made.attempts)
    ]
    assert not any(wrong), "".join(wrong)
