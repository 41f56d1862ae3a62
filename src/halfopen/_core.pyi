"""The native half. Private: ``halfopen`` is the public name of everything in here. Checked by mypy's stubtest."""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address
from os import PathLike
from typing import Any, Final, Literal, Self, TypedDict, final, type_check_only

from typing_extensions import CapsuleType

__all__ = [
    "REVISION",
    "VERSION",
    "Against",
    "Capture",
    "CaptureError",
    "Flood",
    "Handshakes",
    "Records",
    "Relay",
    "Server",
    "SocketOwners",
    "SocketSetupError",
    "Trace",
    "Tun",
    "against",
    "conntrack_counts",
    "create_namespace",
    "enter_netns",
    "exchanges",
    "handshake_fields",
    "load",
    "network_interfaces",
    "network_routes",
    "network_rules",
    "private_proc",
    "probe",
    "read_named_settings",
    "read_settings",
    "tcp_census",
    "tcp_metrics",
    "tcp_sockets",
    "trace",
    "unshare_user",
]

VERSION: Final[str]
"""The version in Cargo.toml."""

REVISION: Final[str]
"""``git describe`` of the tree that this was built from, with ``-dirty`` where it had uncommitted changes."""

class CaptureError(Exception):
    """No input can be read as a capture. ``args`` are kind, path, and why in words."""

@final
class Handshakes:
    """Finished records, to be taken as Arrow columns or as lines, as often as one likes.

    The Arrow schema is ``halfopen.handshake/1`` (also under the metadata key ``schema``). Columns are made batch by
    batch when a reader asks, 65 536 rows each, and handed over without a copy.
    """

    def __len__(self) -> int: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> CapsuleType:
        """The Arrow PyCapsule interface. ``requested_schema`` is not honoured: the reader casts."""

    def __arrow_c_schema__(self) -> CapsuleType:
        """The schema alone."""

    def to_jsonl(self, start: int = 0, stop: int | None = None) -> bytes:
        """JSON Lines of the records from ``start`` to ``stop``, which may lie beyond the end."""

    def write_jsonl(self, path: str | PathLike[str]) -> None:
        """Write JSON Lines. Raises OSError."""

    def write_csv(self, path: str | PathLike[str]) -> None:
        """Write CSV with a header line. Raises OSError."""

    def write_parquet(self, path: str | PathLike[str]) -> None:
        """Write Parquet. Raises OSError."""

@final
class Records:
    """Handshake records that were made in Python, as the same Arrow columns as those of captures."""

    def __new__(cls, rows: Sequence[dict[str, Any]]) -> Records:
        """Of ``halfopen.handshake/1`` objects; what one does not name is null. TypeError: a value of a wrong type."""

    def __len__(self) -> int: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> CapsuleType:
        """The Arrow PyCapsule interface. ``requested_schema`` is not honoured: the reader casts."""

    def __arrow_c_schema__(self) -> CapsuleType:
        """The schema alone."""

    def to_parquet(self) -> bytes:
        """A whole Parquet file."""

def handshake_fields() -> list[tuple[str, str, str]]:
    """The fields of a record, in order: name, type, meaning. Members of records are ``client_options.mss``."""

@final
class Trace:
    """What a reading found. The texts are JSON (``summary``, see docs/summary.md) and JSON Lines (records)."""

    @property
    def summary(self) -> str: ...
    @property
    def slowest(self) -> str: ...
    @property
    def failed(self) -> str: ...
    @property
    def inputs(self) -> list[dict[str, Any]]: ...
    @property
    def packets(self) -> int: ...
    @property
    def tcp_segments(self) -> int: ...
    @property
    def midstream(self) -> int: ...
    @property
    def midstream_segments(self) -> int: ...
    @property
    def midstream_senders(self) -> list[str]: ...
    @property
    def late_segments(self) -> int: ...
    @property
    def captured_twice(self) -> int: ...
    @property
    def evicted(self) -> int: ...
    @property
    def first_frame_ns(self) -> int | None: ...
    @property
    def last_frame_ns(self) -> int | None: ...
    @property
    def handshakes(self) -> Handshakes | None: ...

