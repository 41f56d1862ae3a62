"""The screen and the ticket of one target: verdict first, commands that can be copied, nothing hostile."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.unit.render.test_doctor import HOSTILE, PLAIN, judged

from halfopen.model.cause import LocalCause
from halfopen.model.finding import Evidence, Remedy
from halfopen.model.handshake import Handshake
from halfopen.model.probe import ProbeResult
from halfopen.model.target import Target
from halfopen.model.verdict import Packets, TargetReport, Verdict
from halfopen.render.causes import WORDS, cause_lines
from halfopen.render.doctor_markdown import render_markdown
from halfopen.render.doctor_target import render_target

COMMANDS = (
    "cat /proc/{1,2}/task/*/wchan",
    "ss -Htan 'dst 10.0.0.5 and dport = :80' | wc -l",
    "halfopen doctor [2001:db8::9]:443",
    "iptables -t filter -I INPUT -p tcp -d 10.0.0.5 --dport 80 -j ACCEPT",
)


def report(text: str, *steps: str, check: str | None = None) -> TargetReport:
    row = Handshake("probe", 0, "10.0.0.1", 1, "10.0.0.5", 80, "timeout", syn_sent=3, connect_us=3e6)
    target = Target("db", 80)
    remedy = Remedy(text, (), (text,))
    causes = tuple(
        LocalCause("filter", verdict, text, (Evidence(text, text, text, text),), remedy, text) for verdict in WORDS
    )
    verdict = Verdict("silent_drop", text, (text,), "critical", text, steps, check, ("HO101",))
    packets = Packets(1, 0, {"unanswered": 1}, 1, 0, sentences=(text,), file=text)
    results = (ProbeResult(row, target, 1, "timeout"),)
    return TargetReport(
        target, ("10.0.0.5",), own=True, place=text, results=results, causes=causes, verdict=verdict, packets=packets
    )


def test_commands_of_a_ticket_can_be_copied() -> None:
    text = render_markdown(
        judged({}), report("It is so.", *(f"Do this: `{one}`." for one in COMMANDS), check=COMMANDS[1])
    )
    for command in COMMANDS:
        assert f"- do: Do this: `{command}`." in text
    assert "## silent drop: db:80\n\nIt is so. (HO101)\n" in text
    assert "- check: `ss -Htan 'dst 10.0.0.5 and dport = :80' | wc -l`" in text


def test_screen_and_ticket_have_the_words_of_probe() -> None:
    one = report("It is so.", "Do this.", check="ss")
    screen, ticket = render_target(one, 100, PLAIN), render_markdown(judged({}), one)
    probe = "\n".join(cause_lines(one.causes, 100, PLAIN))
    for word, _ in WORDS.values():
        assert f"\n- {word}: It is so." in ticket
        assert re.search(rf"^ *{word}  It is so\.", screen, re.MULTILINE)
        assert re.search(rf"^ *{word} +It is so\.", probe, re.MULTILINE)
    assert re.search(r"^ +check  `ss`$", screen, re.MULTILINE)


def test_nothing_hostile_is_acted_on() -> None:
    one = report(HOSTILE, HOSTILE, f"`{HOSTILE}`", check=HOSTILE)
    screen, ticket = render_target(one, 100, PLAIN), render_markdown(judged({}), one)
    for text in (screen, ticket):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", text)
        text.encode()
    outside_code = re.sub(r"``+ .*? ``+|`[^`]*`", "", ticket)
    assert "<script>" not in outside_code
    assert not re.search(r"(?<!\\)\[x", outside_code)


def test_a_rule_s_text_with_ticks_of_its_own_is_no_markup() -> None:
    text = 'The rule «comment "`<b>`"» drops it: `nft list ruleset`.'
    ticket = render_markdown(judged({}), replace(report("x"), verdict=Verdict("silent_drop", text)))
    assert "<b>" not in ticket
