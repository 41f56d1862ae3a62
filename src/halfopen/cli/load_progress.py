"""The progress line of a load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import endpoint, grouped

if TYPE_CHECKING:
    from halfopen.model.load import Plan


def progress_words(plan: Plan, attempted: int, established: int, completed: int, failed: int) -> str:
    """«127.0.0.1:80  [#####.....]  51 200 established, 12 under way, 3 failed»."""
    whole = plan.total if plan.rate is None else round(plan.rate * (plan.duration_s or 0))
    under_way = max(0, attempted - completed - failed)
    counts = f"{grouped(established)} established, {grouped(under_way)} under way, {grouped(failed)} failed"
    where = endpoint(plan.address, plan.port)
    return f"{where}  {attempted / whole:4.0%}  {counts}" if whole else f"{where}  {counts}"
