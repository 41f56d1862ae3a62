"""The doctor's three outputs: what is said, what is left out, and that nothing a host wrote gets through."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.rules.notation import snapshots

from halfopen.model.diagnosis import Diagnosis
from halfopen.model.finding import Change, Evidence, Finding, Remedy, Subject
from halfopen.model.snapshot import Unavailable
from halfopen.render.doctor import render_doctor
from halfopen.render.doctor_json import doctor_object, timestamp
from halfopen.render.doctor_markdown import render_markdown
from halfopen.render.findings import change_words, evidence_words, subject_words
from halfopen.render.gaps import gap_sentences
from halfopen.render.layout import Paint
from halfopen.rules import diagnose

#: Parts without which HO901 says that they could not be read.
SEEN: dict[str, Any] = {"sysctls": {"tcp_syncookies": 1}, "counters": {"ListenDrops": 0}}
PLAIN = Paint(on=False)
FULL = {
    "sysctls": {"net.core.somaxconn": 128},
    "counters": {"ListenOverflows": 20, "ListenDrops": 20},
    "listeners": [{"at": "0.0.0.0:80", "limit": 128, "drops": 20, "by": "nginx"}],
}
BEFORE = {
    "counters": {"ListenOverflows": 5, "ListenDrops": 5},
    "listeners": [{"at": "0.0.0.0:80", "limit": 128, "drops": 5, "by": "nginx"}],
}
#: Colours, cursor movement, a line end, a right-to-left override, invalid UTF-8, HTML, Markdown.
HOSTILE = "\x1b[2J\x1b]0;x\x07a\nb\r\u202ec\udcff<script>|`*_[x](y)"


def judged(now: dict[str, Any], before: dict[str, Any] | None = None) -> Diagnosis:
    return diagnose(*snapshots({"now": now} if before is None else {"now": now, "before": before}))


def screen(diagnosis: Diagnosis, width: int = 100, *, verbose: bool = False) -> str:
    return render_doctor(diagnosis, width, PLAIN, verbose=verbose)


def hostile() -> Diagnosis:
    subject = Subject("listener", HOSTILE, HOSTILE, process=HOSTILE)
    remedy = Remedy(HOSTILE, (Change("sysctl", HOSTILE, HOSTILE, HOSTILE, HOSTILE),), (HOSTILE,))
    evidence = (Evidence(HOSTILE, HOSTILE, HOSTILE, HOSTILE), Evidence(HOSTILE, 1, HOSTILE, HOSTILE))
    finding = Finding("HO101", "x", "critical", "failing", subject, HOSTILE, evidence, remedy, HOSTILE)
    gap = Unavailable(HOSTILE, HOSTILE, HOSTILE)
    return Diagnosis(HOSTILE, 0, HOSTILE, findings=(finding,) * 5, unavailable=(gap,) * 7)


def test_a_finding_says_who_what_how_do_and_check() -> None:
    text = " ".join(screen(judged(FULL, BEFORE)).split())
    assert text.startswith(
        "web-1: Linux 6.18.44, up 93 d 0 h; 1 network namespace, 1 listener and 0 other TCP sockets; "
    )
    assert "Found: 1 critical." in text
    assert "CRITICAL 0.0.0.0:80 (nginx) (HO101 accept-queue-overflow; connections fail)" in text
    assert "packets dropped at this socket in 10 s: 15 packets" in text
    assert "do Raise net.core.somaxconn to 1024, then restart nginx." in text
    assert "`sysctl -w net.core.somaxconn=1024` (now 128)" in text
    assert "check `ss -ltnm 'sport = :80'`" in text
    assert "One snapshot" not in text


def test_a_quiet_host_gets_a_calm_answer() -> None:
    text = screen(judged({**SEEN, "listeners": [{"at": "0.0.0.0:22", "by": "sshd"}]}))
    assert "Nothing is wrong with connections, as far as this host shows." in text
    assert len(text.splitlines()) <= 6


def test_remarks_can_be_left_out_and_gaps_cannot() -> None:
    diagnosis = judged({**SEEN, "listeners": [{"at": "0.0.0.0:22", "by": "sshd"}]})
    with_gap = replace(diagnosis, unavailable=(Unavailable("conntrack", "it is not loaded", "conntrack"),))
    assert "One snapshot" in render_doctor(with_gap, 100, PLAIN)
    quiet = render_doctor(with_gap, 100, PLAIN, remarks=False)
    assert "One snapshot" not in quiet
    assert "conntrack" in quiet


def test_below_a_verdict_nothing_is_called_fine() -> None:
    quiet = judged({**SEEN, "listeners": [{"at": "0.0.0.0:22", "by": "sshd"}]})
    noticed = judged({**SEEN, "sysctls": {"tcp_abort_on_overflow": 1}})
    texts = [render_doctor(diagnosis, 100, PLAIN, below_verdict=True) for diagnosis in (quiet, noticed)]
    assert "Beside that, no rule finds anything that concerns it." in texts[0]
    assert "Beside that: 1 notice." in texts[1]
    assert not any("Nothing is" in text for text in texts)


def test_notices_alone_are_said_to_be_no_failure_and_told_briefly() -> None:
    text = screen(judged({**SEEN, "sysctls": {"tcp_abort_on_overflow": 1}}))
    assert "Nothing is failing; 1 notice." in text
    assert "known by" not in text
    assert "known by" in screen(judged({**SEEN, "sysctls": {"tcp_abort_on_overflow": 1}}), verbose=True)


def test_many_findings_of_one_rule_are_summed_up() -> None:
    rows = [{"at": f"0.0.0.0:{port}", "queue": 6, "limit": 5, "by": "app"} for port in range(1, 9)]
    text = screen(judged({**SEEN, "listeners": rows}))
    assert text.count("CRITICAL") == 3
    assert "HO101 accept-queue-overflow: also 0.0.0.0:4 (app), 0.0.0.0:5 (app), 0.0.0.0:6 (app) and 2 more." in text
    assert screen(judged({**SEEN, "listeners": rows}), verbose=True).count("CRITICAL") == 8


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_fit(width: int) -> None:
    lines = screen(judged(FULL, BEFORE), width).splitlines()
    assert max(map(len, lines)) <= width


def test_colour_adds_nothing_but_colour() -> None:
    diagnosis = judged(FULL, BEFORE)
    coloured = render_doctor(diagnosis, 100, Paint(on=True))
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == screen(diagnosis)


def test_the_first_step_is_the_brightest_line_and_no_command_is_dim() -> None:
    lines = render_doctor(judged(FULL, BEFORE), 100, Paint(on=True)).splitlines()
    step = next(line for line in lines if "  do  " in line)
    assert step.startswith("\x1b[1m")
    assert step.endswith("then restart nginx.\x1b[0m")
    check = next(line for line in lines if " check  " in line)
    assert "\x1b" not in check


def test_nothing_hostile_reaches_the_terminal_or_a_ticket() -> None:
    for text in (screen(hostile()), screen(hostile(), verbose=True), render_markdown(hostile())):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", text)
        text.encode()


def test_nothing_hostile_is_markup_in_a_ticket() -> None:
    text = render_markdown(hostile())
    # A code span of Markdown may not be longer than its paragraph: here, its line.
    outside_code = "\n".join(re.sub(r"``+ .*? ``+|(?<!\\)`[^`]*`", "", line) for line in text.splitlines())
    assert "<script>" not in outside_code
    assert not re.search(r"(?<!\\)\[x", outside_code)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}


def test_a_command_in_a_ticket_can_be_copied() -> None:
    row = {"at": "0.0.0.0:80", "queue": 6, "limit": 5, "by": "app", "queued": {"established": 6, "oldest_ms": 9000}}
    assert "`grep . /proc/812/task/*/wchan`" in render_markdown(judged({**SEEN, "listeners": [row]}))


@pytest.mark.parametrize("name", ["a`<b>", "``<b>``", "`<b>"])
def test_back_ticks_of_a_name_make_no_code(name: str) -> None:
    subject = Subject("listener", "x", "host")
    text = render_markdown(Diagnosis("h", 0, "6", findings=(Finding("HO1", "x", "notice", "risk", subject, name),)))
    assert "\\<b\\>" in text


def test_json_is_ascii_whatever_the_host_wrote() -> None:
    assert json.loads(json.dumps(doctor_object(hostile())))["host"] == HOSTILE


def test_the_object_has_the_promised_fields() -> None:
    document = doctor_object(judged(FULL, BEFORE))
    assert document["schema"] == "halfopen.doctor/1"
    assert (document["host"], document["taken_at"]) == ("web-1", "2025-10-09T08:53:20.000Z")
    assert document["interval_s"] == 10
    assert document["unavailable"] == []
    finding = document["findings"][0]
    assert {
        "code",
        "name",
        "severity",
        "subject",
        "evidence",
        "cause",
        "remedy",
        "confirm",
        "proof",
        "confidence",
    } <= set(finding)
    assert "file" not in finding
    assert doctor_object(judged(FULL))["interval_s"] is None


def test_a_time_that_no_calendar_has() -> None:
    assert timestamp(10**30) is None
    assert timestamp(1_500_000) == "1970-01-01T00:00:00.001Z"


def test_markdown_has_a_section_a_finding() -> None:
    text = render_markdown(judged(FULL, BEFORE))
    assert "## critical: 0.0.0.0:80 (nginx)" in text
    assert "| accept queue: 0 connections | `sock_diag idiag_rqueue` |" in text
    assert "Check: `ss -ltnm 'sport = :80'`" in text


def test_words() -> None:
    assert subject_words(Subject("namespace", "host", "host")) == "this host"
    assert subject_words(Subject("namespace", "blue", "blue")) == "network namespace blue"
    assert subject_words(Subject("listener", "0.0.0.0:80", "blue")) == "0.0.0.0:80 in blue"
    assert evidence_words(Evidence("oldest", 42000, "ms")) == "oldest: 42 s"
    assert evidence_words(Evidence("limit", 1, "connections")) == "limit: 1 connection"
    assert evidence_words(Evidence("net.x", "0", None, "/proc/sys/net/x")) == "net.x = 0"
    assert evidence_words(Evidence("drops", None)) == "drops: —"
    assert evidence_words(Evidence("rate", 1.5, "per second")) == "rate: 1.5 per second"
    assert change_words(Change("sysctl", "net.x", None, "1", "blue")) == "remove net.x (now 1) in blue"
    typed = Change("sysctl", "net.x", "2", "1", "blue", "ip netns exec blue sysctl -w net.x=2")
    assert change_words(typed) == "`ip netns exec blue sysctl -w net.x=2` (now 1)"


def test_one_trouble_of_many_namespaces_is_one_sentence() -> None:
    everything = "everything in this network namespace"
    gaps = [Unavailable(everything, "it is gone", f"b\x1b{number}") for number in range(5)]
    gaps += [Unavailable("rules of nftables", "nft is not installed", name) for name in ("host", "blue")]
    gaps.append(Unavailable(everything, "it hangs", "red"))
    assert gap_sentences(gaps) == [
        "not available: everything in network namespaces b\\x1b0, b\\x1b1, b\\x1b2 and 2 more, because it is gone",
        "not available: rules of nftables in host and blue, because nft is not installed",
        "not available: everything in network namespace red, because it hangs",
    ]


def test_gaps_are_named_and_bounded() -> None:
    gaps = tuple(Unavailable(f"part {i}", "CAP_NET_ADMIN is missing", "blue") for i in range(7))
    text = screen(replace(judged({}), unavailable=gaps))
    assert "not available: part 0 in blue, because CAP_NET_ADMIN is missing" in text
    assert "and 2 more gaps" in text


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (
            {**SEEN, "blind": True},
            "In what could be seen, nothing is failing; 1 notice. Not seen: sockets of the host.",
        ),
        (
            {"counters": {"ListenDrops": 0}, "listeners": [{"at": "0.0.0.0:80", "queue": 6, "limit": 5}]},
            "Found: 1 critical and 1 notice. Not seen: settings of the host.",
        ),
        (
            {},
            "This host could not be examined: too little was read to say whether connections fail. Not seen: counters",
        ),
    ],
)
def test_the_summary_promises_no_more_than_was_seen(now: dict[str, Any], says: str) -> None:
    for text in (screen(judged(now)), render_markdown(judged(now))):
        assert says in " ".join(text.split())
        assert "Nothing is" not in text


def test_what_is_hidden_limits_a_calm_answer_and_is_said_of_the_worst_only() -> None:
    now, _ = snapshots({"now": {**SEEN, "listeners": [{"at": "0.0.0.0:22", "by": "sshd"}]}})
    gaps = tuple(Unavailable(f"x{n}", "no", None, f"place {n} \x1b") for n in range(6))
    text = " ".join(screen(diagnose(replace(now, unavailable=gaps))).split())
    assert "In what could be seen, nothing is wrong with connections. Not seen: place 0 \\x1b; place 1 \\x1b; " in text
    assert "place 3 \\x1b; 2 more." in text
