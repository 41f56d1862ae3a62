"""``doctor HOST:PORT`` on real hosts: what stops or slows a connect is named, what cannot be judged is not blamed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import PROGRAM, environment
from tests.rules.hosts import Hosts

from halfopen.errors import NotAvailableError
from halfopen.lab import tracked
from halfopen.lab.experiments.conntrack_full import TRACKING
from halfopen.lab.experiments.fast_open_trouble import EATEN
from halfopen.lab.fast_opening import BOTH, FAST_OPEN, send
from halfopen.lab.observe import read_counters
from halfopen.lab.programs import run_program
from halfopen.lab.topology import pair
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lab.namespace import Namespace

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="making network namespaces needs root"),
    pytest.mark.timeout(120),
]

PORT = 8000
OUTPUT = "table inet f {{\n chain o {{\n type filter hook output priority 0; policy {policy}\n {rule}\n }}\n}}"


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    """A client, and a server that echoes."""
    with Hosts() as made:
        made.serve(PORT, "--echo")
        yield made


def asked(host: Namespace, target: str, *options: str) -> dict[str, Any]:
    """What the doctor of ``host`` says of a target."""
    command = [str(PROGRAM), "doctor", target, "--netns", "own", "--format", "json", "--quiet", *options]
    done = host.run(
        lambda: subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment())
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def of_kind(document: dict[str, Any], kind: str) -> dict[str, Any]:
    """The local cause of a kind."""
    cause: dict[str, Any] = next(cause for cause in document["local_causes"] if cause["kind"] == kind)
    return cause


# --- routes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "verdict", "says"),
    [
        (
            "pref 100 to {server} prohibit",
            "cause",
            "The routing rule «from all to {server}/32 prohibit» (priority 100) says",
        ),
        ("pref 100 from {client} lookup 100", "cause", "The route {server}/32 is of kind blackhole."),
        ("pref 100 fwmark 7 lookup 100", "exonerated", "There is a route"),
        (
            "pref 100 uidrange 0-0 lookup 100",
            "unknown",
            "whether «from all uidrange … lookup 100» applies is not judged.",
        ),
    ],
)
def test_a_routing_rule(hosts: Hosts, rule: str, verdict: str, says: str) -> None:
    places = {"server": hosts.address, "client": hosts.ends[0].v4}
    run_program(hosts.client, "ip", "route", "add", "blackhole", hosts.address, "table", "100")
    run_program(hosts.client, "ip", "rule", "add", *rule.format(**places).split())
    document = asked(hosts.client, f"{hosts.address}:{PORT}")
    cause = of_kind(document, "route")
    assert says.format(**places) in cause["sentence"]
    assert cause["verdict"] == verdict
    assert document["verdict"] == ("healthy" if verdict == "exonerated" else "not_sent")


def test_a_link_without_carrier(hosts: Hosts) -> None:
    run_program(hosts.server, "ip", "link", "set", hosts.ends[1].interface, "down")
    document = asked(hosts.client, f"{hosts.address}:{PORT}")
    assert document["verdict"] == "not_sent"
    assert f"The interface {hosts.ends[0].interface} has no carrier" in document["explanation"]["sentence"]


# --- the packet filter ------------------------------------------------------------------------------------------------


def test_what_a_rule_asks_for_is_not_judged_until_a_capture_shows_it(hosts: Hosts) -> None:
    hosts.nft(hosts.client, OUTPUT.format(policy="accept", rule=f"meta skuid 0 tcp dport {PORT} drop"))
    target = f"{hosts.address}:{PORT}"
    guess, shown = asked(hosts.client, target), asked(hosts.client, target, "--capture")
    assert (guess["verdict"], of_kind(guess, "filter")["verdict"]) == ("silent_drop", "possible")
    assert of_kind(guess, "filter")["sentence"].endswith(
        "may drop the SYN on its way out: «meta skuid 0» is not judged."
    )
    assert (shown["verdict"], of_kind(shown, "filter")["verdict"]) == ("not_sent", "cause")
    assert of_kind(shown, "filter")["sentence"].endswith("drops the SYN on its way out.")


@pytest.mark.parametrize(
    ("accepted", "verdict", "says"),
    [
        ('oifname "nowhere" accept', "cause", "The policy of inet f o drops the SYN on its way out."),
        ("meta skuid 12345 accept", "possible", "the rule «meta skuid 12345 accept» before it is not judged."),
        (
            "tcp dport vmap {{ 22 : accept, {port} : drop }}",
            "cause",
            "22 : accept, 8000 : drop }» of inet f o drops the SYN",
        ),
        ("tcp dport vmap {{ 22 : accept, * : drop }}", "cause", "22 : accept, * : drop }» of inet f o drops the SYN"),
    ],
)
def test_what_is_accepted_before_a_policy(hosts: Hosts, accepted: str, verdict: str, says: str) -> None:
    hosts.nft(hosts.client, OUTPUT.format(policy="drop", rule=accepted.format(port=PORT)))
    cause = of_kind(asked(hosts.client, f"{hosts.address}:{PORT}"), "filter")
    assert says in cause["sentence"]
    assert cause["verdict"] == verdict


def test_the_interface_that_is_accepted_is_the_one_that_it_leaves_by(hosts: Hosts) -> None:
    accepted = f'oifname "{hosts.ends[0].interface}" accept'
    hosts.nft(hosts.client, OUTPUT.format(policy="drop", rule=accepted))
    document = asked(hosts.client, f"{hosts.address}:{PORT}")
    assert (document["verdict"], of_kind(document, "filter")["verdict"]) == ("healthy", "exonerated")


# --- tables and queues ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("assured", "verdict", "cause"), [(True, "silent_drop", "cause"), (False, "healthy", "exonerated")]
)
def test_connection_tracking_that_is_full(hosts: Hosts, assured: bool, verdict: str, cause: str) -> None:
    hosts.nft(hosts.client, TRACKING)
    try:
        tracked.fill(hosts.client, assured=assured)
    except NotAvailableError as error:
        pytest.skip(str(error))
    document = asked(hosts.client, f"{hosts.address}:{PORT}")
    assert (document["verdict"], of_kind(document, "conntrack")["verdict"]) == (verdict, cause)


def test_a_queue_that_fills_because_its_program_is_stopped(hosts: Hosts) -> None:
    port = PORT + 1
    command = [str(PROGRAM), "serve", "--address", hosts.address, "--port", str(port), "--no-events", "--backlog", "8"]
    server = hosts.spawn(hosts.server, *command)
    hosts.listening(hosts.server, port)
    os.kill(server.pid, signal.SIGSTOP)
    hosts.stack.callback(os.kill, server.pid, signal.SIGCONT)
    filling, full = (asked(hosts.server, f"{hosts.address}:{port}") for _ in range(2))
    assert (filling["verdict"], filling["explanation"]["told"]) == ("accept_starvation", ["HO104"])
    assert f"kill -CONT {server.pid}" in filling["explanation"]["steps"][0]
    assert not any("exonerated" in sentence for sentence in filling["explanation"]["evidence"])
    assert (full["verdict"], full["explanation"]["told"]) == ("accept_starvation", ["HO101"])


def test_a_black_hole_for_fast_open_stands_beside_a_target_that_works(hosts: Hosts) -> None:
    net = pair(hosts.network, relayed=True, suffix="2")
    net.server.set_sysctl(FAST_OPEN, BOTH)
    hosts.serve(PORT, "--echo", "--fast-open", "64", host=net.server, address=net.server_address)

    def exchange() -> None:
        with net.client.run(send, net.server_address, PORT) as client:
            client.recv(16)

    exchange()
    net.relay.set_faults([EATEN])
    for _ in range(8):
        hosts.keep_running(exchange)
    until(lambda: net.client.run(read_counters).get("TCPFastOpenActiveFail", 0) > 0, "a SYN with data to be lost", 20.0)
    document = asked(net.client, f"{net.server_address}:{PORT}")
    assert document["verdict"] == "healthy"
    assert [finding["code"] for finding in document["findings"]] == ["HO504"]
