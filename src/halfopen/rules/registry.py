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
from halfopen.rules.ho201_key_not_here import KeyNotHere
from halfopen.rules.ho202_syn_backlog import SynBacklog
from halfopen.rules.ho203_fin_timeout import FinTimeout
from halfopen.rules.ho204_time_wait_buckets import TimeWaitBuckets
from halfopen.rules.ho205_timestamps_off import TimestampsOff
from halfopen.rules.ho206_tw_reuse import TwReuseWithoutEffect
from halfopen.rules.ho207_syncookies_off import SyncookiesOff
from halfopen.rules.ho208_syncookies_always import SyncookiesAlways
from halfopen.rules.ho209_rfc1337 import Rfc1337
from halfopen.rules.ho210_syn_retries import SynRetries
from halfopen.rules.ho211_port_range_services import PortRangeServices
from halfopen.rules.ho212_reserved_truncated import ReservedTruncated
from halfopen.rules.ho213_setting_overridden import SettingOverridden
from halfopen.rules.ho214_skipped_at_boot import SkippedAtBoot
from halfopen.rules.ho215_nonsense_value import NonsenseValue
from halfopen.rules.ho216_namespace_tuning import NamespaceTuning
from halfopen.rules.ho219_synack_retries import SynackRetries
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
from halfopen.rules.ho401_syn_limit import SynLimit
from halfopen.rules.ho402_spoofed_flood import SpoofedFlood
from halfopen.rules.ho403_cookie_overload import CookieOverload
from halfopen.rules.ho405_failing_cookies import FailingCookies
from halfopen.rules.ho406_flooding_in_log import FloodingInLog
from halfopen.rules.ho501_fast_open_half import FastOpenHalf
from halfopen.rules.ho502_fast_open_asked import FastOpenAsked
from halfopen.rules.ho503_fast_open_overflow import FastOpenOverflow
from halfopen.rules.ho504_fast_open_black_hole import FastOpenBlackHole
from halfopen.rules.ho505_fast_open_cookies import FastOpenCookies
from halfopen.rules.ho601_conntrack_small import ConntrackSmall
from halfopen.rules.ho602_reverse_path import ReversePath
from halfopen.rules.ho603_synproxy import Synproxy
from halfopen.rules.ho604_conntrack_full import ConntrackFull
from halfopen.rules.ho605_syns_dropped import SynsDropped
from halfopen.rules.ho606_no_route_back import NoRouteBack
from halfopen.rules.ho607_other_drops import OtherDrops
from halfopen.rules.ho701_close_wait import CloseWait
from halfopen.rules.ho702_fin_wait2 import FinWait2
from halfopen.rules.ho703_orphans import Orphans
from halfopen.rules.ho704_memory import Memory
from halfopen.rules.ho901_not_seen import NotSeen
from halfopen.rules.ho902_snapshots_misfit import SnapshotsMisfit

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
    KeyNotHere(),
    SynBacklog(),
    FinTimeout(),
    TimeWaitBuckets(),
    TimestampsOff(),
    TwReuseWithoutEffect(),
    SyncookiesOff(),
    SyncookiesAlways(),
    Rfc1337(),
    SynRetries(),
    PortRangeServices(),
    ReservedTruncated(),
    SettingOverridden(),
    SkippedAtBoot(),
    NonsenseValue(),
    NamespaceTuning(),
    SynackRetries(),
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
    SynLimit(),
    SpoofedFlood(),
    CookieOverload(),
    FailingCookies(),
    FloodingInLog(),
    FastOpenHalf(),
    FastOpenAsked(),
    FastOpenOverflow(),
    FastOpenBlackHole(),
    FastOpenCookies(),
    ConntrackSmall(),
    ReversePath(),
    Synproxy(),
    ConntrackFull(),
    SynsDropped(),
    NoRouteBack(),
    OtherDrops(),
    CloseWait(),
    FinWait2(),
    Orphans(),
    Memory(),
    NotSeen(),
    SnapshotsMisfit(),
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
