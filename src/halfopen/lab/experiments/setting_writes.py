"""What the kernel makes of a value that is written to a setting: refuses it, cuts it, stores it, or resets others."""

from __future__ import annotations

import errno
import resource
import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from halfopen.knowledge.mib_text import parse_sockstat
from halfopen.lab.experiment import Experiment
from halfopen.lab.namespace import sysctl_path
from halfopen.lab.story import Between
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import close_all, connect, error_name, listen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lab.namespace import Namespace
    from halfopen.lab.story import Story

#: Out of range; and a word where the kernel knows no such thing.
REFUSED = (("net.ipv4.tcp_tw_reuse", "3", "EINVAL"), ("net.ipv4.tcp_syn_retries", "0", "EINVAL"))
NUMBER, WORD = "net.ipv4.tcp_syncookies", "net.ipv4.tcp_congestion_control"
BUFFERS, FALLING = "net.ipv4.tcp_rmem", "8192 4096 2048"
SECRETS = ("net.ipv4.tcp_fastopen_key", "net.ipv6.conf.default.stable_secret")
READ_ONLY, TRIGGER = "net.ipv4.tcp_available_congestion_control", "net.ipv4.route.flush"
RANGE, FIRST_PORT = "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"
WIDE = "100 65001"
ACCEPTED = "no error"
TWICE, OBSOLETE = "net.ipv4.tcp_fin_timeout", ("net.ipv4.tcp_low_latency", "net.ipv4.tcp_fack")
#: Enough that what each processor keeps in reserve (1 MiB) does not matter.
SENDERS, WINDOW, SENT_MAX = 40, 1 << 20, 1 << 20
FORWARD, REDIRECTS = "net.ipv4.ip_forward", "net.ipv4.conf.all.accept_redirects"


def run(story: Story) -> None:
    """Write to settings of a host that nobody uses, and read them back; then in an order that works."""
    net = pair(story.network)
    host, of_link = net.server, f"net.ipv4.conf.{net.link.ends[1].interface}.forwarding"
    _pages(story, net)
    _values(story, host)
    _without_effect(story, host)
    _modes(story, host)
    story.say("Some settings bound or reset others. A file that is read from top to bottom writes:")
    story.expect(f"{RANGE} = {WIDE}: told", "EINVAL", _write(host, RANGE, WIDE))
    held = [*_held_after(host, (REDIRECTS, 0), (of_link, 1), (FORWARD, 1), (REDIRECTS, 0), (FORWARD, 0))]
    story.expect(f"{REDIRECTS} = 0, then {FORWARD} = 0: {REDIRECTS} is", "1", host.sysctl(REDIRECTS))
    story.expect(f"  and {of_link}, which was 1", "0", host.sysctl(of_link))

    story.remedy(f"Write {FIRST_PORT} before the range, and {FORWARD} before what is below net.ipv4.conf.")
    host.set_sysctl(FIRST_PORT, 100)
    story.expect(f"{RANGE} = {WIDE}: told", ACCEPTED, _write(host, RANGE, WIDE))
    held += _held_after(host, (FORWARD, 1), (FORWARD, 0), (REDIRECTS, 0), (of_link, 1))
    story.compare(f"{REDIRECTS} after each write, in order", "its value", held)
    story.expect(f"{FORWARD} = 0, then {REDIRECTS} = 0: {REDIRECTS} is", "0", host.sysctl(REDIRECTS))
    story.expect(f"  and {of_link} = 1", "1", host.sysctl(of_link))


def _held_after(host: Namespace, *writes: tuple[str, int]) -> Iterator[tuple[str, float]]:
    """What was written, and what REDIRECTS is then."""
    for key, value in writes:
        host.set_sysctl(key, value)
        yield f"{key} = {value}", float(host.sysctl(REDIRECTS))


def _values(story: Story, host: Namespace) -> None:
    story.say("Values that are out of range, that have a comment behind them, or that are out of order:")
    for key, value, error in REFUSED:
        before = host.sysctl(key)
        story.expect(f"{key} = {value}: told", error, _write(host, key, value))
        story.expect("  and it keeps what it had", before, host.sysctl(key))
    story.expect(f"{NUMBER} = 0 # off: told", ACCEPTED, _write(host, NUMBER, "0 # off"))
    story.expect("  and it holds", "0", host.sysctl(NUMBER))
    story.expect(f"{WORD} = reno # tried: told", "ENOENT", _write(host, WORD, "reno # tried"))
    story.expect(f"{BUFFERS} = {FALLING} (smallest, first, largest): told", ACCEPTED, _write(host, BUFFERS, FALLING))
    story.expect("  and it holds", FALLING, " ".join(host.sysctl(BUFFERS).split()))


