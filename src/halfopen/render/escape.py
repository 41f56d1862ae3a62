"""Text from packets, files and processes made safe to print.

A file name or a process name may hold anything. Whatever could move the cursor, change colours, reorder the line or
imitate other text is written as a visible ``\\xNN``, ``\\uNNNN`` or ``\\UNNNNNNNN``; the backslash itself is
doubled, so that the escaped text is unambiguous.
"""

from __future__ import annotations

import re

#: C0 and C1 controls (ESC and CSI among them), line and paragraph separators, bidirectional controls and marks
#: (UAX #9), zero-width characters and joiners, the byte order mark, interlinear annotations, variation selectors,
#: tag characters, non-characters and lone surrogates (Python's form of undecodable bytes in a file name).
_DANGEROUS = re.compile(
    "[\\\\\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)


def escape_text(text: str) -> str:
    """``text`` on one line, with every character that a terminal would act on made visible."""
    return _DANGEROUS.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code == 0x5C:
        return "\\\\"
    if 0xDC80 <= code <= 0xDCFF:  # os.fsdecode's surrogate for the undecodable byte 0x80..0xFF
        return f"\\x{code - 0xDC00:02x}"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
