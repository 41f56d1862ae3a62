"""The ways in which scripts set kernel settings: what is set, and where it stands."""

from __future__ import annotations

import pytest

from halfopen.lint.formats import shell

KEY = "net.core.somaxconn"

#: Name → script, and what it sets: line, column, key, value.
ECN = "net.ipv4.tcp_ecn"
WAYS: dict[str, tuple[str, list[tuple[int, int, str, str]]]] = {
    "a here-document into sysctl": (f"sysctl -p - <<E\n{KEY} = 8\nE\n", [(2, 1, KEY, "8")]),
    "a here-document into the named input": (f"sysctl -qp /dev/stdin <<E\n{KEY}=8\nE", [(2, 1, KEY, "8")]),
    "a here-string": (f"sysctl -p- <<< '{KEY}=8'\n", [(1, 16, KEY, "8")]),
    "a pipe into sysctl": (f'echo "{KEY}=8" | sudo sysctl --load=-\n', [(1, 6, KEY, "8")]),
    "a here-document into tee": (f"sudo tee -a /etc/sysctl.conf >/dev/null <<E\n\n {KEY}=8\nE\n", [(3, 2, KEY, "8")]),
    "cat into tee": (f"cat <<'E' | sudo tee /etc/sysctl.d/9.conf\n{KEY}=8\nE\n", [(2, 1, KEY, "8")]),
    "a file named by a variable": (f'F=/etc/sysctl.d/9.conf\ncat > "$F" <<E\n{KEY}=8\nE\n', [(3, 1, KEY, "8")]),
    "an appended line": (f"echo '{KEY} = 8' >> /etc/sysctl.conf\n", [(1, 6, KEY, "8")]),
    "a quoted word of two lines": (
        f'echo "{KEY}=8\nnet.ipv4.tcp_ecn=1" > /etc/sysctl.d/9.conf\n', [(1, 6, KEY, "8"), (2, 1, ECN, "1")]
    ),
    "escapes of printf": (
        rf"printf '{KEY}=8\nnet.ipv4.tcp_ecn=1\n' > /etc/sysctl.d/9.conf",
        [(1, 8, KEY, "8"), (1, 8, ECN, "1")],
    ),
    "arguments of printf": (
        rf"printf '%s = %d\n' {KEY} 8 net.ipv4.tcp_ecn 1 >> /etc/sysctl.conf",
        [(1, 8, KEY, "8"), (1, 8, ECN, "1")],
    ),
    "escapes of echo": (rf'echo -e "{KEY}=8\n" >> /etc/sysctl.conf', [(1, 9, KEY, "8")]),
    "no escapes of bash's echo": (
        "#!/bin/bash\n" + rf'echo "{KEY}=8\n" >> /etc/sysctl.conf', [(2, 6, KEY, "8\\n")]
    ),
    "below /proc": ("echo 8 > /proc/sys/net/core/somaxconn\n", [(1, 6, KEY, "8")]),
    "below /proc through tee": ("echo 8 | sudo tee /proc/sys/net/core/somaxconn\n", [(1, 6, KEY, "8")]),
    "key and value in variables": (f'K={KEY}\nV=8\nsysctl -w "$K=${{V}}"\n', [(3, 11, KEY, "8")]),
    "a variable's default": (f"sysctl -w {KEY}=${{V:-8}}\n", [(1, 11, KEY, "8")]),
    "a variable that keeps what it had": (f"V=${{V:-8}}\nsysctl -w {KEY}=$V\n", [(2, 11, KEY, "8")]),
    "a variable of two values": (f"V=8\nif a; then V=9; fi\nsysctl -w {KEY}=$V\n", [(3, 11, KEY, "$V")]),
    "a variable that is added to": (f"V=8\nV+=9\nsysctl -w {KEY}=$V\n", [(3, 11, KEY, "$V")]),
    "a variable that is read": (f"V=8\nread V\nsysctl -w {KEY}=$V\n", [(3, 11, KEY, "$V")]),
    "a loop over keys": (
        f"for k in {KEY} net.ipv4.tcp_ecn; do\n sysctl -w $k=8\ndone\n", [(1, 10, KEY, "8"), (1, 29, ECN, "8")]
    ),
    "a loop over an array": (f'a=(\n "{KEY}=8"\n)\nfor s in "${{a[@]}}"; do sysctl "$s"; done\n', [(2, 2, KEY, "8")]),
    "the arguments of a function": (
        f'f() {{\n local k="$1" v=$2\n sysctl -w "$k=$v"\n}}\nf {KEY} 8\nif a; then f {ECN} 1; fi\n',
        [(5, 3, KEY, "8"), (6, 14, ECN, "1")],
    ),
    "the arguments of a function, written to a file": (
        f'set_it () {{ echo "$1 = ${{2}}" >> /etc/sysctl.conf; }}\nset_it {KEY} 8\n', [(2, 8, KEY, "8")],
    ),
    "a variable that may hold sudo": (
        f"$SUDO sysctl -w {KEY}=8\n$(sudo_if) echo 1 > /proc/sys/net/ipv4/tcp_ecn\n",
        [(1, 17, KEY, "8"), (2, 17, ECN, "1")],
    ),
    "a replacement of sed": (
        f"sed -i.bak 's/^#*{KEY}.*/{KEY} = 8/' /etc/sysctl.conf", [(1, 39, KEY, "8")],
    ),
    "replacements of sed, one after the other": (
        f"sed -ri -e 's|x|y|; s#a#{KEY}=8#g' -e '/z/d' -e '$ a\\\n{ECN}=1' /etc/sysctl.d/9.conf",
        [(1, 25, KEY, "8"), (2, 1, ECN, "1")],
    ),
    "a line that sed appends": (f'sudo sed -i "\\$a {KEY}=8" /etc/sysctl.conf', [(1, 17, KEY, "8")]),
    "a replacement that names what it found": (r"sed -i 's/\(net.core.somaxconn\).*/\1 = 8/' /etc/sysctl.conf", []),
    "sed that only prints": (f"sed 's/x/{KEY}=8/' /etc/sysctl.conf", []),
    "sed on another file": (f"sed -i 's/x/{KEY}=8/' /etc/motd", []),
    "where the script stands": ("cd /proc/sys/net\necho 8 > core/somaxconn\ncd core; echo 9 > somaxconn", [
        (2, 6, KEY, "8"), (3, 15, KEY, "9"),
    ]),
    "where only a part of it stands": (
        "(cd /proc/sys/net/core; echo 8 > somaxconn); echo 9 > somaxconn\n"
        "sh -c 'cd /proc/sys/net/core'; echo 9 > somaxconn",
        [(1, 30, KEY, "8")],
    ),
    "where it stood before": ("pushd /proc/sys/net/core; popd; echo 8 > somaxconn", []),
    "where it stands, in a part of it": ("cd /proc/sys/net/core; (echo 8 > somaxconn)", [(1, 30, KEY, "8")]),
    "where it stands no more": ("cd /proc/sys/net/core; cd $HOME; echo 8 > somaxconn", []),
    "a loop over lines": (
        f"while read -r k v rest; do\n [ $k ] && sysctl -w $k=$v\ndone <<E\n# k v\n {KEY}  8 x\n{ECN}\t1\nE\n",
        [(5, 2, KEY, "8"), (6, 1, ECN, "1")],
    ),
    "a loop over lines with another divider": (
        f"cat <<E | while IFS='=' read -r k v; do\n{KEY} = 8\nE\n"
        ' echo "$k = $v" >> /etc/sysctl.conf\ndone\n',
        [(2, 1, KEY, "8")],
    ),
    "a loop over lines of another file": ("while read k v; do sysctl -w $k=$v; done < settings\n", []),
    "a function that nobody calls": ('f() { sysctl -w "$1=$2"; }\n', []),
    "patterns are no functions": (
        f"case $1 in\n a|b) {{ sysctl -w {KEY}=8; }};;\nesac\nb x\n", [(2, 19, KEY, "8")],
    ),
    "an array with names": (
        f'declare -A a=(\n ["{KEY}"]="8" # x\n)\nfor k in "${{!a[@]}}"; do sysctl -w "$k=${{a[$k]}}"; done\n',
        [(2, 2, KEY, "8")],
    ),
    "a loop over files": (
        "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 1 > $f; done\n",
        [(1, 55, "net.ipv4.conf.*.rp_filter", "1")],
    ),
    "a group": (f"{{\n echo {KEY}=8\n}} >> /etc/sysctl.conf\n", [(2, 7, KEY, "8")]),
    "a group through a pipe": (f"(echo {KEY}=8; echo x) | sudo tee /etc/sysctl.d/9.conf\n", [(1, 7, KEY, "8")]),
    "a script within": (f"sudo sh -c 'a\n sysctl -w {KEY}=8'\n", [(2, 12, KEY, "8")]),
    "a script within, in one line": (f"bash -ec 'sysctl -w {KEY}=8'\n", [(1, 21, KEY, "8")]),
    "another namespace": (f"ip netns exec blue sysctl -w {KEY}=8\n", [(1, 30, KEY, "8")]),
    "another machine": (f"ssh root@db.example sysctl -w {KEY}=8\n", [(1, 31, KEY, "8")]),
    "another user": (f"sudo -u root /sbin/sysctl {KEY}=8\n", [(1, 27, KEY, "8")]),
    "a container": (f"docker run --rm --sysctl {KEY}=8 --sysctl=net.ipv4.tcp_ecn=1 web\n",
                    [(1, 26, KEY, "8"), (1, 56, ECN, "1")]),
    "reading sets nothing": (f"sysctl -n {KEY}\nsysctl -a | grep x=1\ncat /proc/sys/net/core/somaxconn > /tmp/x\n", []),
    "another file": (f"echo {KEY}=8 > /tmp/x\ncat > notes <<E\n{KEY}=8\nE\n", []),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_way_to_set(way: str) -> None:
    text, wanted = WAYS[way]
    found = shell.read("a", text).settings
    assert [(item.line, item.column, item.key, item.value) for item in found] == wanted
    lines = text.split("\n")
    for item in found:
        assert 1 <= item.column <= len(lines[item.line - 1])


def test_what_excludes_each_other() -> None:
    text = f"sysctl {KEY}=1\nif a; then\n sysctl {KEY}=2\nelse\n sysctl {KEY}=3\nfi\n"
    text += f"a && sysctl {KEY}=4 || sysctl {KEY}=5\n"
    into = [item.into for item in shell.read("a", text).settings]
    assert len(set(into)) == 5
    together = shell.read(
        "a",
        f"f() {{\n sysctl {KEY}=1\n sysctl {KEY}=2\n}}\ncase $1 in\n a) sysctl {KEY}=3;;\n b) sysctl {KEY}=4;;\nesac\n",
    )
    one, two, three, four = [item.into for item in together.settings]
    assert one == two
    assert len({two, three, four}) == 3