def _without_effect(story: Story, host: Namespace) -> None:
    """Which lines of a file change nothing: the first of two, and keys that are only kept for old files."""
    story.say("A file sets one key twice, and keys that Linux has kept only so that old files do not fail:")
    for value in (30, 45):
        host.set_sysctl(TWICE, value)
    story.expect(f"{TWICE} = 30, then 45: it holds", "45", host.sysctl(TWICE))
    for key in filter(host.has_sysctl, OBSOLETE):
        before = _settings_but(host, key)
        story.expect(f"{key} = 1: told", ACCEPTED, _write(host, key, "1"))
        story.expect("  settings of TCP that changed beside it", 0, len(before ^ _settings_but(host, key)))


def _settings_but(host: Namespace, key: str) -> set[tuple[str, str]]:
    """Every setting of TCP that can be read, but this one."""

    def read() -> set[tuple[str, str]]:
        paths = [path for path in sysctl_path("net.ipv4").glob("tcp_*") if path != sysctl_path(key)]
        return {(path.name, path.read_text()) for path in paths if path.stat().st_mode & stat.S_IRUSR}

    return host.run(read)


def _pages(story: Story, net: Pair) -> None:
    """``mem`` of /proc/net/sockstat, which ``tcp_mem`` limits: in pages, for the whole machine."""
    story.say(
        "A server does not read what its clients send. TCP's memory (mem in /proc/net/sockstat; its limit is tcp_mem) "
        "grows by as many pages, not bytes:"
    )
    before = net.server.run(_memory)
    large = (socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
    with listen(net.server, net.server_address, SENDERS, options=(large,)):
        attempts = connect(net.client, net.server_address, SENDERS)
        sent = sum(_send_all(attempt.socket) for attempt in attempts)
        grown = net.server.run(_memory) - before
        close_all(attempts)
    pages = sent // resource.getpagesize()
    story.expect(f"{sent // 1024} KiB, which is {pages} pages: mem grew by", Between(pages // 2, 8 * pages), grown)


def _send_all(client: socket.socket) -> int:
    """Send until nothing more is taken; bytes."""
    sent = 0
    with suppress(BlockingIOError):
        while sent < SENT_MAX:
            sent += client.send(bytes(65536))
    return sent


def _memory() -> int:
    return parse_sockstat(Path("/proc/thread-self/net/sockstat").read_text(encoding="ascii"))["TCP"]["mem"]


def _modes(story: Story, host: Namespace) -> None:
    story.say("Who may read and write what `sysctl -a` lists:")
    for key in SECRETS:
        story.expect(f"{key}: mode", "0600", _mode(host, key))
    story.expect(f"{TRIGGER}: mode", "0200", _mode(host, TRIGGER))
    story.expect(f"{READ_ONLY}: mode", "0444", _mode(host, READ_ONLY))
    refused = _write(host, READ_ONLY, "reno")
    story.expect("  told, when root writes to it", "EACCES", refused)


def _write(host: Namespace, key: str, value: str) -> str:
    """The name of the error of a write, or ``ACCEPTED``."""
    try:
        host.run(sysctl_path(key).write_text, value)
    except OSError as error:
        return error_name(error.errno or errno.EIO)
    return ACCEPTED


def _mode(host: Namespace, key: str) -> str:
    return f"{stat.S_IMODE(host.run(sysctl_path(key).stat).st_mode):04o}"


EXPERIMENT = Experiment(
    name="setting-writes",
    title="What the kernel makes of a value that is written",
    claim="A value out of range is refused and the old one stays; of a number with a comment behind it the number is "
    "taken, of a word nothing; of two writes the last one counts; buffer sizes may fall; ip_forward resets what was "
    "set below net.ipv4.conf; secrets have mode 0600; tcp_mem counts pages.",
    run=run,
)
