"""Which user namespace a process is in."""

from __future__ import annotations

import pytest

from halfopen.lab.privilege import is_first_user_namespace


@pytest.mark.parametrize(
    ("uid_map", "first"),
    [
        ("         0          0 4294967295\n", True),
        ("         0      65534          1\n", False),
        ("         0     100000      65536\n", False),
        ("         0          0          1\n", False),
        ("", False),
    ],
)
def test_the_first_user_namespace_maps_every_user_to_itself(uid_map: str, first: bool) -> None:
    assert is_first_user_namespace(uid_map) is first
