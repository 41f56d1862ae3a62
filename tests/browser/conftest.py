"""One chromium for all pages; a page a sample, written to a file and opened from there, as a reader does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from tests.browser.chromium import Browser, Page, find

from halfopen.render.html import render_report

if TYPE_CHECKING:
    from pathlib import Path

Open = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find()
    if program is None:
        pytest.skip("no chromium is installed (apt-get install chromium)")
    with Browser(program, tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens the report of some data. Afterwards no page may have had a problem, or asked anything of a network."""
    pages: list[Page] = []

    def opened(data: dict[str, Any], *, width: int = 1280, dark: bool = False) -> Page:
        file = tmp_path / f"report-{len(pages)}.html"
        file.write_text(render_report(data), encoding="utf-8")
        page = browser.page(width=width, dark=dark)
        pages.append(page)
        return page.open(file)

    yield opened
    problems = [problem for page in pages for problem in page.problems]
    requests = [request for page in pages for request in page.requests]
    for page in pages:
        page.close()
    assert not problems
    assert not requests
