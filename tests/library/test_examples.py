"""Every example that somebody may copy does what it says: docstrings, the README's Python, the README's commands."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import shlex
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.conftest import ROOT

import halfopen

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from tests.conftest import Halfopen

README = (ROOT / "README.md").read_text(encoding="utf-8")
LAB = ROOT / "tests/captures/lab"


def modules_with_examples() -> list[str]:
    names = [module.name for module in pkgutil.walk_packages(halfopen.__path__, "halfopen.")]
    return [name for name in names if ">>>" in source(name)]


def source(name: str) -> str:
    file = ROOT / "src" / name.replace(".", "/")
    paths = (file.with_suffix(".py"), file / "__init__.py", file.with_suffix(".pyi"))
    return "".join(path.read_text(encoding="utf-8") for path in paths if path.is_file())


@pytest.mark.parametrize("name", modules_with_examples())
def test_docstrings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    module: ModuleType = importlib.import_module(name)
    result = doctest.testmod(module, raise_on_error=False, verbose=False)
    assert (result.failed, result.attempted > 0) == (0, True)


def test_the_public_function_has_an_example() -> None:
    assert "halfopen.capture.trace" in modules_with_examples()


@pytest.mark.parametrize("code", re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE))
def test_python_of_the_readme(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(code, "README.md", "exec"), {})


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`(halfopen trace [^`]+)`", README))))
def test_commands_of_the_readme(command: str, halfopen: Halfopen, tmp_path: Path) -> None:
    """In a folder with captures of these names."""
    shutil.copy(LAB / "lossy_many.client.pcap", tmp_path / "capture.pcap")
    for end in ("client", "server"):
        shutil.copy(LAB / f"normal_server_close.{end}.pcap", tmp_path / f"{end}.pcap")
    done = halfopen(*shlex.split(command)[1:])
    assert done.returncode == 0, done.stderr
    wanted = re.search(r"(?:-o|--report) (\S+)", command)
    assert done.stdout or (wanted is not None and (tmp_path / wanted[1]).stat().st_size > 0)