def trace(
    inputs: Sequence[str | PathLike[str]],
    *,
    max_flows: int | None = None,
    verify_checksums: bool = False,
    since: tuple[int, bool] | None = None,
    until: tuple[int, bool] | None = None,
    program: tuple[str, str] | None = None,
    sort: str | None = None,
    top: int | None = None,
    slowest: int = 10,
    failed: int = 10,
    endpoints: int = 1000,
    records: Literal["none", "columns", "jsonl", "csv", "parquet"] = "none",
    output: str | PathLike[str] | None = None,
    progress: Callable[[int, int, int | None], object] | None = None,
) -> Trace:
    """Read captures to their end.

    ``since`` and ``until`` are (nanoseconds, counted from the first frame). ``program`` is the text of a condition and
    what ``halfopen.handshakes.where`` made of it. The records are the first ``top`` by ``sort`` (``-FIELD``: largest
    first); the summary is of all for which the condition holds. ``output`` is the file for records, standard output
    when None. ``progress`` is called with packets, bytes and total bytes now and then; what it raises ends the reading.
    Raises CaptureError when no input can be read, WhereError or UsageError when the condition or the order names what
    there is not, OSError when the output cannot be written.
    """

def exchanges(
    inputs: Sequence[str | PathLike[str]],
    wanted: Sequence[int] | tuple[str, int, str, int],
    *,
    max_flows: int | None = None,
    verify_checksums: bool = False,
    progress: Callable[[int, int, int | None], object] | None = None,
) -> dict[str, Any]:
    """Read captures and give the packets of the wanted handshakes: numbers, or (address, port, address, port).

    ``exchanges`` are dicts, by number: ``handshake`` (a JSON line), ``events`` (dicts), ``omitted``, ``omitted_after``.
    ``left_out`` are wanted handshakes beyond the 64 that are kept, ``handshakes`` all that were seen. Once all wanted
    numbers have ended, the rest of the captures is not read.
    """

@final
class Against:
    """What a comparison found: ``halfopen.against/1`` without its inputs as a JSON text, and the inputs."""

    @property
    def document(self) -> str: ...
    @property
    def inputs_a(self) -> list[dict[str, Any]]: ...
    @property
    def inputs_b(self) -> list[dict[str, Any]]: ...

def against(
    a: Sequence[str | PathLike[str]],
    b: Sequence[str | PathLike[str]],
    *,
    max_flows: int | None = None,
    verify_checksums: bool = False,
    top: int = 10,
    lines: bool = False,
    output: str | PathLike[str] | None = None,
    progress: Callable[[int, int, int | None], object] | None = None,
) -> Against:
    """Compare two captures of the same traffic, each of one or several files.

    ``top`` handshakes with losses are in the document. With ``lines``, one JSON object for each handshake goes to
    ``output``, standard output when None. ``progress`` as in ``trace``. Raises CaptureError when a capture cannot be
    read, OSError when the output cannot be written.
    """

def create_namespace() -> int:
    """Make a network namespace and give a descriptor of it, which the caller closes.

    It vanishes with the last descriptor, thread and process in it. Needs CAP_SYS_ADMIN in the user namespace. Raises
    OSError.
    """

def unshare_user() -> None:
    """Make this process the root of a user namespace and a network namespace of its own.

    The process must have one thread only. Raises OSError where it is not allowed.
    """

@final
class Tun:
    """A TUN device in the network namespace of the calling thread; down, without an address. For a ``Relay``.

    Needs CAP_NET_ADMIN there and write permission on /dev/net/tun. Raises OSError.
    """

    def __new__(cls, name: str) -> Self: ...

@final
class Relay:
    """Carries packets between two TUN devices until it is stopped or dropped; it takes the devices over."""

    def __new__(cls, first: Tun, second: Tun, seed: int) -> Self: ...
    def set_links(self, forward: str, backward: str) -> None:
        """How the link is from now on, as ``delay=20ms loss=10% rate=10mbit``. ValueError when unreadable."""

    def set_faults(self, faults: Sequence[str]) -> None:
        """Which faults there are from now on, as ``drop syn_ack first=1``. ValueError when one is unreadable."""

    def report(self) -> dict[str, Any]:
        """``received`` and ``delivered`` packets by direction, ``events`` (dicts), ``events_left_out``, ``faults``."""

    def stop(self) -> None:
        """Stop; raises OSError when it had stopped by itself."""

