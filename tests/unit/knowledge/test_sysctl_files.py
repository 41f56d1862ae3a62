"""Who wins among sysctl files."""

from __future__ import annotations

from halfopen.knowledge.sysctl_files import hidden, is_late, outcomes, readers_disagree, value_of
from halfopen.model.host import Setting, SettingFile


def file(path: str, *pairs: str, target: str | None = None) -> SettingFile:
    parts = [pair.partition("=") for pair in pairs]
    lines = tuple(Setting(number, key, value) for number, (key, _, value) in enumerate(parts, 1))
    return SettingFile(path, lines, target)


COOKIES = "net.ipv4.tcp_syncookies"


def test_names_decide_over_all_directories() -> None:
    files = [file("/etc/sysctl.d/10-a.conf", f"{COOKIES}=0"), file("/usr/lib/sysctl.d/50-b.conf", f"{COOKIES}=1")]
    outcome = outcomes(files, "systemd-sysctl")[COOKIES]
    assert str(outcome.winner) == "/usr/lib/sysctl.d/50-b.conf:1"
    assert [str(place) for place in outcome.overridden] == ["/etc/sysctl.d/10-a.conf:1"]


def test_the_same_name_hides_the_file_of_a_later_directory() -> None:
    files = [file("/usr/lib/sysctl.d/50-a.conf", f"{COOKIES}=0"), file("/run/sysctl.d/50-a.conf"),
             file("/etc/sysctl.d/50-a.conf", f"{COOKIES}=1")]  # fmt: skip
    assert outcomes(files, "systemd-sysctl")[COOKIES].overridden == ()
    assert hidden(files) == {
        "/usr/lib/sysctl.d/50-a.conf": "/etc/sysctl.d/50-a.conf",
        "/run/sysctl.d/50-a.conf": "/etc/sysctl.d/50-a.conf",
    }


def test_what_does_not_end_in_conf_is_not_read() -> None:
    assert outcomes([file("/etc/sysctl.d/README", f"{COOKIES}=0")], "sysctl --system") == {}


def test_sysctl_conf_is_last_for_sysctl_system_and_in_the_links_place_at_boot() -> None:
    files = [
        file("/etc/sysctl.conf", f"{COOKIES}=0"),
        file("/etc/sysctl.d/99-sysctl.conf", f"{COOKIES}=0", target="../sysctl.conf"),
        file("/etc/sysctl.d/99-zz.conf", f"{COOKIES}=1"),
    ]
    boot, by_hand = outcomes(files, "systemd-sysctl")[COOKIES], outcomes(files, "sysctl --system")[COOKIES]
    assert (str(boot.winner), boot.winner.value) == ("/etc/sysctl.d/99-zz.conf:1", "1")
    assert (str(by_hand.winner), by_hand.winner.value) == ("/etc/sysctl.conf:1", "0")
    assert [str(place) for place in by_hand.overridden] == ["/etc/sysctl.d/99-zz.conf:1"]
    assert readers_disagree(files) == {COOKIES: (boot.winner, by_hand.winner)}


def test_without_the_link_boot_does_not_read_sysctl_conf() -> None:
    files = [file("/etc/sysctl.conf", f"{COOKIES}=0")]
    assert outcomes(files, "systemd-sysctl") == {}
    assert readers_disagree(files)[COOKIES][0] is None


def test_duplicates_of_one_file() -> None:
    outcome = outcomes([file("/etc/sysctl.d/a.conf", f"{COOKIES}=0", f"{COOKIES}=1")], "systemd-sysctl")[COOKIES]
    assert [place.line for place in outcome.duplicates] == [1]


def test_an_exact_key_goes_before_a_pattern_and_the_last_pattern_wins() -> None:
    files = [
        file("/etc/sysctl.d/1.conf", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.*.rp_filter=1"),
        file("/etc/sysctl.d/2.conf", "net.ipv4.conf.e*.rp_filter=2", "net.ipv4.conf.*.rp_filter=1"),
        file("/etc/sysctl.d/3.conf", "net.ipv4.conf.e*.rp_filter=0"),
    ]
    values = {
        name: value_of(f"net.ipv4.conf.{name}.rp_filter", files, "systemd-sysctl") for name in ("all", "eth0", "lo")
    }
    assert {name: place and place.value for name, place in values.items()} == {"all": "0", "eth0": "0", "lo": "1"}
    assert value_of("net.ipv4.rp_filter", files, "systemd-sysctl") is None


def test_keys_of_modules_are_late() -> None:
    assert is_late("net.netfilter.nf_conntrack_max")
    assert not is_late(COOKIES)
