"""SYN cookies as counters tell of them: the mode, how many were sent, and how many came back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from halfopen.model.finding import Evidence
from halfopen.model.quantity import share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.rules.growth import Growth
    from halfopen.rules.space import Space

SYNCOOKIES = "net.ipv4.tcp_syncookies"

Mode = Literal["never", "when_full", "always"]


def mode(space: Space) -> Mode | None:
    """What ``tcp_syncookies`` means: the kernel asks only whether it is 0 or 2; the rest is as good as 1 (F27)."""
    value = space.sysctl(SYNCOOKIES)
    if value is None:
        return None
    return "never" if value == 0 else "always" if value == 2 else "when_full"


def sent(space: Space) -> Growth | None:
    """SYN-ACKs with a cookie."""
    return space.growth("SyncookiesSent")


def returned_share(space: Space) -> float | None:
    """Cookies that came back valid, of those sent: about 1 from real clients, about 0 from forged addresses."""
    growth, back = sent(space), space.growth("SyncookiesRecv")
    if growth is None or back is None or not growth.count:
        return None
    return back.count / growth.count


def cookie_evidence(space: Space) -> Iterator[Evidence]:
    """Cookies sent and returned, and their ratio."""
    growth, back = sent(space), space.growth("SyncookiesRecv")
    if growth is None or back is None or not growth.count:
        return
    source = "/proc/net/netstat TcpExt SyncookiesSent, SyncookiesRecv"
    yield Evidence(f"SYN cookies sent {growth.when}", growth.count, "SYN-ACKs", source)
    yield Evidence("of which came back", back.count, "ACKs", source)
    if back.count <= growth.count:
        yield Evidence("completed", share(back.count, growth.count), None, source)
