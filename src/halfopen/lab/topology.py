"""Hosts and the links between them, IPv4 and IPv6: the networks that experiments run in.

Addresses are of the documentation's ranges (RFC 5737, RFC 3849), spoofed ones of the benchmark's (RFC 2544), and no
namespace has a route out.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from pyroute2 import IPRoute

from halfopen import _core
from halfopen.errors import NotAvailableError
from halfopen.lab.namespace import MARK, Namespace
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from halfopen.lab.recording import Recorder

#: ``IFA_F_NODAD``, include/uapi/linux/if_addr.h: the address can be used at once.
_NODAD = 0x02
_LOOPBACK = 1


@dataclass(frozen=True, slots=True)
class Address:
    """One end of a link."""

    v4: str
    v6: str
    interface: str


@dataclass(slots=True)
class Link:
    """A link between two hosts; with a relay it can lose and change packets."""

    first: Namespace
    second: Namespace
    ends: tuple[Address, Address]
    relay: _core.Relay | None = None


@dataclass
class Network:
    """The namespaces of one experiment; a context manager that lets all of them go.

    Attributes:
        seed: of the relays.
        recorder: keeps the packets of every host, where they are wanted.
        label: tells several networks of one experiment apart.
    """

    seed: int = 1
    recorder: Recorder | None = None
    label: str = ""
    hosts: dict[str, Namespace] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    _closing: ExitStack = field(default_factory=ExitStack)
    _recording: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        """The network itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close every relay and namespace."""
        with self._closing:
            # All of them first: an interface goes with the namespace of its other end, and its name is asked for then.
            self._recording.close()

    def host(self, name: str) -> Namespace:
        """A new host, its loopback device up and marked as the lab's."""
        host = Namespace(name)
        self._closing.callback(host.close)
        host.run(_begin)
        self.hosts[name] = host
        if self.recorder is not None:
            self._recording.callback(self.recorder.begin(host, self.label).stop)
        return host

    def adopt(self, host: Namespace) -> None:
        """Take over a namespace that a host made itself; it is let go with the others."""
        self._closing.callback(host.close)
        self.hosts[host.name] = host

    def another(self, label: str) -> Network:
        """A network beside this one, whose hosts are recorded where this one's are."""
        return Network(self.seed, self.recorder, label)

    def connect(self, first: Namespace, second: Namespace, *, relayed: bool = False) -> Link:
        """Join two hosts by a veth pair, or by a relay over two TUN devices."""
        number = len(self.links)
        ends = (
            Address(f"192.0.2.{4 * number + 1}", f"2001:db8:{number}::1", f"link{number}"),
            Address(f"192.0.2.{4 * number + 2}", f"2001:db8:{number}::2", f"link{number}"),
        )
        link = Link(first, second, ends)
        if relayed:
            link.relay = self._relay(link)
        else:
            first.run(_pair, ends[0].interface, second.descriptor)
        for host, end in zip((first, second), ends, strict=True):
            host.run(_set_up, end)
        if not relayed:
            # The end that came up first had no carrier then, and drops all that it is to send until the kernel's link
            # watch has seen that it has one: on a busy machine late enough to lose the first packet.
            until(lambda: first.run(_has_carrier, ends[0]), "the link")
        self.links.append(link)
        return link

    def _relay(self, link: Link) -> _core.Relay:
        try:
            first = link.first.run(_core.Tun, link.ends[0].interface)
            second = link.second.run(_core.Tun, link.ends[1].interface)
        except OSError as error:
            raise NotAvailableError("cannot make a TUN device", why=str(error)) from error
        relay = _core.Relay(first, second, self.seed)
        self._closing.callback(relay.stop)
        return relay


def _begin() -> None:
    with IPRoute() as route:
        route.link("set", index=_LOOPBACK, state="up")
        route.link("property_add", index=_LOOPBACK, altname=MARK)


def _pair(interface: str, other: int) -> None:
    with IPRoute() as route:
        peer = {"ifname": interface, "net_ns_fd": f"/proc/self/fd/{other}"}
        route.link("add", ifname=interface, kind="veth", peer=peer)


def _set_up(end: Address) -> None:
    with IPRoute() as route:
        (index,) = route.link_lookup(ifname=end.interface)
        route.addr("add", index=index, address=end.v4, prefixlen=30)
        route.addr("add", index=index, address=end.v6, prefixlen=64, flags=_NODAD)
        route.link("set", index=index, state="up")


def _has_carrier(end: Address) -> bool:
    with IPRoute() as route:
        (device,) = route.get_links(ifname=end.interface)
        return bool(device.get_attr("IFLA_OPERSTATE") == "UP")


def add_route(destination: str, *, gateway: str | None = None, interface: str | None = None) -> None:
    """A route in the namespace of the calling thread."""
    with IPRoute() as route:
        target = {"gateway": gateway} if gateway else {"oif": route.link_lookup(ifname=interface)[0]}
        route.route("add", dst=destination, **target)


def add_addresses(interface: str, addresses: Sequence[tuple[str, int]]) -> None:
    """More addresses for an interface, in the namespace of the calling thread."""
    with IPRoute() as route:
        (index,) = route.link_lookup(ifname=interface)
        for address, length in addresses:
            route.addr("add", index=index, address=address, prefixlen=length)


@dataclass(frozen=True, slots=True)
class Pair:
    """A client and a server, and the link between them.

    Attributes:
        server_address: of the server on that link, IPv4.
        server_address6: the same, IPv6.
    """

    client: Namespace
    server: Namespace
    link: Link

    @property
    def relay(self) -> _core.Relay:
        """The link's relay. Only where the pair was made with one."""
        assert self.link.relay is not None
        return self.link.relay

    @property
    def client_address(self) -> str:
        """Of the client on that link, IPv4."""
        return self.link.ends[0].v4

    @property
    def server_address(self) -> str:
        """Of the server on that link, IPv4."""
        return self.link.ends[1].v4

    @property
    def server_address6(self) -> str:
        """Of the server on that link, IPv6."""
        return self.link.ends[1].v6


def pair(network: Network, *, relayed: bool = False, suffix: str = "") -> Pair:
    """The network of most experiments; ``suffix`` tells several in one network apart."""
    client, server = network.host(f"client{suffix}"), network.host(f"server{suffix}")
    return Pair(client, server, network.connect(client, server, relayed=relayed))