@final
class Flood:
    """SYNs from random addresses of ``sources`` (network, prefix length) to ``target`` (address, port).

    A thread of its own sends them, in the network namespace of the calling thread, which must be one that the
    laboratory marked. ``rate`` is SYNs a second (0: as fast as it goes). It ends after ``count`` or ``time_max_s``.
    Needs CAP_NET_RAW.
    """

    def __new__(
        cls,
        target: tuple[IPv4Address | IPv6Address | str, int],
        sources: tuple[IPv4Address | IPv6Address | str, int],
        *,
        rate: int,
        count: int,
        time_max_s: float,
        seed: int = 0,
    ) -> Self: ...
    def stop(self) -> None:
        """End early."""

    def wait(self) -> dict[str, Any]:
        """Wait for the end: ``syns`` sent, ``refused`` by the kernel, ``elapsed_s``.

        Raises PermissionError outside a laboratory, ValueError, OSError.
        """

def read_settings(root: str | PathLike[str], skipped: Sequence[str]) -> dict[bytes, bytes]:
    """{path below ``root``: contents} of every file that can be read; those with a name in ``skipped`` are not opened.

    Below /proc/sys/net these are the settings of the calling thread's network namespace. Raises OSError when ``root``
    cannot be listed.
    """

def read_named_settings(root: str | PathLike[str], names: Sequence[bytes]) -> dict[bytes, bytes]:
    """{path below ``root``: contents} of the files of these names that can be read (``ipv4/conf/*/rp_filter``).

    ``*`` may stand for one directory. Nothing else is looked up: the kernel remembers what was, for each namespace.
    Raises OSError when ``root`` cannot be opened.
    """

def private_proc() -> int:
    """A descriptor of the root of a procfs that is mounted nowhere, and for reading only; the caller closes it.

    It shows what /proc shows, and the kernel forgets with it what was looked up in it. Needs CAP_SYS_ADMIN and Linux
    5.2; raises OSError otherwise.
    """

def enter_netns(namespace: int | str | PathLike[str], /) -> None:
    """Move the calling thread into a network namespace, for good: an open descriptor, or a path (``/proc/1/ns/net``).

    What the thread opens from then on belongs to that namespace: sockets, ``/proc/sys/net`` and
    ``/proc/thread-self/net``. (``/proc/net`` stays the main thread's.) Throw the thread away afterwards. Raises
    PrivilegeError without CAP_SYS_ADMIN, NotAvailableError when there is no such namespace, OSError for the rest, in
    particular on the main thread, which must stay where it is.
    """

@final
class SocketOwners:
    """Which processes hold which sockets: one walk over ``/proc/*/fd``, good for every network namespace.

    ``proc`` is /proc when None. Raises OSError or NotAvailableError when it cannot be listed.
    """

    def __new__(cls, proc: str | PathLike[str] | None = None) -> SocketOwners: ...
    @property
    def processes(self) -> int:
        """Processes that were looked into."""

    @property
    def refused(self) -> list[int]:
        """Processes that this user may not look into, by number; their sockets have no owner here."""

    def __len__(self) -> int:
        """Sockets with an owner."""

    def holders(self, inode: int, /) -> list[tuple[int, int]]:
        """(pid, number of the descriptor) of everyone who holds this socket."""

    @property
    def namespaces(self) -> list[tuple[int, int, str]]:
        """Network namespaces that a descriptor, or a thread other than a process's first, leads into.

        Each once, as (inode, process that has it, what to open below /proc: ``123/fd/5``).
        """

    def options(self, inode: int, /) -> ListenerOptionsDict | None:
        """Options of a listener, read from a duplicate of its descriptor; None when no holder lets this user do it.

        Needs what a debugger needs: the same user, or CAP_SYS_PTRACE. Nothing is attached to or changed.
        """

