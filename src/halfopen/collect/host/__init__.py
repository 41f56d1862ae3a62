"""What is read once for the whole host, one collector a file; ``HOST`` is the only list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.collect.host import facts, kernel_log, setting_files, shared

if TYPE_CHECKING:
    from halfopen.collect.framework import Collector, Context

HOST: tuple[Collector[Context], ...] = (
    facts.COLLECTOR,
    shared.COLLECTOR,
    setting_files.COLLECTOR,
    kernel_log.COLLECTOR,
)
