"""Namespaces are found by processes and by mounts, and named after who lives in them."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.collect.trees import CLOCK, tree

from halfopen.collect.cgroup import Identity, cgroup_of, identify
from halfopen.collect.mounts import mounted
from halfopen.collect.names import name_all
from halfopen.collect.owners import parse_limit, read_owner
from halfopen.collect.places import PIDS_KEPT, find
from halfopen.collect.roots import Roots
from halfopen.model.owner import Owner

if TYPE_CHECKING:
    from halfopen.model.snapshot import Unavailable

ID = "0123456789abcdef" * 4
UID = "12345678-9abc-def0-1234-56789abcdef0"


def process(pid: int | str, inode: int, cgroup: str = "/", comm: str = "x") -> dict[str, str | bytes]:
    return {
        f"proc/{pid}/ns/net": f"-> net:[{inode}]",
        f"proc/{pid}/cgroup": f"0::{cgroup}\n",
        f"proc/{pid}/comm": f"{comm}\n",
    }


def named(root: Path, files: dict[str, str | bytes]) -> tuple[list[tuple[int, str, str]], list[Unavailable]]:
    roots = tree(root, process(1, 1, comm="systemd") | process("self", 1) | files)
    places = find(roots).places
    gaps = name_all(places, roots)
    return [(place.inode, place.kind, place.name) for place in places if not place.first], gaps


def test_namespaces_are_counted_once_and_the_host_s_is_first(tmp_path: Path) -> None:
    files = process(1, 9) | process("self", 5) | process(70, 5) | process(8, 7) | process(60, 7)
    places = find(tree(tmp_path, files)).places
    assert [(place.inode, place.first, place.own, place.pids) for place in places] == [
        (9, True, False, [1]),
        (5, False, True, [70]),
        (7, False, False, [8, 60]),
    ]


def test_those_with_processes_come_before_those_without(tmp_path: Path) -> None:
    mount = "50 40 0:4 net:[2] /run/netns/a rw - nsfs nsfs rw\n"
    files = process(1, 9) | process("self", 9) | process(70, 5) | {"proc/self/mountinfo": mount}
    assert [place.inode for place in find(tree(tmp_path, files)).places] == [9, 5, 2]


def test_the_reader_s_is_the_host_s_where_that_of_process_1_is_hidden(tmp_path: Path) -> None:
    places = find(tree(tmp_path, process("self", 5) | process(8, 7))).places
    assert [(place.inode, place.first) for place in places] == [(5, True), (7, False)]


@pytest.mark.parametrize(("flags", "first"), [(0x00208040, 9), (0x00400100, 5)])
def test_kthreadd_lives_in_the_host_s_where_that_of_process_1_is_hidden(tmp_path: Path, flags: int, first: int) -> None:
    stat = f"2 (kthreadd) S 0 0 0 0 -1 {flags} 0 0"
    places = find(tree(tmp_path, process("self", 5) | process(2, 9) | {"proc/2/stat": stat})).places
    assert [place.inode for place in places if place.first] == [first]


def test_only_some_processes_of_a_namespace_are_remembered(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {}
    for pid in range(100, 200):
        files |= process(pid, 7)
    (place,) = (place for place in find(tree(tmp_path, files)).places if place.inode == 7)
    assert (len(place.pids), place.processes) == (PIDS_KEPT, 100)


def test_a_proc_that_denies_everything(tmp_path: Path) -> None:
    found = find(tree(tmp_path, {"etc/x": ""}))
    assert [(place.inode, place.own, place.first) for place in found.places] == [(0, True, True)]
    assert found.blind


def test_processes_that_may_not_be_looked_at_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roots = tree(tmp_path, process("self", 5) | process(8, 7))
    real = os.readlink

    def denying(path: str) -> str:
        if "/8/" in path:
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "readlink", denying)
    found = find(roots)
    assert ([place.inode for place in found.places], found.hidden) == ([5], [8])


def test_mounts() -> None:
    text = (
        "36 25 0:4 net:[4026532001] /run/netns/blue\\040one rw shared:3 - nsfs nsfs rw\n"
        "37 25 0:4 mnt:[4026532002] /run/x rw - nsfs nsfs rw\n"
        "38 25 0:4 / /sys rw - sysfs sysfs rw\n"
        "short\n"
    )
    assert list(mounted(text)) == [(4026532001, "/run/netns/blue one")]


def test_a_mount_whose_name_is_no_utf_8_can_be_opened_and_has_a_readable_name(tmp_path: Path) -> None:
    mountinfo = b"36 25 0:4 net:[70] /run/netns/e\x1b\\012\xff rw - nsfs nsfs rw\n"
    roots = tree(tmp_path, process(1, 1) | process("self", 1) | {"proc/self/mountinfo": mountinfo})
    place = find(roots).places[1]
    name_all([place], roots)
    assert place.path is not None
    assert (os.fsencode(place.path), place.name) == (b"/run/netns/e\x1b\n\xff", "e\x1b\n\\xff")


def test_a_mounted_namespace_without_a_process(tmp_path: Path) -> None:
    mountinfo = "36 25 0:4 net:[70] /run/netns/blue rw - nsfs nsfs rw\n"
    assert named(tmp_path, {"proc/self/mountinfo": mountinfo})[0] == [(70, "named", "blue")]


def test_mounts_of_another_mount_namespace_are_reached_through_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount = "36 25 0:4 net:[{}] /run/netns/{} rw - nsfs nsfs rw\n"
    files: dict[str, str | bytes] = {"proc/self/ns/mnt": "-> mnt:[1]"}
    for pid, mounts in ((30, 1), (31, 2), (32, 2), (33, 3)):
        files |= process(pid, 1) | {f"proc/{pid}/ns/mnt": f"-> mnt:[{mounts}]"}
        files[f"proc/{pid}/mountinfo"] = mount.format(40 + mounts, f"of-{mounts}")
    roots = tree(tmp_path, process(1, 1) | process("self", 1) | files)
    assert [(place.inode, place.path) for place in find(roots).places[1:]] == [
        (42, f"{tmp_path}/proc/31/root/run/netns/of-2"),
        (43, f"{tmp_path}/proc/33/root/run/netns/of-3"),
    ]
    monkeypatch.setattr("halfopen.collect.mounts.MOUNT_NAMESPACES", 2)
    found = find(roots)
    assert ([place.inode for place in found.places[1:]], found.unread_mounts) == ([42], 1)


def test_a_namespace_that_only_a_descriptor_keeps(tmp_path: Path) -> None:
    roots = tree(tmp_path, process(1, 1) | process("self", 1) | process(30, 5) | process(9, 1, comm="dockerd"))
    places = find(roots, [(1, 9, "9/fd/3"), (5, 9, "9/fd/4"), (7, 9, "9/fd/5")]).places
    name_all(places, roots)
    assert [(place.name, place.where) for place in places] == [
        ("host", None),
        ("x (pid 30)", None),
        ("held by dockerd (pid 9)", f"{tmp_path}/proc/9/fd/5"),
    ]


@pytest.mark.parametrize(
    ("cgroup", "kind", "name"),
    [
        ("/system.slice/nginx.service", "unit", "nginx.service"),
        (f"/system.slice/docker-{ID}.scope", "container", ID[:12]),
        ("/lxc.payload.web", "container", "web"),
        (f"/kubepods/besteffort/pod{UID}/{ID}", "pod", f"pod {UID}"),
        ("/user.slice/user-0.slice/session-3.scope", "other", "sh (pid 30)"),
    ],
)
def test_names(tmp_path: Path, cgroup: str, kind: str, name: str) -> None:
    assert named(tmp_path, process(30, 7, cgroup, "sh"))[0] == [(7, kind, name)]


def test_names_that_runtimes_keep(tmp_path: Path) -> None:
    annotations = {"io.kubernetes.cri.sandbox-namespace": "default", "io.kubernetes.cri.sandbox-name": "web-5d9c"}
    ids = {letter: letter * 64 for letter in "abcd"}
    files = (
        process(20, 2, f"/docker/{ids['a']}")
        | process(30, 3, f"/kubepods.slice/cri-containerd-{ids['b']}.scope")
        | process(40, 4, f"/machine.slice/libpod-{ids['c']}.scope/container")
        | process(50, 5, f"/docker/{ids['d']}")
        | {
            f"var/lib/docker/containers/{ids['a']}/config.v2.json": json.dumps({"Name": "/web\x1b"}),
            f"run/containerd/io.containerd.runtime.v2.task/k8s.io/{ids['b']}/config.json": json.dumps(
                {"annotations": annotations}
            ),
            "var/lib/containers/storage/overlay-containers/containers.json": json.dumps(
                [{"id": ids["c"], "names": ["db"]}, 7]
            ),
            f"var/lib/docker/containers/{ids['d']}/config.v2.json": "{ damaged",
        }
    )
    found, gaps = named(tmp_path, files)
    assert found == [
        (2, "container", "web\x1b"),
        (3, "pod", "default/web-5d9c"),
        (4, "container", "db"),
        (5, "container", "dddddddddddd"),
    ]
    assert [gap.what for gap in gaps] == ["names of containers"]
    assert "1 of them" in gaps[0].why


def test_two_namespaces_never_have_one_name(tmp_path: Path) -> None:
    files = process(20, 2, "/system.slice/a.service") | process(30, 3, "/system.slice/a.service")
    assert [name for _, _, name in named(tmp_path, files)[0]] == ["a.service", "a.service #3"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", Identity()),
        ("/system.slice/nginx.service/worker", Identity("nginx.service")),
        ("/system.slice/system-getty.slice/getty@tty1.service", Identity("getty@tty1.service")),
        ("/user.slice/user-7.slice/user@7.service/app.slice/foo.service", Identity("foo.service")),
        (f"/system.slice/docker-{ID}.scope", Identity(f"docker-{ID}.scope", ID)),
        (f"/docker/{ID}/init.scope", Identity("init.scope", ID)),
        (
            f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UID.replace('-', '_')}.slice/"
            f"cri-containerd-{ID}.scope",
            Identity(f"cri-containerd-{ID}.scope", ID, UID),
        ),
        (f"/kubepods/pod{UID}/{ID}", Identity(None, ID, UID)),
        (f"/kubepods/burstable/pod{UID.replace('-', '')}", Identity(None, None, UID)),
        (f"/system.slice/containerd.service/kubepods-x:cri-containerd:{ID}", Identity("containerd.service", ID)),
        ("/machine.slice/machine-web.scope", Identity("machine-web.scope", "web")),
        ("/machine.slice/systemd-nspawn@web.service/payload", Identity("systemd-nspawn@web.service", "web")),
        ("/lxc/web", Identity(None, "web")),
        ("/podcast.service", Identity("podcast.service")),
    ],
)
def test_paths_of_control_groups(path: str, expected: Identity) -> None:
    assert identify(path) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0::/a\n", "/a"),
        ("12:memory:/docker/x\n1:name=systemd:/\n0::/\n", "/docker/x"),
        ("4:cpu,cpuacct:/y:z\n", "/y:z"),
        ("0::/\n", "/"),
        ("", None),
    ],
)
def test_the_control_group_of_a_process(text: str, expected: str | None) -> None:
    assert cgroup_of(text) == expected


def test_an_owner(tmp_path: Path) -> None:
    stat = b"70 (a) b) S 1 " + b" ".join(b"%d" % number for number in range(5, 30))
    roots = tree(
        tmp_path,
        {
            "proc/70/comm": b"a) b\x1b[2J\xff\n",
            "proc/70/status": "Name:\tx\nUid:\t1000\t0\t0\t0\n",
            "proc/70/stat": stat,
            "proc/70/cmdline": b"/bin/x\0--\xff\0" + b"y" * 9000 + b"\0" + b"z\0" * 40,
            "proc/70/cgroup": "0::/system.slice/x.service\n",
            "proc/70/exe": "-> /bin/x",
        },
    )
    owner = read_owner(70, roots, CLOCK)
    assert (owner.comm, owner.uid, owner.unit, owner.executable) == ("a) b\x1b[2J\\xff", 1000, "x.service", "/bin/x")
    assert owner.command[:2] == ("/bin/x", "--\\xff")
    assert (len(owner.command), max(map(len, owner.command))) == (16, 256)
    ticks = os.sysconf("SC_CLK_TCK")
    assert owner.started_at_ns == CLOCK.realtime_ns - CLOCK.boottime_ns + 22 * 1_000_000_000 // ticks


def test_a_process_that_ended_keeps_its_number(tmp_path: Path) -> None:
    owner = read_owner(70, tree(tmp_path, {}), CLOCK)
    assert (owner.pid, owner.comm, owner.uid, owner.command, owner.started_at_ns) == (70, "", None, (), None)


def test_the_descriptors_of_a_process_and_their_limit() -> None:
    with Path("/dev/null").open(encoding="ascii"):
        owner = read_owner(os.getpid(), Roots(), CLOCK)
    assert owner.descriptors_limit == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    counted = len(list(Path("/proc/self/fd").iterdir()))
    # Before Linux 6.2 the directory has no size.
    assert owner.descriptors is None or abs(owner.descriptors - counted) <= 2
    assert not owner.out_of_descriptors


@pytest.mark.parametrize(
    ("descriptors", "limit", "out"),
    [(64, 64, True), (65, 64, True), (63, 64, False), (None, 64, False), (9, None, False)],
)
def test_whether_the_next_accept_fails(descriptors: int | None, limit: int | None, out: bool) -> None:
    assert Owner(1, "x", descriptors=descriptors, descriptors_limit=limit).out_of_descriptors is out


@pytest.mark.parametrize(
    ("line", "limit"),
    [
        (b"Max open files            1024                 524288               files     ", 1024),
        (b"Max open files            unlimited            unlimited            files     ", None),
        (b"Max open files", None),
        (b"Max processes             1                    1                    processes", None),
    ],
)
def test_the_limit_of_open_files(line: bytes, limit: int | None) -> None:
    assert parse_limit(b"Limit  Soft Limit  Hard Limit  Units\n" + line + b"\n") == limit
