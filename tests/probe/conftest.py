"""The network of these tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.probe import network

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def net() -> Iterator[network.Pair]:
    """A fresh pair of namespaces; without root the test says so and is skipped."""
    if not network.may_make_namespaces():
        pytest.skip("making a network namespace needs root")
    with network.pair() as pair:
        yield pair