@type_check_only
class ListenerOptionsDict(TypedDict):
    """``halfopen.model.sockets.ListenerOptions``, raw."""

    defer_accept_s: int
    fast_open: int
    syn_retries: int
    """A socket without TCP_SYNCNT answers with ``tcp_syn_retries`` of its namespace."""
    reuse_port: bool

@type_check_only
class AcceptQueueDict(TypedDict):
    """``halfopen.model.sockets.AcceptQueue``."""

    established: int
    close_wait: int
    oldest_ms: int | None
    unread_bytes_max: int

@type_check_only
class ListenerDict(TypedDict):
    """``halfopen.model.sockets.Listener``, with process ids for owners."""

    address: str
    port: int
    accept_queue: int
    accept_queue_limit: int
    family: int
    only_v6: bool | None
    inode: int
    cookie: int
    uid: int
    interface: int | None
    drops: int | None
    syn_queue: int
    syn_queue_retransmitted: int
    queued: AcceptQueueDict | None
    group: int
    cgroup_id: int | None
    """Id of the control group that it was made in: the inode of its directory."""
    pids: list[int]
    """Processes that hold it."""

@type_check_only
class DestinationDict(TypedDict):
    """``halfopen.model.sockets.Destination``, with process ids for owners."""

    source: str
    destination: str
    port: int
    states: dict[str, int]
    in_range: int
    low_parity: int
    time_wait_ages: tuple[int, ...]
    retransmitting: int
    oldest_syn_ms: int | None
    bound: int
    pids: list[tuple[int, int]]
    """(pid, sockets) of the processes with most of its sockets, at most 3."""

@type_check_only
class ProcessDict(TypedDict):
    """``halfopen.model.sockets.ProcessSockets``, with a process id for the owner."""

    pid: int
    states: dict[str, int]
    close_wait_oldest_ms: int | None

@type_check_only
class CensusDict(TypedDict):
    """``halfopen.model.sockets.Sockets``."""

    states: dict[str, int]
    listeners: list[ListenerDict]
    destinations: list[DestinationDict]
    destinations_left_out: int
    processes: list[ProcessDict]
    orphans: dict[str, int]
    stale_syn_recv: int
    consistent: bool
    """False when the kernel said that it changed while it was read."""

def tcp_census(
    port_range: tuple[int, int],
    owners: SocketOwners | None = None,
    *,
    destinations: int = 1000,
    processes: int = 100,
) -> CensusDict:
    """Count the TCP sockets of the calling thread's network namespace. Needs no privilege.

    ``port_range`` is its ``ip_local_port_range``. Without ``owners`` no process is named. Raises PrivilegeError or
    NotAvailableError when the kernel does not answer sock_diag, OSError for anything else.
    """

@type_check_only
class SocketDict(TypedDict):
    """One socket as ``sock_diag`` tells it; null is what it did not tell."""

    family: int
    state: str
    timer: int
    retransmissions: int
    expires_ms: int
    local: str
    local_port: int
    remote: str
    remote_port: int
    interface: int | None
    cookie: int
    receive_queue: int
    send_queue: int
    uid: int
    inode: int
    drops: int | None
    only_v6: bool | None
    cgroup_id: int | None
    bind_address_no_port: bool | None
    defer_connect: bool | None
    last_data_sent_ms: int | None
    last_ack_recv_ms: int | None
    total_retrans: int | None
    rtt_us: int | None

def tcp_sockets(states: Sequence[str] | None = None, *, info: bool = False, memory: bool = False) -> list[SocketDict]:
    """Every TCP socket of the calling thread's network namespace in these states (``LISTEN``…), or in any.

    With ``info`` the fields of TCP_INFO are filled, with ``memory`` the drops. Raises ValueError for no state of TCP,
    and as ``tcp_census`` does.
    """

class SocketSetupError(Exception):
    """The socket could not be made as asked, so nothing was sent. ``args``: operation, error's name, why."""

