"""The packets of chosen handshakes: what a ladder is drawn from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from halfopen import _core
from halfopen.capture.errors import input_error
from halfopen.model.exchange import Exchange, Exchanges, FourTuple
from halfopen.model.handshake import Handshake

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def read_exchanges(
    inputs: list[str],
    wanted: Sequence[int] | FourTuple,
    *,
    max_flows: int | None = None,
    verify_checksums: bool = False,
    progress: Callable[[int, int, int | None], None] | None = None,
) -> Exchanges:
    """Read captures and keep the packets of some handshakes.

    Args:
        inputs: paths; ``-`` is standard input.
        wanted: numbers of handshakes (the record's ``number``), or the two ends of all that are meant. At most 64
            handshakes are kept, and 1 000 packets from the begin and from the end of each; what is left out is counted.
        max_flows: as in the reading that gave the numbers, or these may differ.
        verify_checksums: as there.
        progress: called some times a second with packets read, bytes read, and bytes in all (None where unknown).

    Raises:
        InputError: no input can be read.
    """
    ends = (wanted.address, wanted.port, wanted.peer, wanted.peer_port) if isinstance(wanted, FourTuple) else None
    numbers = [] if isinstance(wanted, FourTuple) else list(wanted)
    try:
        found = _core.exchanges(
            inputs,
            ends or numbers,
            max_flows=max_flows,
            verify_checksums=verify_checksums,
            progress=progress,
        )
    except _core.CaptureError as error:
        raise input_error(*error.args) from None
    exchanges = tuple(_exchange(each, inputs) for each in found["exchanges"])
    return Exchanges(exchanges, found["left_out"], found["handshakes"])


def _exchange(found: dict[str, Any], inputs: list[str]) -> Exchange:
    handshake = Handshake.from_dict(json.loads(found["handshake"]))
    return Exchange.from_dicts(handshake, found["events"], tuple(inputs), found["omitted"], found["omitted_after"])
