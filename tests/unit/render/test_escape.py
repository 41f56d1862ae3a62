"""Foreign text can neither act on a terminal nor imitate other text."""

from __future__ import annotations

import unicodedata

import pytest

from halfopen.render.escape import escape_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 日本.pcap", "plain é 日本.pcap"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("title\x1b]0;x\x07", "title\\x1b]0;x\\x07"),
        ("line\nbreak\r\ttab", "line\\x0abreak\\x0d\\x09tab"),
        ("c1 \x9b31m", "c1 \\x9b31m"),
        ("right\u202eleft", "right\\u202eleft"),
        ("iso\u2066late\u2069", "iso\\u2066late\\u2069"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("undecodable \udcff byte", "undecodable \\xff byte"),
        ("lone \ud800", "lone \\ud800"),
        ("real \\x1b", "real \\\\x1b"),
        ("", ""),
    ],
)
def test_escape(text: str, shown: str) -> None:
    assert escape_text(text) == shown


def test_no_control_and_no_invisible_format_character_survives() -> None:
    # Two scripts write with format characters: Arabic number signs and Egyptian hieroglyph joiners are visible.
    visible = {"ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN", "SHORTHAND", "MUSICAL"}
    for code in range(0x110000):
        shown = escape_text(chr(code))
        for character in shown:
            category = unicodedata.category(character)
            named = unicodedata.name(character, "").partition(" ")[0] in visible
            assert category not in {"Cc", "Cs", "Zl", "Zp"}, hex(code)
            assert category != "Cf" or named, hex(code)


def test_escaped_text_can_be_encoded() -> None:
    assert escape_text("".join(map(chr, range(0xD800, 0xE000)))).encode().isascii()
