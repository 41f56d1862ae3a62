"""What a link with faults did, as a person reads it."""

from __future__ import annotations

from halfopen.model.experiment import Deed, ExperimentResult, LinkReport, Way
from halfopen.render.lab import render_markdown, render_result
from halfopen.render.links import link_table

WAYS = (Way("client", "server", 9, 7), Way("server", "client", 6, 6))


def dropped(at_s: float, port: int = 40000, did: str = "drop syn first=1") -> Deed:
    return Deed(at_s, "client", "syn", f"192.0.2.1:{port}", "192.0.2.2:8000", 1, did)


def test_a_row_for_each_connection_and_deed() -> None:
    link = LinkReport(WAYS, (dropped(0.1), dropped(0.2, 40001), dropped(1.1), dropped(1.2, did="lost")))
    table = link_table(link)
    assert table.title == "What the link did (client → server: 9 came in, 7 out; server → client: 6 came in, 6 out)"
    assert table.rows == (
        ("drop syn first=1", "SYN 192.0.2.1:40000 → 192.0.2.2:8000", 2, "0.10, 1.10"),
        ("drop syn first=1", "SYN 192.0.2.1:40001 → 192.0.2.2:8000", 1, "0.20"),
        ("lost", "SYN 192.0.2.1:40000 → 192.0.2.2:8000", 1, "1.20"),
    )


def test_many_connections_share_a_row_and_what_is_left_out_is_counted() -> None:
    link = LinkReport(WAYS, tuple(dropped(port / 100, port) for port in range(100)), 7)
    assert link_table(link).rows == (
        (
            "drop syn first=1",
            "SYN of the client, 100 connections",
            100,
            "0.00, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07 … 0.99",
        ),
        ("and more, to 7 packets", "", 7, ""),
    )


def test_a_link_that_did_nothing_is_one_line() -> None:
    noise = Deed(0.0, "client", "other", None, None, None, "refused")
    result = ExperimentResult("x", "X", "Claim.", "passed", links=(LinkReport(WAYS, (noise,)),))
    text = render_result(result, width=140)
    assert "none was dropped or changed)\n" in text
    assert "packets  at" not in text
    assert "| done |" not in render_markdown(result)


def test_the_story_ends_with_what_the_link_did() -> None:
    result = ExperimentResult("x", "X", "Claim.", "passed", links=(LinkReport(WAYS, (dropped(0.1),)),))
    assert "drop syn first=1  SYN 192.0.2.1:40000 → 192.0.2.2:8000        1  0.10" in render_result(result)
    assert "| drop syn first=1 | SYN 192.0.2.1:40000 → 192.0.2.2:8000 | 1 | 0.10 |" in render_markdown(result)
