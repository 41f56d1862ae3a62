"""Every rule, in the order of their codes. A rule that is not in this tuple does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.rules.ho101_accept_queue_overflow import AcceptQueueOverflow
from halfopen.rules.ho102_stale_backlog import StaleBacklog
from halfopen.rules.ho103_dead_entries import DeadEntries
from halfopen.rules.ho104_slow_accept import SlowAccept
from halfopen.rules.ho105_syn_queue_cookies import SynQueueCookies
from halfopen.rules.ho106_syn_queue_drops import SynQueueDrops
from halfopen.rules.ho107_abort_on_overflow import AbortOnOverflow
from halfopen.rules.ho108_three_quarter_rule import ThreeQuarterRule
from halfopen.rules.ho109_backlog_too_small import BacklogTooSmall
from halfopen.rules.ho110_reuseport_skew import ReuseportSkew
from halfopen.rules.ho111_migrate_req import MigrateReq
from halfopen.rules.ho112_defer_accept import DeferAccept
from halfopen.rules.ho113_somaxconn_low import SomaxconnLow
from halfopen.rules.ho114_stale_half_open import StaleHalfOpen
from halfopen.rules.ho115_half_open_unanswered import HalfOpenUnanswered

if TYPE_CHECKING:
    from halfopen.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    AcceptQueueOverflow(),
    StaleBacklog(),
    DeadEntries(),
    SlowAccept(),
    SynQueueCookies(),
    SynQueueDrops(),
    AbortOnOverflow(),
    ThreeQuarterRule(),
    BacklogTooSmall(),
    ReuseportSkew(),
    MigrateReq(),
    DeferAccept(),
    SomaxconnLow(),
    StaleHalfOpen(),
    HalfOpenUnanswered(),
)

_BY_CODE = {item.code: item for item in RULES}
_BY_NAME = {item.name: item for item in RULES}

FAMILIES: dict[str, str] = {
    "HO1": "queues and listeners",
    "HO2": "settings",
    "HO3": "the client side",
    "HO4": "SYN floods",
    "HO5": "Fast Open",
    "HO6": "packet filter and connection tracking",
    "HO7": "leaks",
    "HO9": "what could not be seen",
}
"""What the first digit of a code means."""


def rule(code: str) -> Rule | None:
    """The rule of that code (``HO101``, ``ho101``) or name (``accept-queue-overflow``)."""
    return _BY_CODE.get(code.upper()) or _BY_NAME.get(code.lower())
