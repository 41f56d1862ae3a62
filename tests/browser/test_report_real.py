"""Pages that the program made of real captures: what the browser shows is what the records say."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import PROGRAM, ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.browser.chromium import Browser, Page

LAB = ROOT / "tests" / "captures" / "lab"
CAPTURES = (
    "lossy_many.client",
    "tfo",
    "refused",
    "blackhole",
    "simultaneous_open.client",
    "any_sll2.router",
    "v6_normal",
)


def made(capture: str, folder: Path) -> Path:
    page = folder / "report.html"
    command = [str(PROGRAM), "trace", str(LAB / f"{capture}.pcap"), "--report", str(page), "-q"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment())
    return page


def records(capture: str) -> list[dict[str, Any]]:
    command = [str(PROGRAM), "trace", str(LAB / f"{capture}.pcap"), "--format", "jsonl"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment())
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(params=[False, True], ids=["light", "dark"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A tab that must not have had a problem, or asked anything of a network, when the test is over."""
    opened = browser.page(dark=request.param)
    yield opened
    assert (opened.problems, opened.requests) == ([], [])
    opened.close()


@pytest.mark.parametrize("capture", CAPTURES)
def test_a_report_shows_its_capture(page: Page, capture: str, tmp_path: Path) -> None:
    page.open(made(capture, tmp_path))
    rows = records(capture)
    failed = [row for row in rows if row["outcome"] != "established"]
    assert page.texts("h1") == [f"{capture}.pcap"]
    numbers = [int(text) for text in page.texts("#failed tbody tr > :first-child")]
    assert numbers == [row["number"] for row in failed]
    assert len(page.texts("#slowest tbody tr")) == min(15, len(rows) - len(failed))
    ladders = page.js("[...document.querySelectorAll('.ladder')].map(l => l.querySelectorAll('.arrow').length)")
    assert ladders
    assert all(ladders)
    body = page.js("document.body.innerText")
    for nonsense in ("NaN", "undefined", "Infinity", "[object"):
        assert nonsense not in body
    assert page.js("document.documentElement.scrollWidth") <= 1280
    overlapping = page.js("""[...document.querySelectorAll('.timeline-svg, .latency-svg')].flatMap(svg => {
      const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
      return boxes.flatMap(([a, p], i) => boxes.slice(i + 1)
        .filter(([, q]) => p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 4 && q.top < p.bottom - 4)
        .map(([b]) => `${a} | ${b}`));
    })""")
    assert overlapping == []


def test_a_number_leads_to_its_ladder(page: Page, tmp_path: Path) -> None:
    page.open(made("lossy_many.client", tmp_path))
    link = page.js("document.querySelector('#slowest .to-ladder')?.textContent")
    assert link == "394"
    page.js("document.querySelector('#slowest .to-ladder').click()")
    page.settle()
    opened = page.js("document.querySelector(location.hash).querySelector('summary').textContent")
    assert opened.startswith("No. 394: 10.77.1.2:55120")


def test_copies_are_drawn_as_copies(page: Page, tmp_path: Path) -> None:
    page.open(made("any_sll2.router", tmp_path))
    arrows = page.js("[...document.querySelectorAll('#ladder-0 .arrow')].map(a => a.classList.contains('copy'))")
    assert arrows == [False, True] * (len(arrows) // 2)


def test_the_hint_is_told_apart_and_its_command_is_code(page: Page, tmp_path: Path) -> None:
    page.open(made("lossy_many.client", tmp_path))
    assert page.texts(".verdict li.trouble .hint code") == ["nstat -az TcpExtListenOverflows"]
    assert "`" not in page.texts(".verdict")[0]
