"""Every check, in the order of their codes. A check that is not in this tuple does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.checks.ho107_abort_on_overflow import AbortOnOverflow
from halfopen.lint.checks.ho113_somaxconn_low import SomaxconnLow
from halfopen.lint.checks.ho201_key_not_on_this_kernel import KeyNotOnThisKernel
from halfopen.lint.checks.ho202_syn_backlog_without_effect import SynBacklogWithoutEffect
from halfopen.lint.checks.ho203_fin_timeout_is_not_time_wait import FinTimeoutIsNotTimeWait
from halfopen.lint.checks.ho204_time_wait_buckets_lowered import TimeWaitBucketsLowered
from halfopen.lint.checks.ho205_timestamps_off import TimestampsOff
from halfopen.lint.checks.ho206_tw_reuse_without_effect import TwReuseWithoutEffect
from halfopen.lint.checks.ho207_syncookies_off import SyncookiesOff
from halfopen.lint.checks.ho208_syncookies_always import SyncookiesAlways
from halfopen.lint.checks.ho209_rfc1337_set import Rfc1337Set
from halfopen.lint.checks.ho210_retries_last_otherwise import RetriesLastOtherwise
from halfopen.lint.checks.ho211_port_range_over_services import PortRangeOverServices
from halfopen.lint.checks.ho212_reserved_ports_truncated import ReservedPortsTruncated
from halfopen.lint.checks.ho213_setting_overridden import SettingOverridden
from halfopen.lint.checks.ho214_setting_skipped_at_boot import SettingSkippedAtBoot
from halfopen.lint.checks.ho215_nonsense_value import NonsenseValue
from halfopen.lint.checks.ho217_setting_duplicate import SettingDuplicate
from halfopen.lint.checks.ho218_value_refused import ValueRefused
from halfopen.lint.checks.ho219_synack_retries_lowered import SynackRetriesLowered
from halfopen.lint.checks.ho220_port_range_parity import PortRangeParity
from halfopen.lint.checks.ho221_setting_order import SettingOrder
from halfopen.lint.checks.ho222_comment_behind_value import CommentBehindValue
from halfopen.lint.checks.ho223_secret_in_file import SecretInFile
from halfopen.lint.checks.ho224_key_not_to_be_written import KeyNotToBeWritten
from halfopen.lint.checks.ho225_conntrack_time_wait import ConntrackTimeWait
from halfopen.lint.checks.ho226_buffers_out_of_order import BuffersOutOfOrder
from halfopen.lint.checks.ho227_tcp_mem_in_bytes import TcpMemInBytes
from halfopen.lint.checks.ho228_key_without_effect import KeyWithoutEffect
from halfopen.lint.checks.ho310_port_range_small import PortRangeSmall
from halfopen.lint.checks.ho401_syn_limit_for_everybody import SynLimitForEverybody
from halfopen.lint.checks.ho404_connection_limit_shared import ConnectionLimitShared
from halfopen.lint.checks.ho501_fast_open_half_configured import FastOpenHalfConfigured
from halfopen.lint.checks.ho601_conntrack_table_small import ConntrackTableSmall
from halfopen.lint.checks.ho602_reverse_path_filter_strict import ReversePathFilterStrict
from halfopen.lint.checks.ho603_synproxy_incomplete import SynproxyIncomplete
from halfopen.lint.checks.ho801_secrets_in_backup import SecretsInBackup
from halfopen.lint.checks.ho802_restore_of_everything import RestoreOfEverything
from halfopen.lint.checks.ho803_prune_leaves_kinds import PruneLeavesKinds
from halfopen.lint.checks.ho804_capture_misses_handshake import CaptureMissesHandshake
from halfopen.lint.checks.ho805_settings_in_image import SettingsInImage
from halfopen.lint.checks.ho806_host_setting_in_container import HostSettingInContainer
from halfopen.lint.checks.ho811_backlog_above_cap import BacklogAboveCap
from halfopen.lint.checks.ho812_backlog_below_cap import BacklogBelowCap
from halfopen.lint.checks.ho813_backlog_tiny import BacklogTiny
from halfopen.lint.checks.ho814_deferred_accept import DeferredAccept
from halfopen.lint.checks.ho815_fast_open_not_in_kernel import FastOpenNotInKernel
from halfopen.lint.checks.ho821_no_such_label import NoSuchLabel
from halfopen.lint.checks.ho822_not_exported_by_default import NotExportedByDefault
from halfopen.lint.checks.ho823_counter_without_rate import CounterWithoutRate
from halfopen.lint.checks.ho824_drops_counted_twice import DropsCountedTwice
from halfopen.lint.checks.ho825_sockstat_ipv4_only import SockstatIpv4Only
from halfopen.lint.checks.ho831_line_not_understood import LineNotUnderstood

if TYPE_CHECKING:
    from halfopen.lint.check import Check

CHECKS: tuple[Check, ...] = (
    AbortOnOverflow(),
    SomaxconnLow(),
    KeyNotOnThisKernel(),
    SynBacklogWithoutEffect(),
    FinTimeoutIsNotTimeWait(),
    TimeWaitBucketsLowered(),
    TimestampsOff(),
    TwReuseWithoutEffect(),
    SyncookiesOff(),
    SyncookiesAlways(),
    Rfc1337Set(),
    RetriesLastOtherwise(),
    PortRangeOverServices(),
    ReservedPortsTruncated(),
    SettingOverridden(),
    SettingSkippedAtBoot(),
    NonsenseValue(),
    SettingDuplicate(),
    ValueRefused(),
    SynackRetriesLowered(),
    PortRangeParity(),
    SettingOrder(),
    CommentBehindValue(),
    SecretInFile(),
    KeyNotToBeWritten(),
    ConntrackTimeWait(),
    BuffersOutOfOrder(),
    TcpMemInBytes(),
    KeyWithoutEffect(),
    PortRangeSmall(),
    SynLimitForEverybody(),
    ConnectionLimitShared(),
    FastOpenHalfConfigured(),
    ConntrackTableSmall(),
    ReversePathFilterStrict(),
    SynproxyIncomplete(),
    SecretsInBackup(),
    RestoreOfEverything(),
    PruneLeavesKinds(),
    CaptureMissesHandshake(),
    SettingsInImage(),
    HostSettingInContainer(),
    BacklogAboveCap(),
    BacklogBelowCap(),
    BacklogTiny(),
    DeferredAccept(),
    FastOpenNotInKernel(),
    NoSuchLabel(),
    NotExportedByDefault(),
    CounterWithoutRate(),
    DropsCountedTwice(),
    SockstatIpv4Only(),
    LineNotUnderstood(),
)

_BY_NAME = {name: check for check in CHECKS for name in (check.code, check.name)}


def find(code: str) -> Check | None:
    """The check of that code (``HO203``, ``ho203``) or name."""
    return _BY_NAME.get(code.upper()) or _BY_NAME.get(code.lower())
