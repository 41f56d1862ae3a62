"""The report as a person sees it, in a real browser: what is drawn equals the data, and nothing leaves the page."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser import samples
from tests.browser.chromium import Page

Open = Callable[..., Page]

SAMPLES = {
    "rich": samples.rich,
    "empty": samples.empty,
    "flood": samples.flood,
    "hostile": samples.hostile,
    "nothing": dict,
}


def grouped(n: int) -> str:
    return f"{n:,}".replace(",", " ")


def rows(page: Page, section: str) -> list[list[str]]:
    """The cells of the first table of a section."""
    found: list[list[str]] = page.js(
        f"[...document.querySelectorAll('#{section} table')[0].tBodies[0].rows].map(r => [...r.cells].map(c => c.textContent))"
    )
    return found


@pytest.mark.parametrize("width", [360, 800, 1600])
@pytest.mark.parametrize("sample", SAMPLES)
def test_the_page_is_never_wider_than_the_window(show: Open, sample: str, width: int) -> None:
    page = show(SAMPLES[sample](), width=width)
    assert page.js("document.documentElement.scrollWidth") <= width
    outside = page.js(
        "[...document.querySelectorAll('main *, header *, nav *')]"
        ".filter(e => !e.closest('.scroll') && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"
    )
    assert outside == []


def test_header_says_what_was_read_and_the_verdict(show: Open) -> None:
    data = samples.rich()
    page = show(data)
    assert page.texts("h1") == ["office-uplink.pcapng"]
    read = page.texts(".read")[0]
    assert f"{grouped(data['handshakes'])} handshakes in {grouped(data['tcp_segments'])} TCP segments" in read
    assert page.texts(".verdict li") == data["notices"]
    assert page.texts(".vantage") == [data["vantage_sentence"]]
    assert page.js("document.title") == "office-uplink.pcapng · halfopen trace"


def test_outcome_bars_have_the_counts_and_lengths_of_the_data(show: Open) -> None:
    data = samples.rich()
    page = show(data)
    drawn = page.js(
        "Object.fromEntries([...document.querySelectorAll('[data-outcome]')].map(r => [r.dataset.outcome,"
        " [r.cells[1].textContent, r.querySelector('.fill').getBoundingClientRect().width / r.querySelector('.track').getBoundingClientRect().width]]))"
    )
    assert drawn.keys() == data["outcomes"].keys()
    for name, n in data["outcomes"].items():
        text, length = drawn[name]
        assert text == grouped(n)
        assert length == pytest.approx(max(0.003, n / data["handshakes"]), abs=0.002)


@pytest.mark.parametrize("measure", ["syn_to_syn_ack", "syn_ack_to_ack", "handshake"])
def test_histogram_has_a_bar_for_each_bin_and_marks_for_the_quantiles(show: Open, measure: str) -> None:
    data = samples.rich()
    page = show(data)
    panel = f".panel[data-measure={measure}]"
    bars = page.js(
        f"[...document.querySelectorAll('{panel} .bin')].map(b => [+b.dataset.count, +b.getAttribute('height')])"
    )
    counts = [n for n in data["histogram"][measure] if n]
    assert [count for count, _ in bars] == counts
    for count, height in bars:
        assert height == pytest.approx(max(1, 84 * count / max(counts)), abs=0.01)
    labels = page.texts(f"{panel} .mark-label")
    assert [label.split()[0] for label in labels] == ["p50", "p90", "p99"]
    table = {
        row[0]: row[1:]
        for row in page.js(
            "[...document.querySelectorAll('.quantiles tbody tr')].map(r => [r.dataset.measure, ...[...r.cells].slice(1).map(c => c.textContent)])"
        )
    }
    assert [label.split(" ", 1)[1] for label in labels] == table[measure][:3]
    assert table[measure][4] == grouped(data["latency_us"][measure]["count"])
    curve = page.js(f"document.querySelector('path.curve[data-measure={measure}]').getAttribute('d')")
    heights = [float(point.split()[1]) for point in curve[1:].split("L")]
    assert heights == sorted(heights, reverse=True), "a cumulative curve never falls"


def test_pointer_and_keys_read_the_cumulative_share(show: Open) -> None:
    data = samples.rich()
    page = show(data)
    page.js("document.querySelector('.latency-svg').focus()")
    page.key("End")
    reading = page.texts("#latency .readout")[0]
    assert "SYN → SYN-ACK 100 %" in reading
    assert "whole handshake 100 %" in reading
    page.key("Home")
    assert page.texts("#latency .readout")[0] != reading
    page.key("Escape")
    assert page.texts("#latency .readout")[0].startswith("Move over")


def test_timeline_strips_add_up(show: Open) -> None:
    data = samples.rich()
    page = show(data)
    strips = dict(
        page.js(
            "[...document.querySelectorAll('.strip')].map(g => [g.dataset.key, +g.querySelector('.bars').dataset.total])"
        )
    )
    assert strips == {name: sum(data["timeline"][name]) for name in ("attempts", "established", "failed")}


def test_a_stretch_of_the_timeline_restricts_the_tables_of_handshakes(show: Open) -> None:
    data = samples.rich()
    page = show(data)
    page.js("document.querySelector('.timeline-svg').scrollIntoView({block: 'center', behavior: 'instant'})")
    box = page.js(
        "(r => [r.left, r.top, r.width, r.height])(document.querySelector('.timeline-svg').getBoundingClientRect())"
    )
    middle = box[1] + box[3] / 2
    page.mouse("mouseMoved", box[0] + box[2] * 0.3, middle)
    assert "completed" in page.texts("#timeline .readout")[0]
    page.mouse("mousePressed", box[0] + box[2] * 0.3, middle, pressed=True)
    page.mouse("mouseMoved", box[0] + box[2] * 0.4, middle, pressed=True)
    page.mouse("mouseMoved", box[0] + box[2] * 0.5, middle, pressed=True)
    page.mouse("mouseReleased", box[0] + box[2] * 0.5, middle)
    matching = page.texts("#failed .status")[0]
    assert "match the stretch selected in the timeline" in matching
    shown = int(matching.split(" of ")[-2].split()[-1])
    assert 0 < shown < len(data["failed"])
    page.js("document.querySelector('.timeline-svg').focus()")
    page.key("Escape")
    assert "match" not in page.texts("#failed .status")[0]


def test_endpoint_rows_equal_the_data(show: Open) -> None:
    data = samples.rich()
    page = show(data)
    first = rows(page, "endpoints")[0]
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
    assert [row[2] for row in rows(page, "endpoints")] == [grouped(n) for n in failed[:25]]
    assert page.js("document.querySelectorAll('#endpoints thead th')[2].getAttribute('aria-sort')") == "descending"
    page.js("document.querySelectorAll('#endpoints thead button')[2].focus()")
    page.key("Enter")
    assert [row[2] for row in rows(page, "endpoints")] == [grouped(n) for n in failed[::-1][:25]]
    page.js("document.querySelectorAll('#endpoints thead button')[4].click()")  # p50, unknown ones
    page.js("document.querySelector('#endpoints .more').click()")
    assert rows(page, "endpoints")[-1][5] == "—", "unknown sorts last"


def test_endpoints_filter_by_text_and_by_outcome(show: Open) -> None:
    page = show(samples.rich())

    def filtered(text: str) -> list[str]:
        page.js(
            f"(f => {{ f.value = {json.dumps(text)}; f.dispatchEvent(new Event('input')); }})(document.querySelector('#endpoints input'))"
        )
        return [row[0] for row in rows(page, "endpoints")]

    assert filtered("10.0.0.7:") == ["10.0.0.7:443"]
    assert filtered("refused 8080") == [row for row in filtered(":8080") if row]
    assert filtered("no such thing") == ["No row matches."]


def test_a_flood_of_endpoints_is_bounded_and_said(show: Open) -> None:
    page = show(samples.many_endpoints())
    assert f"2 000 endpoints with the most handshakes, of 65 000" in page.texts("#endpoints caption")[0]
    assert page.texts("#endpoints .status")[0] == f"25 of 2 000 rows shown"
    assert rows(page, "endpoints")[0][1] == "1" or int(rows(page, "endpoints")[0][1].replace(" ", "")) > 900


def test_ladder_draws_every_packet_and_both_states(show: Open) -> None:
    data = samples.rich()
    page = show(data)
    drawn = page.js(
        "[...document.querySelectorAll('.ladder')].map(l => l.querySelectorAll('.ladder-svg .arrow').length)"
    )
    assert drawn == [len(one["rows"]) for one in data["ladders"]]
    states = page.texts("#ladder-0 .ladder-svg .state")
    assert states == [row[f"{side}_state"] for row in data["ladders"][0]["rows"] for side in ("client", "server")]
    silences = page.texts("#ladder-0 .silence")
    assert [text.split()[0] for text in silences] == ["1", "2", "4"], "the pauses of an exponential backoff"
    frames = [row["frame"] for row in data["ladders"][0]["rows"]]
    assert (
        page.js(
            "[...document.querySelectorAll('#ladder-0 .packets tbody th')].map(c => +c.textContent.replace(/\\s/g, ''))"
        )
        == frames
    )


def test_a_link_opens_its_ladder(show: Open) -> None:
    page = show(samples.rich())
    page.js("document.querySelector('#failed .to-ladder').click()")
    target = page.js("location.hash")
    page.settle()
    assert page.js(f"document.querySelector({json.dumps(target)}).open") is True


def test_times_keep_their_nanoseconds(show: Open) -> None:
    data = samples.rich()
    page = show(data)
    nanoseconds = data["ladders"][0]["rows"][0]["time_ns"]
    assert page.texts("#ladder-0 .packets td:nth-of-type(2)")[0].endswith(f".{nanoseconds % 10**9:09d}")


def test_anomalies_defects_and_time_wait_are_explained(show: Open) -> None:
    data = samples.rich()
    page = show(data)
    anomalies = {row[0]: row for row in rows(page, "anomalies")}
    assert {name: row[1] for name, row in anomalies.items()} == {
        name: grouped(n) for name, n in data["anomalies"].items()
    }
    assert all(row[3] for row in anomalies.values())
    defects = {
        row[0]: row
        for row in page.js(
            "[...document.querySelectorAll('#capture .explained tbody tr')].map(r => [...r.cells].map(c => c.textContent))"
        )
    }
    assert {name: row[1] for name, row in defects.items()} == {
        name: str(n) for name, n in data["inputs"][0]["defects"].items()
    }
    assert all(row[3] for row in defects.values())
    assert sorted(row[1] for row in rows(page, "time-wait")) == sorted(grouped(n) for n in data["time_wait"].values())


def test_hostile_text_stays_text(show: Open) -> None:
    page = show(samples.hostile())
    assert page.js("document.querySelectorAll('#app script, #app img').length") == 0
    assert page.js("document.scripts.length") == 2, "the data and the page's own script"
    assert any(samples.HOSTILE in text for text in page.texts(".verdict p"))
    visible = page.js("document.body.innerText + document.title")
    assert "\u202e" not in visible
    assert "\x1b" not in visible
    assert "\\u202e" in visible


def test_the_policy_forbids_what_the_page_does_not_need(show: Open) -> None:
    page = show(samples.empty())
    policy = page.js("document.querySelector('meta[http-equiv=Content-Security-Policy]').content")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    # A script that gets in all the same does not run.
    ran = page.js(
        "new Promise(done => { document.addEventListener('securitypolicyviolation', e => done(e.effectiveDirective), {once: true});"
        " const s = document.createElement('script'); s.textContent = 'window.ran = true'; document.body.append(s);"
        " if (window.ran) done('it ran'); })"
    )
    assert ran == "script-src-elem"
    assert len(page.problems) == 1
    page.forget_problems()


@pytest.mark.parametrize(
    "data",
    [
        {},
        {
            "endpoints": None,
            "timeline": 3,
            "records": "x",
            "ladders": [None, {"rows": [None, {}]}],
            "inputs": [{}],
            "latency_us": [],
            "handshakes": 5,
        },
    ],
)
def test_missing_and_misshapen_fields_are_survived(show: Open, data: dict[str, Any]) -> None:
    page = show(data)
    assert page.js("document.querySelectorAll('main section').length") >= 1
    assert "NaN" not in page.js("document.body.innerText")
    assert "undefined" not in page.js("document.body.innerText")


def test_empty_capture_says_so(show: Open) -> None:
    page = show(samples.empty())
    assert page.texts(".verdict p") == ["The capture holds no TCP handshake."]
    assert page.texts("main h2") == ["The capture"]


def test_light_and_dark_follow_the_system_and_the_button(show: Open) -> None:
    data = samples.rich()
    light, dark = show(data), show(data, dark=True)
    ground = "getComputedStyle(document.body).backgroundColor"
    assert light.screenshot(whole=False) != dark.screenshot(whole=False)
    assert light.js(ground) != dark.js(ground)
    light.js("document.querySelector('.theme').click()")
    assert light.js(ground) == dark.js(ground)
    assert light.texts(".theme") == ["Light page"]


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_contrast(show: Open, dark: bool) -> None:
    """WCAG 2.1 AA, 4.5 to 1, for every colour of text on the page's ground."""
    page = show(samples.rich(), dark=dark)
    worst = page.js("""(() => {
      const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
      const luminance = colour => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ground = luminance(getComputedStyle(document.body).backgroundColor);
      const texts = [...document.querySelectorAll('body *')].filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && !['SCRIPT', 'STYLE', 'NOSCRIPT', 'TITLE'].includes(e.tagName));
      return Math.min(...texts.map(e => {
        const style = getComputedStyle(e);
        const ink = luminance(e.namespaceURI.includes('svg') ? style.fill : style.color);
        return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
      }));
    })()""")
    assert worst >= 4.5