def probe(
    address: str | IPv4Address | IPv6Address,
    port: int,
    *,
    scope_id: int = 0,
    timeout_s: float = 5.0,
    source: str | IPv4Address | IPv6Address | None = None,
    source_port: int | None = None,
    interface: str | None = None,
    mark: int | None = None,
    ttl: int | None = None,
    mss: int | None = None,
    nodelay: bool = False,
    quickack: bool | None = None,
    syn_retries: int | None = None,
    fast_open: bytes | None = None,
    send: bytes | None = None,
    await_data_s: float | None = None,
) -> dict[str, Any]:
    """Connect once, measure, close. ``halfopen.model.probe`` has the same fields as types, with their meanings.

    Releases the interpreter lock, and looks for signals ten times a second: KeyboardInterrupt ends it, which is in the
    result as ``interrupted``. Raises SocketSetupError, and whatever else a signal handler raised.
    """

def load(
    target: str,
    *,
    sources: Sequence[str],
    connections: int,
    total: int | None = None,
    rate: int | None = None,
    duration_s: float | None = None,
    http: tuple[str, str, int] | None = None,
    send: tuple[bytes, int | None] | None = None,
    close: Literal["fin", "rst", "server-first"],
    timeout_s: float,
    threads: int,
    progress: Callable[[int, int, int, int], object] | None = None,
) -> dict[str, Any]:
    """Open connections to ``target`` (``address:port``) and count.

    With ``rate``, an open loop of so many a second for ``duration_s``, ``connections`` at a time at most; without, a
    closed loop until ``total`` or ``duration_s``. ``http`` is path, Host and requests a connection; ``send`` is the
    payload and the bytes of the whole answer (None: until the server closes). ``close`` is ``fin``, ``rst`` or
    ``server-first``. ``progress`` is called ten times a second with connects begun, handshakes completed, connections
    done and connections failed. KeyboardInterrupt ends the load, which is in the result as ``interrupted``; what else
    ``progress`` raises ends it too, and is raised. Latencies are dicts of microseconds: ``count``, ``mean``, ``p50``,
    ``p90``, ``p99``, ``p999``, ``max``, ``buckets`` (upper bound, count). ``failures`` are (``connect`` or
    ``exchange``, name, errno, count). Raises SocketSetupError.
    """

