"""The exception tree: what is public, what is drawn, and what it exits with are one and the same."""

from __future__ import annotations

import re

import pytest

import halfopen
from halfopen import errors
from halfopen.cli.exit_codes import ExitCode, exit_code_of

CLASSES = {name: value for name, value in vars(errors).items() if isinstance(value, type)}
LEAVES = sorted(set(CLASSES) - {"HalfopenError"})


def test_every_class_is_public() -> None:
    assert sorted(CLASSES) == errors.__all__
    assert set(errors.__all__) <= set(halfopen.__all__)


@pytest.mark.parametrize("name", LEAVES)
def test_every_error_has_an_exit_code_and_the_drawing_tells_it(name: str) -> None:
    drawn = re.search(rf"[├└]── {name} .* exit (\d+)$", errors.__doc__ or "", re.MULTILINE)
    assert drawn is not None
    error = CLASSES[name]("what")
    assert isinstance(error, errors.HalfopenError)
    assert exit_code_of(error) == int(drawn.group(1))
    assert exit_code_of(error) not in {ExitCode.OK, ExitCode.INTERNAL}
    # A host's name without an address is an answer about that host, as a refused connect is.
    assert (exit_code_of(error) is ExitCode.FINDINGS) is (name == "ResolveError")


def test_the_base_is_never_raised_on_purpose() -> None:
    assert exit_code_of(errors.HalfopenError("what")) is ExitCode.INTERNAL


def test_the_sentence() -> None:
    assert str(errors.InputError("cannot read", "a.pcap", "no such file")) == "cannot read a.pcap: no such file"
    assert str(errors.InputError("cannot read", "a.pcap")) == "cannot read a.pcap"
    assert str(errors.UsageError("two times", why="one is enough")) == "two times: one is enough"
