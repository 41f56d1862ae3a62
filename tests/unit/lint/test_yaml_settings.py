"""Kernel settings in YAML: what is set, and where it stands."""

from __future__ import annotations

import pytest

from halfopen.errors import InputError
from halfopen.lint.formats import yaml_file
from halfopen.lint.kernel import Kernel
from halfopen.lint.run import lint

KEY = "net.core.somaxconn"

#: Name → YAML, and what it sets: line, column, key, value.
WAYS: dict[str, tuple[str, list[tuple[int, int, str, str]]]] = {
    "keys, as in Compose": (f"a:\n  sysctls:\n    {KEY}: 8\n    kernel.x: 1\n", [(3, 5, KEY, "8")]),
    "a list, as in Compose": (f'sysctls:\n  - {KEY}=8\n  - "{KEY}=9"\n', [(2, 5, KEY, "8"), (3, 6, KEY, "9")]),
    "pairs, as in Kubernetes": (f'sysctls:\n- name: {KEY}\n  value: "8"\n', [(2, 9, KEY, "8")]),
    "pairs in one line": (f"loop:\n- {{ key: {KEY}, value: 8 }}\n", [(2, 10, KEY, "8")]),
    "arguments of Ansible": (f"- sysctl: name={KEY} state=present value=8\n", [(1, 11, KEY, "8")]),
    "a line of Ansible": (f"- lineinfile: path=/etc/sysctl.conf line='{KEY} = 8' x=y\n", [(1, 15, KEY, "8")]),
    "the text of a file in quotes": (f'a: "{KEY} = 8\\nvm.a = 1\\n"\n', [(1, 5, KEY, "8"), (1, 5, "vm.a", "1")]),
    "the text of a file of one line": (f"content: |\n  {KEY} = 8\n", [(2, 3, KEY, "8")]),
    "what is taken away": (f"- sysctl:\n    name: {KEY}\n    value: 8\n    state: absent\n", []),
    "a template's value": (f"- name: {KEY}\n  value: {{{{ x }}}}\n", []),
    "a command": (f"- shell: sysctl -w {KEY}=8\n", [(1, 20, KEY, "8")]),
    "words of a command": (f"command: [sysctl, -w, {KEY}=8]\n", [(1, 23, KEY, "8")]),
    "a shell's command": (f'command: [sh, -c, "a && sysctl -w {KEY}=8"]\n', [(1, 35, KEY, "8")]),
    "a script": (f"args:\n- -c\n- |\n  x\n  sysctl -w {KEY}=8\n", [(5, 13, KEY, "8")]),
    "the text of a file": (f"content: |\n  # x\n  vm.a = 1\n  {KEY} = 8\n", [(3, 3, "vm.a", "1"), (4, 3, KEY, "8")]),
    "a statement of a template": (f"{{{{- if .x }}}}\na:\n  {KEY}: 8\n{{{{- end }}}}\n", [(3, 3, KEY, "8")]),
    "words for people": (f"- alert: A\n  description: sysctl -w {KEY}=8\n- msg: |\n    sysctl -w {KEY}=8\n", []),
    "names of others": ("net.peer.name: a\nname: net.core\nx: net.host=y\n", []),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_way_to_set(way: str) -> None:
    text, wanted = WAYS[way]
    found = yaml_file.read("a", text).settings
    assert [(item.line, item.column, item.key, item.value) for item in found] == wanted
    lines = text.split("\n")
    for item in found:
        assert lines[item.line - 1][item.column - 1 :].startswith((item.key, "name=", "path=", f"{KEY} = 8\\n"))


def test_services_do_not_repeat_each_other() -> None:
    text = f"a:\n  sysctls: {{{KEY}: 8192}}\nb:\n  sysctls: {{{KEY}: 8192}}\nc:\n  sysctls:\n  - {KEY}=8192\n"
    assert lint([yaml_file.read("a.yml", text)], Kernel()).findings == ()


def test_what_is_no_yaml_is_said_with_its_line() -> None:
    with pytest.raises(InputError, match="line 3"):
        yaml_file.read("a", "a:\n  b: 1\n - c\n")


def test_its_kind_is_what_it_holds() -> None:
    assert yaml_file.read("a", "- alert: A\n  expr: up\n").kind == "prometheus"
    assert yaml_file.read("a", "a: 1\n").kind == "yaml"
