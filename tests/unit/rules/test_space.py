"""How a command is typed that is to run in a network namespace."""

from __future__ import annotations

import pytest

from halfopen.model.snapshot import NetNamespace
from halfopen.rules.space import Space


@pytest.mark.parametrize(
    ("namespace", "typed"),
    [
        (NetNamespace("host", 1, own=True), "ss"),
        (NetNamespace("host", 1), "ss"),
        (NetNamespace("host", 1, pid=1), "nsenter -t 1 -n ss"),
        (NetNamespace("blue", 2, "named", path="/run/netns/blue"), "ip netns exec blue ss"),
        (NetNamespace("a b", 2, "named", path="/run/netns/a b"), "ip netns exec 'a b' ss"),
        (NetNamespace("x", 2, "named", pid=7, path="/run/netns/e\x1b[31m"), "nsenter -t 7 -n ss"),
        (NetNamespace("x", 2, "named", pid=7, path="/run/netns/\\xff"), "nsenter -t 7 -n ss"),
        (NetNamespace("x", 2, "named", pid=7, path="/run/netns/\u202egnp"), "nsenter -t 7 -n ss"),
        (NetNamespace("x", 2, "other", path="/proc/9/fd/5"), "nsenter --net=/proc/9/fd/5 ss"),
        (NetNamespace("x", 2, "named", path="/run/docker/netns/a b"), "nsenter '--net=/run/docker/netns/a b' ss"),
        (NetNamespace("web", 2, "container", pid=7, path="/run/docker/netns/1"), "nsenter -t 7 -n ss"),
    ],
)
def test_a_command_is_typed_so_that_it_runs_there(namespace: NetNamespace, typed: str) -> None:
    assert Space(namespace, None, None).command("ss") == typed
