"""The built page that the package carries: what it was built from, and how data gets into it. Needs no browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from tests.browser import samples

from halfopen.render import html

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
ASSET = ROOT / "src/halfopen/render/assets/report.html"


def data_of(page: str) -> str:
    found = re.findall(r'<script type="application/json" id="report-data">(.*?)</script>', page, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def test_the_built_page_is_made_from_these_sources() -> None:
    """The same sum as in web/vite.config.ts; `make web` renews the page."""
    digest = hashlib.sha256()
    named = ["package-lock.json", "package.json", "report.html", "tsconfig.json", "vite.config.ts"]
    inside = [path.relative_to(WEB).as_posix() for path in (WEB / "src").rglob("*") if path.is_file()]
    for path in sorted([*named, *inside]):
        digest.update(path.encode() + b"\0" + (WEB / path).read_bytes() + b"\0")
    stamp = re.search(r"Sources: sha256 ([0-9a-f]{64})", ASSET.read_text(encoding="utf-8"))
    assert stamp is not None
    assert stamp[1] == digest.hexdigest(), "web/ changed since the page was built: run `make web`"


def test_the_policy_names_the_one_script_and_the_one_style_by_their_hashes() -> None:
    page = ASSET.read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    for tag in ("script", "style"):
        contents = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert len(contents) == 1
        digest = base64.b64encode(hashlib.sha256(contents[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]


def test_the_page_names_no_address_of_the_network() -> None:
    page = ASSET.read_text(encoding="utf-8")
    assert re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]+[^\s\"'`]*", page) == ["http://www.w3.org/2000/svg"], (
        "the SVG namespace is a name"
    )
    assert not re.search(r"<link(?! rel=\"icon\" href=\"data:,\")|@import|url\(", page)


def test_nothing_in_the_data_can_end_its_element() -> None:
    text = data_of(html.render_report(samples.hostile()))
    assert not set(text) & set("<>&\u2028\u2029")
    assert text.isascii()
    assert samples.HOSTILE in json.loads(text)["notices"][0]


def test_integers_that_a_browser_would_round_are_text() -> None:
    kept = json.loads(data_of(html.render_report({"first_ns": 2**53, "packets": 2**53 - 1})))
    assert kept["first_ns"] == str(2**53)
    assert kept["packets"] == 2**53 - 1


def test_numbers_that_json_lacks_are_unknown() -> None:
    assert json.loads(data_of(html.render_report({"a": float("nan"), "b": [float("inf"), 1.5]})))["b"] == [None, 1.5]


def test_what_json_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        html.render_report({"a": object()})


def test_lists_are_bounded() -> None:
    data = samples.many_endpoints()
    data["failed"] *= 1000
    data["ladders"] = [data["ladders"][0] | {"rows": data["ladders"][0]["rows"] * 100}] * 100
    data["notices"] = ["x" * 1_000_000]
    page = html.render_report(data)
    kept = json.loads(data_of(page))
    assert len(kept["endpoints"]) == html.ENDPOINTS_MAX
    assert kept["endpoints_total"] == 65_000
    assert [row["handshakes"] for row in kept["endpoints"]] == sorted(
        (row["handshakes"] for row in kept["endpoints"]), reverse=True
    )
    assert len(kept["failed"]) == html.RECORDS_MAX
    assert len(kept["ladders"]) == html.LADDERS_MAX
    assert kept["ladders"][0]["rows_left_out"] == 100 * len(samples.rich()["ladders"][0]["rows"]) - html.LADDER_ROWS_MAX
    assert len(page) < 6_000_000


def test_the_callers_data_is_left_alone() -> None:
    data = samples.rich()
    before = json.dumps(data)
    html.render_report(data)
    assert json.dumps(data) == before
