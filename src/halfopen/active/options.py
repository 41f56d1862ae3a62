"""How to connect, as one value: what ``halfopen probe`` can be told of a socket."""

from __future__ import annotations

from dataclasses import dataclass

from halfopen.errors import UsageError

#: A connect lasts 135 s with the kernel's own limits; one of a day measures nothing any more.
TIMEOUT_MAX_S = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectOptions:
    """The default is what an ordinary program gets. None is «as the kernel has it»."""

    timeout_s: float = 5.0
    """When a connect is given up, seconds."""
    source: str | None = None
    """Local address, or the name of the interface whose address it is."""
    source_port: int | None = None
    """Local port, 1 to 65535, with ``SO_REUSEADDR``."""
    interface: str | None = None
    """``SO_BINDTODEVICE``."""
    mark: int | None = None
    """``SO_MARK``, 32 bits; needs CAP_NET_ADMIN or CAP_NET_RAW."""
    ttl: int | None = None
    """TTL or hop limit, 1 to 255."""
    mss: int | None = None
    """``TCP_MAXSEG``, bytes, 88 to 32767: upper bound of the MSS that the SYN offers."""
    nodelay: bool = False
    """``TCP_NODELAY``."""
    quickack: bool | None = None
    """``TCP_QUICKACK``; False delays the last ACK of the handshake (fact F69)."""
    syn_retries: int | None = None
    """``TCP_SYNCNT``, 1 to 127."""
    await_data: bool = False
    """After the handshake, wait for the server's first byte."""
    send: bytes = b""
    """What to send before that; with Fast Open, in the SYN."""
    data_timeout_s: float | None = None
    """How long to wait for data, seconds; None: as long as for the connect."""

    def check(self) -> None:
        """Refuse what no socket can be told.

        Raises:
            UsageError: a value is out of its range.
        """
        ranges = {"source_port": (1, 65535), "ttl": (1, 255), "mss": (88, 32767), "syn_retries": (1, 127),
                  "mark": (0, 2**32 - 1)}  # fmt: skip
        for name, (least, most) in ranges.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise UsageError(f"{name} cannot be {value}", why=f"{least} to {most} are possible")
        for name, value in (("timeout_s", self.timeout_s), ("data_timeout_s", self.data_timeout_s)):
            if value is not None and not 0 < value <= TIMEOUT_MAX_S:
                raise UsageError(
                    f"{name} cannot be {value:g}", why=f"more than 0 and at most {TIMEOUT_MAX_S:g} seconds"
                )
