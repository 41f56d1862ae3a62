"""The page as a whole: it fits, it is safe, it can be read in any light, on paper and without a mouse."""

from __future__ import annotations

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


@pytest.mark.parametrize("width", [360, 800, 1600])
@pytest.mark.parametrize("sample", SAMPLES)
def test_the_page_is_never_wider_than_the_window(show: Open, sample: str, width: int) -> None:
    page = show(SAMPLES[sample](), width=width)
    assert page.js("document.documentElement.scrollWidth") <= width
    outside = page.js("""[...document.querySelectorAll('main *, header *, nav *')]
      .filter(e => !e.closest('.scroll') && e.getBoundingClientRect().right > innerWidth + 1)
      .map(e => e.outerHTML.slice(0, 80))""")
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
    ran = page.js("""new Promise(done => {
      document.addEventListener('securitypolicyviolation', e => done(e.effectiveDirective), {once: true});
      const intruder = document.createElement('script');
      intruder.textContent = 'window.ran = true';
      document.body.append(intruder);
      if (window.ran) done('it ran');
    })""")
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
      const linear = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
      const luminance = colour => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(linear);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ground = luminance(getComputedStyle(document.body).backgroundColor);
      const ratio = ink => (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
      const holdsText = e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
      return Math.min(...[...document.querySelectorAll('body :not(script, style, noscript, title)')].filter(holdsText)
        .map(e => ratio(luminance(getComputedStyle(e)[e.namespaceURI.includes('svg') ? 'fill' : 'color']))));
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


def test_nothing_is_cut_off_on_a4_paper(show: Open) -> None:
    page = show(samples.rich(), width=702)  # 210 mm less 2 × 12 mm of margin, at 96 pixels an inch
    page.media(kind="print")
    page.settle()
    cut = page.js("""[...document.querySelectorAll('main td, main th, main svg')]
      .filter(e => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)
      .map(e => `${e.textContent.slice(0, 40)} ${e.getBoundingClientRect().right}`)""")
    assert cut == []


def test_every_control_is_reached_by_the_keyboard_with_a_visible_focus(show: Open) -> None:
    page = show(samples.rich())
    reached = set()
    for _ in range(200):
        page.key("Tab")
        if page.js("document.activeElement === document.body"):
            break  # past the last
        focused, outline, markup = page.js("""(e => [
          `${e.tagName}.${(e.getAttribute('class') ?? e.textContent).slice(0, 24)}`,
          getComputedStyle(e).outlineStyle,
          e.outerHTML.slice(0, 200),
        ])(document.activeElement)""")
        reached.add(focused)
        assert outline != "none", markup
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
