"""The parsers of the linter: where things stand, what belongs together, and that no text makes them fall or crawl."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfopen.errors import InputError
from halfopen.lint.document import KINDS, Kind
from halfopen.lint.formats import nginx, services, shell, yaml_file
from halfopen.lint.kernel import Kernel
from halfopen.lint.promql import compares, selectors
from halfopen.lint.reading import read
from halfopen.lint.recognise import recognise
from halfopen.lint.run import lint
from halfopen.lint.suppression import suppressed


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("/etc/sysctl.d/10-a.conf", "", "sysctl"),
        ("a.conf", "# x\nnet.ipv4.tcp_ecn = 1\n", "sysctl"),
        ("a.conf", "net/ipv4/tcp_ecn=1\n", "sysctl"),
        ("a.conf", "[main]\n[sysctl]\nnet.ipv4.tcp_ecn=1\n", "tuned"),
        ("web/Dockerfile", "", "dockerfile"),
        ("Dockerfile.alpine", "", "dockerfile"),
        ("compose.yaml", "", "yaml"),
        ("-", "#cloud-config\nruncmd: []\n", "yaml"),
        ("-", "*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n", "iptables"),
        ("-", "table inet filter {\n}\n", "nft"),
        ("run", "#!/usr/bin/env bash\nsysctl -w a=b\n", "shell"),
        ("run", "#!/usr/bin/env python3\nnet.x = 1\n", None),
        ("/etc/nginx/sites-enabled/default", "", "nginx"),
        ("-", "server {\n listen 80;\n}\n", "nginx"),
        ("-", "frontend web\n bind :80\n", "haproxy"),
        ("-", "[Socket]\nListenStream=80\n", "systemd"),
        ("web.service", "", "systemd"),
        ("/etc/systemd/system/web.service.d/limits.conf", "", "systemd"),
        ("-", "[Interface]\nAddress = 192.0.2.1/24\nPrivateKey = A=\nPostUp = true\n", "wg-quick"),
        ("-", "auto eth0\niface eth0 inet dhcp\n", "ifupdown"),
        ("/etc/network/interfaces.d/eth0", "", "ifupdown"),
        ("/etc/rc.local", "", "shell"),
        ("-", "groups:\n- rules:\n  - alert: A\n    expr: up\n", "prometheus"),
        ("notes.txt", "net income = 5\n", None),
        ("-", "", None),
    ],
)
def test_the_kind_of_a_file(path: str, text: str, kind: str | None) -> None:
    assert recognise(path, text) == kind


def test_commands_of_a_unit() -> None:
    text = """[Service]
; why
ExecStart=-/bin/sh -c "a 'x' > y; \\
# not read
  b c"
ExecStart=@d > e | f
ExecStop=g
"""
    commands = services.read_systemd("a", text).commands
    first, a, b, d = commands
    assert (first.comment, first.line, first.column) == ("why", 3, 12)
    assert (a.program, a.line, a.column, [into.target.text for into in a.redirects]) == ("a", 3, 24, ["y"])
    assert (b.program, b.line, b.column, b.words[1].text) == ("b", 5, 3, "c")
    assert [word.text for word in d.words] == ["d", "_", "e", "_", "f"]


def test_words_of_a_script() -> None:
    text = "X=1 sudo -n /sbin/sysctl -w 'a b'\"$(date '+%F')\"c \\\n  d # why\n"
    (command,) = shell.read("a", text).commands
    assert (command.program, command.line, command.column, command.comment) == ("sysctl", 1, 13, "why")
    assert [word.text for word in command.words[1:]] == ["-w", "a b$(date '+%F')c", "d"]
    assert (command.words[-1].line, command.words[-1].column) == (2, 3)


def test_pipes_redirections_and_bodies() -> None:
    document = shell.read(
        "a", "if a | b > c; then cat <<-'E' > /etc/sysctl.d/x.conf\n\tnet.core.somaxconn = 8\n\tE\nd\nfi\n"
    )
    assert [command.program for command in document.commands] == ["a", "b", "cat", "d"]
    assert document.commands[0].piped_into == 1
    assert document.commands[1].redirects[0].target.text == "c"
    (setting,) = document.settings
    assert (setting.line, setting.column, setting.key, setting.value) == (2, 2, "net.core.somaxconn", "8")


def test_nginx_sockets() -> None:
    text = """http { server {
 listen 80; # listen 81;
 listen unix:/a backlog=5;
 listen [::]:443 ssl fastopen=9 backlog=-1; } }"""
    first, second = nginx.read("a", text).listeners
    assert (first.address, first.line, first.column, first.backlog, first.explicit) == ("80", 2, 2, 511, False)
    assert (second.line, second.fast_open, second.backlog, second.explicit) == (4, 9, -1, True)


RULES = """spec:
  groups:
  - rules:
    - expr: "a{b=\\"c\\"} > node_x"
      alert: One
    - record: two
      expr: >-
        sum(
          node_y)
