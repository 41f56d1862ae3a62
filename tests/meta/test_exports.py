"""``halfopen.__all__`` is sorted, and each name in it can be had."""

from __future__ import annotations

import pkgutil

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


def test_no_module_stands_in_the_way_of_a_public_name() -> None:
    # Importing a module puts it into its package under its own name, over a function of that name.
    modules = {module.name for module in pkgutil.iter_modules(halfopen.__path__)}
    assert not modules & set(halfopen.__all__)
