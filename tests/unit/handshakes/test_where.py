"""The text of ``--where``: what it becomes, what is refused and where."""

from __future__ import annotations

import pytest

from halfopen.errors import WhereError
from halfopen.handshakes.where import MAX_DEPTH, MAX_LENGTH, parse_where

PROGRAMS = {
    'outcome != "established" and server_port == 443': """
        field 1 outcome
        text 12 established
        compare 1 !=
        field 30 server_port
        int 45 443
        compare 30 ==
        and 1 2""",
    "  1 < handshake_us <= 2e3 ": """
        int 3 1
        field 7 handshake_us
        compare 3 <
        field 7 handshake_us
        float 23 2000.0
        compare 7 <=
        and 3 2""",
    "not ('port_reused' in anomalies or simultaneous)": """
        text 6 port_reused
        field 23 anomalies
        compare 6 in
        field 36 simultaneous
        or 6 2
        not 1""",
    "client_options.mss is not None": """
        field 1 client_options.mss
        null 27
        compare 1 is_not""",
    "server_port not in [80, -1, 1.5]": """
        field 1 server_port
        int 21 80
        int 25 -1
        float 29 1.5
        list 20 3
        compare 1 not_in""",
    "simultaneous == true or False or null": """
        field 1 simultaneous
        true 17
        compare 1 ==
        false 25
        null 34
        or 1 3""",
    '"é😀" in\nsource': """
        text 1 é😀
        field 9 source
        compare 1 in""",
    r'source == "a\\b\n c\r"': r"""
        field 1 source
        text 11 a\\b\n c\r
        compare 1 ==""",
}

REFUSALS = {
    "": (1, "it is empty"),
    " \n": (1, "it is empty"),
    "a && b": (4, "`and`, `or` and `not` are words here"),
    "a or f(x)": (6, "functions cannot be called"),
    "é == 1 and a + 1 == 2": (12, "there is no arithmetic (and `and`, `or` are words)"),
    "a[1]": (1, "there are no subscripts: a member is written `client_options.mss`"),
    "(a := 1)": (2, "nothing can be assigned: equality is `==`"),
    'f"x"': (1, "text is plain: there are no f-strings"),
    "a if b else c": (1, "there is no `if`"),
    "lambda: 1": (1, "functions cannot be defined"),
    "[x for x in y]": (1, "this is no part of a condition"),
    "a.b.c == 1": (1, "there is no such field"),
    "a == b'x'": (6, "a literal is a number, quoted text, True, False or None"),
    "a == 1j": (6, "a literal is a number, quoted text, True, False or None"),
    "a == 1e999": (6, "no field holds a number of that size"),
    "a == 9223372036854775808": (6, "no field holds a number of that size"),
    "a == -True": (6, "only a number can have a sign"),
    "~a": (1, "only a number can have a sign"),
    "-a == 1": (1, "only a number can have a sign"),
    r'a == "\ud800"': (6, "half of a surrogate pair is no text"),
    "x" * (MAX_LENGTH + 1): (MAX_LENGTH + 1, f"it is longer than {MAX_LENGTH} characters"),
}

#: What Python's own parser finds; each version points at a slightly different place.
UNREADABLE = {
    'outcome = "x"': "equality is `==`",
    "server_port = 443": "equality is `==`",
    " (a": "'(' was never closed",
    "a) or (b": "unmatched ')'",
    "a b": "invalid syntax",
    "import os": "invalid syntax",
    "a\0b": "source code string cannot contain null bytes",
    "(" * 500 + "a" + ")" * 500: "too many nested parentheses",
}


@pytest.mark.parametrize("text", PROGRAMS)
def test_a_condition_becomes_a_program(text: str) -> None:
    lines = [line.removeprefix("        ") for line in PROGRAMS[text].strip("\n").split("\n")]
    assert parse_where(text).split("\n") == [*lines, ""]


@pytest.mark.parametrize("text", REFUSALS, ids=lambda text: text[:20])
def test_what_is_no_condition_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(WhereError) as raised:
        parse_where(text)
    assert (raised.value.column, raised.value.why) == REFUSALS[text]
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize("text", UNREADABLE, ids=lambda text: text[:20])
def test_what_python_cannot_read_is_refused_in_our_words(text: str) -> None:
    with pytest.raises(WhereError) as raised:
        parse_where(text)
    assert raised.value.why == UNREADABLE[text]
    assert 1 <= raised.value.column <= len(text) + 1


def test_the_sentence_names_the_column() -> None:
    with pytest.raises(WhereError, match=r"^cannot understand the condition at column 6: functions cannot be called$"):
        parse_where("a or f(x)")


def test_the_largest_condition_is_still_read() -> None:
    clauses = " or ".join(["server_port == 1"] * (MAX_LENGTH // 20))
    assert parse_where(clauses).count("compare") == MAX_LENGTH // 20


def test_nesting_is_bounded_as_in_the_core() -> None:
    assert parse_where("not " * (MAX_DEPTH - 1) + "simultaneous").count("not") == MAX_DEPTH - 1
    with pytest.raises(WhereError, match="nests deeper"):
        parse_where("not " * (MAX_DEPTH + 1) + "simultaneous")


def test_warnings_of_the_parser_are_not_the_users_business() -> None:
    assert "text" in parse_where(r'"\d" in source')