def test_print_is_light_shows_every_ladder_and_hides_the_controls(show: Open) -> None:
    page = show(samples.rich(), dark=True)
    page.media(kind="print", dark=True)
    page.settle()
    assert page.js("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.js("getComputedStyle(document.body).color") == "rgb(31, 29, 26)"
    hidden = page.js(
        "[...document.querySelectorAll('button, input, nav')].filter(e => e.checkVisibility()).map(e => e.textContent)"
    )
    assert [
        text for text in hidden if text not in page.texts("thead button") and text not in page.texts("summary")
    ] == []
    page.js("dispatchEvent(new Event('beforeprint'))")
    assert page.js("[...document.querySelectorAll('.ladder')].every(l => l.open)")
    page.js("dispatchEvent(new Event('afterprint'))")
    assert page.js("document.querySelectorAll('.ladder[open]').length") == 1
    assert page.pdf().startswith(b"%PDF-")


def test_tables_and_drawings_speak_to_a_screen_reader(show: Open) -> None:
    page = show(samples.rich())
    assert page.js("[...document.querySelectorAll('table')].every(t => t.caption && t.caption.textContent)")
    assert page.js("[...document.querySelectorAll('th')].every(c => ['col', 'row'].includes(c.scope))")
    assert page.js("[...document.querySelectorAll('svg')].every(s => s.getAttribute('aria-label'))")
    assert page.js("[...document.querySelectorAll('input')].every(i => i.closest('label'))")
    assert page.js("[...document.querySelectorAll('h1,h2')].map(h => h.tagName)")[0] == "H1"


def test_every_control_is_reached_by_the_keyboard_with_a_visible_focus(show: Open) -> None:
    page = show(samples.rich())
    reached = set()
    for _ in range(200):
        page.key("Tab")
        if page.js("document.activeElement === document.body"):
            break  # past the last
        reached.add(
            page.js(
                "(e => e.tagName + '.' + (e.getAttribute('class') ?? e.textContent).slice(0, 24))(document.activeElement)"
            )
        )
        unmarked = page.js(
            "(e => getComputedStyle(e).outlineStyle === 'none' ? e.outerHTML.slice(0, 200) : null)(document.activeElement)"
        )
        assert unmarked is None
    assert {"A.skip", "BUTTON.theme", "svg.latency-svg", "svg.timeline-svg", "BUTTON.Server", "BUTTON.more"} <= reached


def test_screenshots_for_review(show: Open) -> None:
    """Leaves pictures where HALFOPEN_SCREENSHOTS says; always proves that each variant draws something of its own."""
    folder = os.environ.get("HALFOPEN_SCREENSHOTS")
    pictures = {}
    for name in ("rich", "empty", "flood"):
        for width in (360, 1280):
            for dark in (False, True):
                page = show(SAMPLES[name](), width=width, dark=dark)
                picture = pictures[f"{name}-{width}-{'dark' if dark else 'light'}"] = page.screenshot()
                assert picture.startswith(b"\x89PNG")
    assert len(set(pictures.values())) == len(pictures)
    for name, picture in pictures.items() if folder else ():
        Path(str(folder)).mkdir(parents=True, exist_ok=True)
        (Path(str(folder)) / f"{name}.png").write_bytes(picture)
