"""What is read once for the host: facts, shared counters, files of settings, the kernel's log."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.unit.collect.trees import CLOCK, host_context

from halfopen.collect.host import facts, kernel_log, setting_files, shared
from halfopen.knowledge.sysctls.secrets import LEFT_OUT
from halfopen.model.host import Global, LogLine, Setting, SettingFile, Softnet
from halfopen.model.snapshot import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

SOFTNET_NEW = " ".join(["000000ff", "00000002", "00000003", *["00000000"] * 9, "00000005", "00000000"])
SOFTNET_OLD = " ".join(["00000010", "00000000", "00000001", *["00000000"] * 8])


def test_facts(tmp_path: Path) -> None:
    context = host_context(
        tmp_path,
        {
            "etc/os-release": 'NAME="x"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
            "proc/sys/kernel/random/boot_id": "74c8f478-9287-47c4-9d9e-bee87ce2b02e\n",
            "proc/self/status": "Name:\tx\nCapEff:\t0000000000201000\n",
            "proc/1/comm": "systemd\n",
        },
    )
    found = facts.collect(context)
    assert found.distribution == "Debian GNU/Linux 12 (bookworm)"
    assert found.capabilities == ("CAP_NET_ADMIN", "CAP_SYS_ADMIN")
    assert (found.init, found.uptime_s) == ("systemd", 600.0)


def test_facts_of_a_host_that_shows_nothing(tmp_path: Path) -> None:
    found = facts.collect(host_context(tmp_path, {}))
    assert (found.distribution, found.boot_id, found.init, found.capabilities) == (None, None, None, ())


def test_shared(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "proc/self/net/sockstat": "TCP: inuse 5 orphan 1 tw 0 alloc 7 mem 3\n",
        "proc/self/net/softnet_stat": f"{SOFTNET_NEW}\n",
    }
    assert shared.collect(host_context(tmp_path, files)) == Global(1, 7, 3, (Softnet(5, 255, 2, 3),))


def test_rows_of_old_kernels_are_numbered() -> None:
    assert shared.parse_softnet(f"{SOFTNET_OLD}\n{SOFTNET_OLD}\n") == (Softnet(0, 16, 0, 1), Softnet(1, 16, 0, 1))


# --- files of settings ------------------------------------------------------------------------------------------------


def test_setting_files(tmp_path: Path) -> None:
    context = host_context(
        tmp_path,
        {
            "etc/sysctl.conf": "net.ipv4.tcp_syncookies = 0\n",
            "etc/sysctl.d/99-sysctl.conf": "-> ../sysctl.conf",
            "etc/sysctl.d/README": "net.a = 1\n",
            "run/sysctl.d/10-masked.conf": "-> /dev/null",
            "usr/lib/sysctl.d/50-x.conf": "# c\nvm.swappiness=1\n-net/core/somaxconn=4096\n",
            "lib": "-> usr/lib",
        },
    )
    assert setting_files.collect(context) == (
        SettingFile("/etc/sysctl.d/99-sysctl.conf", (Setting(1, "net.ipv4.tcp_syncookies", "0"),), "../sysctl.conf"),
        SettingFile("/run/sysctl.d/10-masked.conf", (), "/dev/null"),
        SettingFile("/usr/lib/sysctl.d/50-x.conf", (Setting(3, "net.core.somaxconn", "4096", ignore_errors=True),)),
        SettingFile("/etc/sysctl.conf", (Setting(1, "net.ipv4.tcp_syncookies", "0"),)),
    )
    assert context.gaps == []


def test_a_file_that_cannot_be_read_is_a_gap(tmp_path: Path) -> None:
    context = host_context(
        tmp_path, {"etc/sysctl.d/10-loop.conf": "-> 10-loop.conf", "etc/sysctl.d/20-dangling.conf": "-> x"}
    )
    assert setting_files.collect(context) == ()
    assert context.gaps == [Unavailable("settings of /etc/sysctl.d/10-loop.conf", "Too many levels of symbolic links")]


def test_hostile_names_and_contents_of_files(tmp_path: Path) -> None:
    name = os.fsdecode(b"10-\xff\x1b.conf")
    context = host_context(tmp_path, {f"etc/sysctl.d/{name}": b"net.ipv4.\xff = \x1b[2J\xfe\n\0\n"})
    assert setting_files.collect(context) == (
        SettingFile("/etc/sysctl.d/10-\\xff\x1b.conf", (Setting(1, "net.ipv4.\\xff", "\x1b[2J\\xfe"),)),
    )


# --- the kernel's log -------------------------------------------------------------------------------------------------

FLOOD = b"6,339,5000000,-;TCP: request_sock_TCP: Possible SYN flooding on port 0.0.0.0:80. Sending cookies.\n KEY=v\n"


def test_lines_that_matter() -> None:
    lines = kernel_log.parse_log([b"6,1,0,-;Linux version 6.18\n", FLOOD], CLOCK)
    text = "TCP: request_sock_TCP: Possible SYN flooding on port 0.0.0.0:80. Sending cookies."
    assert lines == (LogLine(CLOCK.realtime_ns - 495_000_000_000, text),)


def test_what_a_program_wrote_into_the_log_is_not_the_kernel_s_word() -> None:
    assert kernel_log.parse_log([b"30" + FLOOD[1:], b"12" + FLOOD[1:]], CLOCK) == ()


@pytest.mark.parametrize(
    "record", [b"", b"SYN flooding", b"6,1;SYN flooding", b"x,1,2,-;SYN flooding", b"6,1,y,-;SYN flooding"]
)
def test_records_of_another_form_are_passed_over(record: bytes) -> None:
    assert kernel_log.parse_log([record], CLOCK) == ()


def test_only_the_last_lines_are_kept_and_none_is_long() -> None:
    records = [b"6,%d,%d,-;SYN flooding %s\n" % (n, n, b"\xff" * 4000) for n in range(600)]
    lines = kernel_log.parse_log(records, CLOCK)
    assert len(lines) == kernel_log.LINES_MAX
    assert lines[-1].at_ns - lines[0].at_ns == 499_000
    assert max(len(line.text) for line in lines) <= 4 * kernel_log.TEXT_BYTES


def test_a_log_that_was_overwritten_while_it_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[bytes | OSError] = [BrokenPipeError(32, "overwritten"), FLOOD, BlockingIOError(11, "the end")]

    def read(descriptor: int, length: int) -> bytes:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    context = host_context(tmp_path, {"dev/kmsg": ""})
    monkeypatch.setattr(os, "read", read)
    assert len(kernel_log.collect(context)) == 1
    assert answers == []


def test_secrets_in_files_are_left_out_however_they_are_written(tmp_path: Path) -> None:
    lines = (
        "net.ipv4.tcp_fastopen_key = 11112222-33334444",
        "net/ipv4/tcp_fastopen_key=11112222-33334444 # 11112222",
        "-net.ipv4.tcp_fastopen_k* = 11112222",
        "net.ipv6.conf.eth0/100.stable_secret = 2001:db8:1111:2222::1",
        "net.core.netdev_rss_key = 11:11",
        "net.core.somaxconn = 4096",
    )
    context = host_context(tmp_path, {"etc/sysctl.d/a.conf": "\n".join(lines)})
    (file,) = setting_files.collect(context)
    assert [setting.value for setting in file.settings] == [LEFT_OUT] * 5 + ["4096"]
