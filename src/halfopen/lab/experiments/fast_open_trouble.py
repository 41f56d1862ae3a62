"""Four ways in which Fast Open quietly is none, each with the counter that tells and with what ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment, hosts_of_pairs
from halfopen.lab.fast_opening import BOTH, CLIENT, FAST_OPEN, KEY, ONCE_AGAIN_S, asking_for, exchange, send
from halfopen.lab.observe import Moment
from halfopen.lab.story import AtLeast, Between
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import listen
from halfopen.lab.waiting import stopwatch

if TYPE_CHECKING:
    import socket

    from halfopen.lab.story import Story
    from halfopen.model.finding import Finding

BLACK_HOLE = "net.ipv4.tcp_fastopen_blackhole_timeout_sec"
ASKED, FEW, ROUNDS = 20, 1, 6
AT_ONCE = 10
EATEN = "drop syn with_data"
#: So that the handshakes of ``AT_ONCE`` requests are pending together.
SLOW = "delay=450ms"
KEYS = ("00000001-00000002-00000003-00000004", "00000005-00000006-00000007-00000008")


def run(story: Story) -> None:
    """A server that gives no cookie, one with a short queue, two with a key each, and a path that eats the data."""
    offered, short, keys, eaten = (pair(story.network, relayed=True, suffix=suffix) for suffix in ("", "2", "3", "4"))
    asked = _asked(story, offered)
    _short(story, short, FEW)
    _keys(story, keys, KEYS)
    lost = _eaten(story, eaten)

    story.remedy(
        "Offer Fast Open on the server, with a queue of rate x round trip and one key for all servers behind an "
        "address; turn it off on clients whose path eats such SYNs."
    )
    _offered(story, offered, asked)
    _short(story, short, 64)
    _keys(story, keys, KEYS[:1] * 2)
    _not_eaten(story, eaten, lost)


# --- the server's bit -------------------------------------------------------------------------------------------------


def _asked(story: Story, net: Pair) -> Examination:
    net.server.set_sysctl(FAST_OPEN, CLIENT)
    story.say(f"{FAST_OPEN} of the server is 1, the default: as a client only. {ASKED} clients ask for a cookie.")
    doctor, moment = Examination.begin(net.server), Moment.of(net.server)
    with listen(net.server, net.server_address, ASKED, options=(asking_for(AT_ONCE),)) as listener:
        for _ in range(ASKED):
            exchange(net, listener)
    story.expect("TCPFastOpenCookieReqd on the server", ASKED, moment.since("TCPFastOpenCookieReqd"))
    doctor.expect(story, "HO502", found=True)
    return doctor


def _offered(story: Story, net: Pair, doctor: Examination) -> None:
    net.server.set_sysctl(FAST_OPEN, BOTH)
    story.say(f"With {FAST_OPEN} = 3 and TCP_FASTOPEN in the program:")
    with listen(net.server, net.server_address, ASKED, options=(asking_for(AT_ONCE),)) as listener:
        exchange(net, listener)
        data = sum(exchange(net, listener)[0].syn_data for _ in range(ASKED))
    story.expect(f"connects whose data was accepted in the SYN, of {ASKED}", ASKED, data)
    doctor.expect(story, "HO502", found=False)


# --- the queue of pending requests ------------------------------------------------------------------------------------


def _short(story: Story, net: Pair, queue: int) -> None:
    net.server.set_sysctl(FAST_OPEN, BOTH)
    story.say(f"TCP_FASTOPEN is {queue}. {AT_ONCE} clients that have a cookie come at once, 450 ms away.")
    with listen(net.server, net.server_address, 2 * AT_ONCE, options=(asking_for(queue),)) as listener:
        exchange(net, listener)
        net.relay.set_links(SLOW, SLOW)
        doctor, moment = Examination.begin(net.server), Moment.of(net.server)
        _all_at_once(net, listener)
        net.relay.set_links("", "")
        none = queue > AT_ONCE
        lost = moment.since("TCPFastOpenListenOverflow")
        story.expect("TCPFastOpenListenOverflow on the server", 0 if none else AtLeast(AT_ONCE // 2), lost)
        doctor.expect(story, "HO503", found=not none)


def _all_at_once(net: Pair, listener: socket.socket) -> float:
    """``AT_ONCE`` requests together; seconds until the last of them was accepted."""
    port, elapsed = listener.getsockname()[1], stopwatch()
    clients = net.client.run(lambda: [send(net.server_address, port, wait=False) for _ in range(AT_ONCE)])
    guests = [net.server.run(listener.accept)[0] for _ in clients]
    seconds = elapsed()
    # Not before: a client that is closed while its SYN is under way never comes.
    for end in (*guests, *clients):
        end.close()
    return seconds


# --- the key ----------------------------------------------------------------------------------------------------------


def _keys(story: Story, net: Pair, keys: tuple[str, ...]) -> None:
    """Requests that fall on servers with these keys in turn."""
    net.server.set_sysctl(FAST_OPEN, BOTH)
    same = len(set(keys)) == 1
    story.say(f"Behind one address two servers answer in turn, with {'the same key' if same else 'a key each'}.")
    with listen(net.server, net.server_address, 16, options=(asking_for(AT_ONCE),)) as listener:
        net.server.set_sysctl(KEY, keys[1])
        exchange(net, listener)
        doctor, client, data = Examination.begin(net.server), Examination.begin(net.client), 0
        for number in range(ROUNDS):
            net.server.set_sysctl(KEY, keys[number % 2])
            data += exchange(net, listener)[0].syn_data
    story.expect(f"connects whose data was accepted in the SYN, of {ROUNDS}", ROUNDS if same else 0, data)
    doctor.expect(story, "HO505", found=not same)
    client.expect(story, "HO504", found=False)


# --- the path ---------------------------------------------------------------------------------------------------------
def _eaten(story: Story, net: Pair) -> Finding | None:
    """A middlebox drops SYNs with data, and lets the plain SYN through that follows a second later."""
    net.server.set_sysctl(FAST_OPEN, BOTH)
    story.say("A middlebox drops SYNs that carry data.")
    with listen(net.server, net.server_address, 2 * AT_ONCE, options=(asking_for(2 * AT_ONCE),)) as listener:
        exchange(net, listener)
        net.relay.set_faults([EATEN])
        doctor, moment = Examination.begin(net.client), Moment.of(net.client)
        story.expect("seconds until all were connected", ONCE_AGAIN_S, _all_at_once(net, listener))
        story.expect("TCPFastOpenActiveFail on the client", AT_ONCE, moment.since("TCPFastOpenActiveFail"))
        found = doctor.expect(story, "HO504", found=True)
        if net.client.has_sysctl(BLACK_HOLE):
            net.client.set_sysctl(BLACK_HOLE, 3600)
            for _ in range(2):
                _, seconds = exchange(net, listener)
                story.expect(f"with {BLACK_HOLE} = 3600: seconds until the answer", ONCE_AGAIN_S, seconds)
            story.say("It looks at connects that lose three SYNs in a row; here the second one gets through.")
        story.pitfall()
    return found


def _not_eaten(story: Story, net: Pair, found: Finding | None) -> None:
    doctor = Examination.begin(net.client)
    doctor.cure(story, found)
    with listen(net.server, net.server_address, 2 * AT_ONCE, options=(asking_for(2 * AT_ONCE),)) as listener:
        story.expect("seconds until all were connected", Between(0, 0.99), _all_at_once(net, listener))
    doctor.expect(story, "HO504", found=False)


EXPERIMENT = Experiment(
    name="fast-open-trouble",
    title="What goes wrong with Fast Open, and which counter tells",
    claim="A server that gives no cookie, a queue of pending requests that is full, servers with different keys and a "
    "path that eats data in SYNs make Fast Open an ordinary handshake, the last one a second late; "
    "tcp_fastopen_blackhole_timeout_sec does not help there.",
    run=run,
    proves=("HO502", "HO503", "HO504", "HO505"),
    hosts=hosts_of_pairs("", "2", "3", "4"),
)