"""


def test_expressions_and_their_places() -> None:
    one, two = yaml_file.read("a", RULES).queries
    (x,) = selectors(one.text)
    assert (one.alert, one.place(x.offset)) == ("One", (4, RULES.split("\n")[3].index("node_x") + 1))
    (y,) = selectors(two.text)
    assert (two.alert, two.place(y.offset)) == (None, (9, 11))


def test_selectors() -> None:
    (found,) = selectors("sum(rate(node_a{state=~\"x}y\", job='z'}[5m]))")
    assert (found.metric, found.ranged, found.label("state"), found.label("job")) == ("node_a", True, "x}y", "z")
    assert compares('a{b!="c"} > 1')
    assert not compares('a{b=~"c", d!="e"}')


def test_marks_of_authors() -> None:
    assert suppressed("# halfopen: ignore HO203, a-b\nx\ny # halfopen: ignore HO1\nz") == {
        1: {"ho203", "a-b"},
        2: {"ho203", "a-b"},
        3: {"ho1"},
    }


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None)
@given(text=st.text(alphabet="abnetipv4.=_/-$(){}[]<>|&;'\"`\\#:*!@ \n\t01%,", max_size=400))
def test_no_text_makes_a_parser_or_a_check_fall(kind: Kind, text: str) -> None:
    try:
        document = read("a", text.encode(), kind)
    except InputError:
        return
    lines = text.split("\n")
    for finding in lint([document], Kernel()).findings:
        assert finding.line is not None
        assert 1 <= finding.line <= len(lines)


#: Texts that a careless search goes over once for each of their characters; each is some 300 000 characters.
CRAWLING: dict[str, tuple[Kind, str]] = {
    "placeholders": ("nginx", "${" * 150_000),
    "flags": ("nft", "table ip t { chain c { " + "tcp flags & ( " * 20_000 + "}}"),
    "states": ("nft", "table ip t { chain c { " + "ct state new " * 20_000 + "}}"),
    "chains": ("nft", "table ip t {\n" + "chain a {}\n" * 15_000 + "}\n" + "add rule ip t a accept\n" * 8_000),
    "slips": ("sysctl", "".join(f"net.ipv4.tcp_syncookie{i} = 1\n" for i in range(10_000))),
    "reserved": ("sysctl", "net.ipv4.ip_local_reserved_ports = " + "1-65535," * 30_000),
    "times": ("sysctl", "#" + "1 s default " * 25_000 + "\nnet.ipv4.tcp_syn_retries = 3\n"),
    "substitutions": ("shell", "$(\n" * 100_000),
    "prefixes": ("shell", "sudo " * 60_000),
    "groups": ("shell", "{ echo net.ipv4.tcp_ecn=1\n" * 3000 + "} > /etc/sysctl.conf\n" * 3000),
    "loops": ("shell", "for i in " + "a " * 50_000 + "; do\n" + "sysctl -w net.ipv4.tcp_ecn=$i\n" * 5000 + "done\n"),
    "arrays": ("shell", "a=(" + "x " * 100_000 + ")\n" + 'sysctl -w "${a[@]}"\n' * 2000),
    "doubling": ("shell", "".join(f"V{n}=$V{n - 1}$V{n - 1}\n" for n in range(9000)) + "sysctl -w a=$V8999\n"),
    "names": ("nft", "".join(f"define a{n} = {{ $a{n - 1}, $a{n - 1} }}\n" for n in range(9000))),
    "limits": ("nft", "limit a { rate 1/second }\ntable ip t { chain c { " + "limit name a " * 20_000 + "}}"),
    "layers": ("dockerfile", "RUN <<A\nRUN sysctl -w a=b && \\\n" * 10_000),
    "scripts": ("yaml", "- sysctl -w net.core.somaxconn=1\n" * 9000),
    "edits": ("shell", "sed -i '" + "s/a/" * 60_000 + "' /etc/sysctl.conf\n"),
    "edits of one line": ("shell", "sed -i '" + "s/a/b/;" * 40_000 + "' /etc/sysctl.conf\n"),
    "reads": ("shell", "while read a b; do sysctl -w $a=$b; done <<E\na b\nE\n" * 6000),
    "nested reads": ("shell", "while read a b; do\n" * 4000 + "done <<E\na b\nE\n" * 4000),
    "units": ("systemd", "[Service]\nExecStart=a 'b \\\n" + "# c\n\\\n" * 30_000),
    "counts": ("prometheus", "- alert: a\n  expr: 1 > " + "count(node_netstat_Tcp_InSegs) + " * 9000 + "1\n"),
    "nested counts": ("prometheus", "- alert: a\n  expr: 1 > " + "count(sum(" * 30_000 + "))" * 30_000 + "\n"),
    "labels": ("prometheus", "- alert: a\n  expr: " + "node_a{" * 40_000 + "\n"),
}


@pytest.mark.parametrize("name", CRAWLING)
def test_time_grows_with_the_text_and_not_with_its_square(name: str) -> None:
    kind, text = CRAWLING[name]
    began = time.process_time()
    lint([read("a", text.encode(), kind)], Kernel())
    # A quadratic search takes minutes; twenty seconds are generous for a slow machine.
    assert time.process_time() - began < 20
