"""What the tables say equals the data; they sort, filter and are bounded."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.browser import samples
from tests.browser.chromium import Page

Open = Callable[..., Page]


def grouped(n: int) -> str:
    return f"{n:,}".replace(",", " ")


def rows(page: Page, table: str) -> list[list[str]]:
    """The cells of the first table that matches."""
    body = f"document.querySelector({json.dumps(table)}).tBodies[0]"
    found: list[list[str]] = page.js(f"[...{body}.rows].map(row => [...row.cells].map(cell => cell.textContent))")
    return found


def test_endpoint_rows_equal_the_data(show: Open) -> None:
    data = samples.rich()
    page = show(data)
    first = rows(page, "#endpoints table")[0]
    top = data["endpoints"][0]
    assert first[0] == f"{top['server']}:{top['server_port']}"
    assert first[1] == grouped(top["handshakes"])
    assert first[2] == grouped(top["failed"])
    strip = page.js("document.querySelector('#endpoints .strip-bar').getAttribute('aria-label')")
    for n in top["outcomes"].values():
        assert grouped(n) in strip
    parts = page.js("document.querySelector('#endpoints .strip-bar').children.length")
    assert parts == len(top["outcomes"])


def test_endpoints_sort_by_the_heading_that_is_pressed(show: Open) -> None:
    data = samples.rich()
    page = show(data)
    page.js("document.querySelectorAll('#endpoints thead button')[2].click()")  # Failed
    failed = sorted((row["failed"] for row in data["endpoints"]), reverse=True)
    assert [row[2] for row in rows(page, "#endpoints table")] == [grouped(n) for n in failed[:25]]
    assert page.js("document.querySelectorAll('#endpoints thead th')[2].getAttribute('aria-sort')") == "descending"
    page.js("document.querySelectorAll('#endpoints thead button')[2].focus()")
    page.key("Enter")
    assert [row[2] for row in rows(page, "#endpoints table")] == [grouped(n) for n in failed[::-1][:25]]
    page.js("document.querySelectorAll('#endpoints thead button')[4].click()")  # p50, unknown ones
    page.js("document.querySelector('#endpoints .more').click()")
    assert rows(page, "#endpoints table")[-1][5] == "—", "unknown sorts last"


def test_endpoints_filter_by_text_and_by_outcome(show: Open) -> None:
    page = show(samples.rich())

    def filtered(text: str) -> list[str]:
        field = "document.querySelector('#endpoints input')"
        page.js(f"{field}.value = {json.dumps(text)}; {field}.dispatchEvent(new Event('input'))")
        return [row[0] for row in rows(page, "#endpoints table")]

    assert filtered("10.0.0.7:") == ["10.0.0.7:443"]
    assert filtered("refused 8080") == filtered(":8080") != []
    assert filtered("no such thing") == ["No row matches."]


def test_a_flood_of_endpoints_is_bounded_and_said(show: Open) -> None:
    page = show(samples.many_endpoints())
    assert "2 000 endpoints with the most handshakes, of 65 000" in page.texts("#endpoints caption")[0]
    assert page.texts("#endpoints .status")[0] == "25 of 2 000 rows shown"
    largest = max(row["handshakes"] for row in samples.rich()["endpoints"])
    assert rows(page, "#endpoints table")[0][1] == grouped(largest)


def test_anomalies_defects_and_time_wait_are_explained(show: Open) -> None:
    data = samples.rich()
    page = show(data)
    anomalies = {row[0]: row for row in rows(page, "#anomalies table")}
    assert {name: row[1] for name, row in anomalies.items()} == {
        name: grouped(n) for name, n in data["anomalies"].items()
    }
    assert all(row[3] for row in anomalies.values())
    defects = {row[0]: row for row in rows(page, "#capture .explained")}
    assert {name: row[1] for name, row in defects.items()} == {
        name: str(n) for name, n in data["inputs"][0]["defects"].items()
    }
    assert all(row[3] for row in defects.values())
    assert sorted(row[1] for row in rows(page, "#time-wait table")) == sorted(
        grouped(n) for n in data["time_wait"].values()
    )


def test_tables_and_drawings_speak_to_a_screen_reader(show: Open) -> None:
    page = show(samples.rich())
    assert page.js("[...document.querySelectorAll('table')].every(t => t.caption && t.caption.textContent)")
    assert page.js("[...document.querySelectorAll('th')].every(c => ['col', 'row'].includes(c.scope))")
    assert page.js("[...document.querySelectorAll('svg')].every(s => s.getAttribute('aria-label'))")
    assert page.js("[...document.querySelectorAll('input')].every(i => i.closest('label'))")
    assert page.js("[...document.querySelectorAll('h1,h2')].map(h => h.tagName)")[0] == "H1"
