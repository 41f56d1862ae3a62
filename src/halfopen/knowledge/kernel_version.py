"""Kernel releases as numbers that compare.

Stable and vendor kernels carry changes of later ones, so a version only decides about files for a kernel that is not
there. Where the kernel can be asked, it is asked.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Self

_RELEASE = re.compile(r"v?(\d{1,3})\.(\d{1,3})(?:[.\-+~].*)?", re.DOTALL)


class KernelVersion(NamedTuple):
    """The first two numbers of a release: what mainline changes go by."""

    major: int
    minor: int

    def __str__(self) -> str:
        """``6.18``."""
        return f"{self.major}.{self.minor}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """``6.1``, ``v6.1``, ``6.18.44-fc-v669``.

        Raises:
            ValueError: no kernel release.
        """
        match = _RELEASE.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is no kernel release")
        return cls(int(match[1]), int(match[2]))


MEASURED = KernelVersion(6, 18)
"""The kernel (6.18.44) on which defaults, ranges and behaviour of this package were measured."""
