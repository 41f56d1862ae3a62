"""nginx.conf: the ``listen`` lines of http and stream servers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.lint.document import Document, Listener, Word

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    r"""(?P<skip>\#[^\n]*|[^\S\n]+|\n)|(?P<mark>[{};])|"(?P<double>(?:[^"\\]|\\.)*)"?|'(?P<single>(?:[^'\\]|\\.)*)'?"""
    r"|(?P<word>(?:\$\{\w{1,64}\}|[^\s{};\"'])(?:\$\{\w{1,64}\}|[^\s{};])*)|(?P<other>.)",
    re.DOTALL,
)
DEFAULT_BACKLOG = 511
"""Of nginx on Linux (ngx_http_core_module, listen)."""


def read(path: str, text: str) -> Document:
    """Every ``listen`` that opens a TCP socket."""
    return Document(path, "nginx", listeners=tuple(_listeners(text)))


def _listeners(text: str) -> Iterator[Listener]:
    blocks: list[str] = []
    words: list[Word] = []
    for word, is_mark in _tokens(text):
        if not is_mark:
            words.append(word)
            continue
        if word.text == "{":
            blocks.append(words[0].text if words else "")
        elif word.text == "}":
            blocks[-1:] = []
        elif len(words) > 1 and words[0].text == "listen" and "mail" not in blocks:
            yield from _listen(words, speaks_first="stream" in blocks)
        words = []


def _listen(words: list[Word], *, speaks_first: bool) -> Iterator[Listener]:
    named = [word.text for word in words[1:]]
    if named[0].startswith("unix:") or {"udp", "quic"} & set(named[1:]):
        return
    options = {name: value for name, _, value in (word.partition("=") for word in named[1:])}
    backlog = options.get("backlog", "")
    # -1, like every negative number, is «as much as the kernel allows».
    explicit = re.fullmatch(r"-?\d+", backlog) is not None
    yield Listener(
        "nginx",
        named[0],
        words[0].line,
        words[0].column,
        backlog=int(backlog) if explicit else DEFAULT_BACKLOG,
        explicit=explicit,
        how="`backlog=N` behind `listen`",
        fast_open=int(options["fastopen"]) if options.get("fastopen", "").isdecimal() else None,
        deferred="deferred" in options,
        reads_first=not speaks_first,
    )


def _tokens(text: str) -> Iterator[tuple[Word, bool]]:
    line, begin = 1, 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        found = match.group()
        if kind != "skip":
            said = match[kind] if kind in {"double", "single"} else found
            yield Word(said, line, match.start() - begin + 1), kind == "mark"
        if "\n" in found:
            line += found.count("\n")
            begin = match.start() + found.rindex("\n") + 1
