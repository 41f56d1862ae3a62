"""nft's language as words with their place: what ``nft list ruleset`` prints and what its files hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A line that ends in a backslash goes on; blanks and comments separate; quoted text is one word. A word ends where
#: punctuation that means something begins; «!=» and «==» stay whole.
_WORD = re.compile(
    r"(?P<skip>[ \t\r]+|\\\r?\n|\#[^\n]*)"
    r'|(?P<quoted>"[^"\n]*"?)'  # no escapes: a quotation cannot hold its own mark
    r"|(?P<end>[\n;])"
    r"|(?P<mark>!=|==|<=|>=|[{}()|,&=!<>^])"
    r'|(?P<word>[^\s"{}();|,&=!<>^#]+)'
    r"|(?P<other>.)"
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word, or one mark of punctuation; ``\\n`` and ``;`` end a statement."""

    text: str
    line: int
    column: int
    start: int
    """Offset in the text."""
    end: int
    quoted: bool = False

    @property
    def ends(self) -> bool:
        """Whether a statement ends here."""
        return not self.quoted and self.text in {"\n", ";"}

    def is_mark(self, mark: str) -> bool:
        """Whether this is the punctuation ``mark``, and not quoted text that looks like it."""
        return not self.quoted and self.text == mark


def words(text: str) -> Iterator[Word]:
    """Every word of ``text``; nothing is an error here."""
    line, begin = 1, 0
    for match in _WORD.finditer(text):
        found, kind = match.group(), match.lastgroup
        if kind != "skip":
            quoted = kind == "quoted"
            shown = found[1:].removesuffix('"') if quoted else found
            yield Word(shown, line, match.start() - begin + 1, match.start(), match.end(), quoted)
        if "\n" in found:
            line += 1
            begin = match.end()
