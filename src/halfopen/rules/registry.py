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
from halfopen.rules.ho301_ports_exhausted import PortsExhausted
from halfopen.rules.ho302_ports_past_half import PortsPastHalf
from halfopen.rules.ho303_ports_running_out import PortsRunningOut
from halfopen.rules.ho304_closes_first import ClosesFirst
from halfopen.rules.ho305_bind_before_connect import BindBeforeConnect
from halfopen.rules.ho306_unanswered_destination import UnansweredDestination
from halfopen.rules.ho307_syn_retransmissions import SynRetransmissions
from halfopen.rules.ho308_poisoned_metrics import PoisonedMetrics
from halfopen.rules.ho309_failing_connects import FailingConnects
from halfopen.rules.ho310_port_range_small import PortRangeSmall

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
    PortsExhausted(),
    PortsPastHalf(),
    PortsRunningOut(),
    ClosesFirst(),
    BindBeforeConnect(),
    UnansweredDestination(),
    SynRetransmissions(),
    PoisonedMetrics(),
    FailingConnects(),
    PortRangeSmall(),
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