@final
class Server:
    """A test server that listens when it is made. Raises SocketSetupError when it cannot."""

    def __new__(
        cls,
        addresses: Sequence[str],
        *,
        backlog: int,
        defer_accept: int | None = None,
        fast_open: int | None = None,
        reuse_port: int = 1,
        accept_delay_s: float | None = None,
        accept_rate: int | None = None,
        never_accept: bool = False,
        banner: bytes | None = None,
        echo: bool = False,
        http: bytes | None = None,
        close: Literal["client", "fin", "rst"] = "client",
        quickack: bool | None = None,
        nodelay: bool = False,
        max_connections: int = 65_536,
        events: bool = True,
    ) -> Self: ...
    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens; port 0 has become a number."""

    def totals(self) -> dict[str, Any]:
        """What happened since the start.

        ``accepted``, ``closed`` (by ``client``, ``server``, ``error``), ``received_bytes`` and ``sent_bytes`` of ended
        connections, and ``lost_events``, which nobody fetched in time.
        """

    def queues(self) -> list[dict[str, Any]]:
        """The accept queue of each listener now: ``address``, ``port``, ``depth``, ``limit`` (one more fits)."""

    def events(self, wait_s: float) -> list[dict[str, Any]]:
        """What happened since, up to 4096 events, fields as in docs/serve.md; waits up to ``wait_s`` for the first."""

    def stop(self) -> None:
        """Close listeners and connections, and wait for the threads. Raises OSError when one of them failed."""

@type_check_only
class InterfaceDict(TypedDict):
    """``halfopen.model.network.Interface``."""

    index: int
    name: str
    up: bool
    carrier: bool
    mtu: int | None
    addresses: list[str]

def network_interfaces() -> list[InterfaceDict]:
    """The interfaces of the calling thread's network namespace, by number. Needs no privilege.

    Raises PrivilegeError, NotAvailableError or OSError when the kernel does not answer.
    """

@type_check_only
class RouteDict(TypedDict):
    """``halfopen.model.network.Route``."""

    destination: str
    family: int
    kind: str
    interface: str | None
    gateway: str | None
    source: str | None
    table: int
    metric: int | None
    attributes: dict[str, int]
    """As the kernel keeps them: ``rtt`` in 1/8 ms, ``rttvar`` in 1/4 ms, ``rto_min`` in ms."""

def network_routes(most: int = 10_000) -> tuple[list[RouteDict], int]:
    """Routes of every table of the calling thread's network namespace, and how many there are beyond ``most``.

    A multipath route is one route for each next hop. Those that the kernel made for an interface's own address are left
    out. Needs no privilege. Raises as ``network_interfaces`` does.
    """

@type_check_only
class RoutingRuleDict(TypedDict):
    """``halfopen.model.network.RoutingRule``."""

    priority: int
    family: int
    action: str
    table: int
    goto: int | None
    inverted: bool
    source: str | None
    destination: str | None
    mark: int | None
    mark_mask: int | None
    input: str | None
    output: str | None
    l3mdev: bool
    protocol: int | None
    ports: tuple[int, int] | None
    suppress_prefix_length: int | None
    other: tuple[str, ...]

def network_rules(most: int = 1000) -> tuple[list[RoutingRuleDict], int]:
    """Rules by which the calling thread's network namespace chooses a table of routes, and how many beyond ``most``.

    In the order in which they are tried; those of IPv4 and of IPv6. Needs no privilege. Raises as
    ``network_interfaces`` does.
    """

@type_check_only
class TcpMetricDict(TypedDict):
    """``halfopen.model.network.TcpMetric``."""

    destination: str
    source: str | None
    age_ms: int | None
    rtt_us: int | None
    rttvar_us: int | None
    fast_open_cookie: bool
    fast_open_syn_losses: int
    fast_open_mss: int | None

def tcp_metrics(most: int = 1000) -> tuple[list[TcpMetricDict], int]:
    """What the calling thread's network namespace remembers of peers, youngest first, and how many there are beyond.

    Needs no privilege. Raises as ``network_interfaces`` does.
    """

@type_check_only
class ConntrackDict(TypedDict):
    """Tracked connections, counted."""

    entries: int
    assured: int
    """Those that a full table does not evict (fact F80)."""
    unreplied: int
    tcp: int

def conntrack_counts(most: int = 1_000_000) -> ConntrackDict | None:
    """Count the tracked connections of the calling thread's network namespace; None when there are more than ``most``.

    Where connections are not tracked nothing is asked, because asking would load kernel modules: NotAvailableError.
    Raises PrivilegeError without CAP_NET_ADMIN, OSError for anything else.
    """

@type_check_only
class CaptureReportDict(TypedDict):
    """What a capture came to."""

    packets: int
    """Packets written."""
    dropped: int
    """Packets that were wanted and that the kernel had no room for."""
    limited: bool
    """It had ended by itself, at a limit."""

@final
class Capture:
    """Packets of TCP handshakes from a packet socket into a capture file, until stopped or at a limit.

    The socket belongs to the network namespace of the calling thread; ``interface`` is one of it, or None for all. The
    file (mode 0600) is pcap with nanoseconds and LINKTYPE_LINUX_SLL2, VLAN tags included. Captured are SYN, FIN, RST,
    segments without data and ICMP errors, or with ``everything`` all of TCP; from or to any of ``addresses`` and any of
    ``ports``, where these are given (at most 4 and 8; ICMP errors always). ``snaplen`` bytes are kept of a packet, at
    least 128. No packet is missed once this returns.

    Raises ValueError for limits that are none, PrivilegeError without CAP_NET_RAW, OSError for anything else.
    """

    def __new__(
        cls,
        path: str | PathLike[str],
        interface: str | None = None,
        *,
        everything: bool = False,
        addresses: Sequence[str | IPv4Address | IPv6Address] | None = None,
        ports: Sequence[int] | None = None,
        snaplen: int = 256,
        time_max_s: float | None = None,
        packets_max: int = 1_000_000,
    ) -> Self: ...
    @property
    def packets(self) -> int:
        """Packets written so far."""

    @property
    def is_over(self) -> bool:
        """Whether it has ended: at a limit, or by an error that ``stop`` raises."""

    def stop(self) -> CaptureReportDict:
        """End it; the file is whole then. Raises OSError when it failed on the way, or had been stopped before."""
