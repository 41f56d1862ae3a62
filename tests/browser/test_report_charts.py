"""What is drawn equals the data: bars, histograms, curves, the timeline, ladders."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from tests.browser import samples
from tests.browser.chromium import Page

Open = Callable[..., Page]


def grouped(n: int) -> str:
    return f"{n:,}".replace(",", " ")


def test_outcome_bars_have_the_counts_and_lengths_of_the_data(show: Open) -> None:
    data = samples.rich()
    page = show(data)
    drawn = page.js("""Object.fromEntries([...document.querySelectorAll('[data-outcome]')].map(row => {
      const width = part => row.querySelector(part).getBoundingClientRect().width;
      return [row.dataset.outcome, [row.cells[1].textContent, width('.fill') / width('.track')]];
    }))""")
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
    table = page.js("""Object.fromEntries([...document.querySelectorAll('.quantiles tbody tr')].map(
      row => [row.dataset.measure, [...row.cells].slice(1).map(cell => cell.textContent)]))""")
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
    strips = page.js("""Object.fromEntries([...document.querySelectorAll('.strip')].map(
      strip => [strip.dataset.key, +strip.querySelector('.bars').dataset.total]))""")
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


def test_packets_that_were_left_out_are_a_gap(show: Open) -> None:
    data = samples.rich()
    rows = data["ladders"][0]["rows"]
    rows.insert(2, {"left_out": 1204, "left_out_bytes": 9_000_000})
    page = show(data)
    assert "1 204 packets left out, with 9 MB of data" in page.texts("#ladder-0 .silence")
    assert len(page.texts("#ladder-0 .ladder-svg .arrow")) == len(rows) - 1
    assert len(page.texts("#ladder-0 .packets tbody tr")) == len(rows) - 1
