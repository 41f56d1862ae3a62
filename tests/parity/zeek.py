"""Zeek's ``conn.log``: its connections, and what their words are in ours.

``conn_state`` says how far a connection came, ``history`` which packets it had, upper case from the originator: S(YN),
h (SYN-ACK), A(CK), D(ata), F(IN), R(ST), C (wrong checksum), ^ (Zeek swapped the sides).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.parity.captures import Record

#: conn_state → (our outcome, our close). None where no record is made. What Zeek's manual says of each:
STATES: dict[str, tuple[str | None, str | None]] = {
    "S0": ("unanswered", None),  # attempt seen, no reply
    "S1": ("established", None),  # established, not terminated
    "SF": ("established", "fin"),  # normal establishment and termination
    "REJ": ("refused", None),  # attempt rejected: it never was open, so nothing closed
    "S2": ("established", "fin"),  # close attempt by the originator, none by the responder
    "S3": ("established", "fin"),  # the other way round
    "RSTO": ("established", "rst"),  # the originator aborted
    "RSTR": ("established", "rst"),  # the responder aborted
    "RSTOS0": ("reset_by_client", None),  # SYN and then RST by the originator, no SYN-ACK
    "RSTRH": ("partial", "rst"),  # SYN-ACK and then RST by the responder, no SYN: the begin was not captured
    "SH": ("unanswered", None),  # SYN and then FIN by the originator, no SYN-ACK
    "SHR": ("partial", "fin"),  # SYN-ACK and then FIN by the responder, no SYN
    "OTH": (None, None),  # no SYN: midstream traffic
}
NAMES = ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto")


@dataclass(frozen=True)
class Connection:
    """A row, the client first."""

    client: tuple[str, int]
    server: tuple[str, int]
    state: str | None
    history: str
    client_bytes: int | None
    server_bytes: int | None

    @classmethod
    def from_row(cls, row: dict[str, str]) -> Connection:
        originator = (row["id.orig_h"], int(row["id.orig_p"]))
        responder = (row["id.resp_h"], int(row["id.resp_p"]))
        history = row.get("history", "")
        volume = [_number(row.get(name, "-")) for name in ("orig_bytes", "resp_bytes")]
        if history.startswith("H"):  # who sends a SYN-ACK is the server
            originator, responder, history = responder, originator, history.swapcase()
            volume.reverse()
        return cls(originator, responder, row.get("conn_state"), history, volume[0], volume[1])

    @property
    def outcome(self) -> str | None:
        """In our words."""
        if self.state is None:
            return None
        outcome, _ = STATES[self.state]
        if "S" not in self.history.upper() and "h" in self.history:
            return "partial"  # Zeek calls it SF or OTH all the same
        return outcome

    def expected(self) -> dict[str, object]:
        """What our record has to hold."""
        wanted: dict[str, object] = {"client": self.client[0], "client_port": self.client[1]}
        if self.state is not None:
            wanted |= {"outcome": self.outcome, "close": STATES[self.state][1], "closed_by": self._closed_by()}
        if self.client_bytes is not None:
            wanted |= {"client_bytes": self.client_bytes, "server_bytes": self.server_bytes}
        return wanted

    def _closed_by(self) -> str | None:
        """Who sent the first FIN, or the RST of a connection that was open."""
        if self.state is None or STATES[self.state][1] is None:
            return None
        first = next(letter for letter in self.history if letter in "FfRr")
        return "client" if first.isupper() else "server"

    def is_of(self, record: Record) -> bool:
        """Whether it has the same four-tuple."""
        ends = {(record["client"], record["client_port"]), (record["server"], record["server_port"])}
        return ends == {self.client, self.server}


def _number(text: str) -> int | None:
    return None if text == "-" else int(text)


def connections(log: Path) -> list[Connection]:
    """The TCP connections of a log; of a log without names of fields, where the four-tuple comes first, too."""
    names: tuple[str, ...] = NAMES
    found = []
    for line in log.read_text(encoding="utf-8").splitlines():
        head, *values = line.split("\t")
        if head == "#fields":
            names = tuple(values)
        elif not head.startswith("#"):
            row = dict(zip(names, (head, *values), strict=False))
            if row.get("proto") == "tcp" and "id.orig_h" in row and "id.orig_p" in row:
                found.append(Connection.from_row(row))
    return found
