"""``halfopen.__all__`` is sorted, and each name in it can be had."""

from __future__ import annotations

import pytest

import halfopen


def test_the_list_is_sorted() -> None:
    assert sorted(halfopen.__all__) == halfopen.__all__
    assert dir(halfopen) == halfopen.__all__


@pytest.mark.parametrize("name", halfopen.__all__)
def test_every_name_exists(name: str) -> None:
    assert getattr(halfopen, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonesuch'"):
        _ = halfopen.nonesuch
