"""Packet filter rules, as text: ``nft list ruleset``, ``iptables-nft-save``, ``iptables-legacy-save`` (facts 76-80).

The programs are run as they are, in the namespace, and only where there are rules: asking for them would load the
kernel's modules, and that would change the host. Needs CAP_NET_ADMIN. Cost: 5 ms a program, nothing without tables.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Literal

from halfopen.collect.framework import Collector, NamespaceContext, reason
from halfopen.collect.text import read_text
from halfopen.errors import NotAvailableError
from halfopen.knowledge.firewall.iptables import is_legacy, parse_iptables_save
from halfopen.knowledge.firewall.merged import managed_by_iptables, merge
from halfopen.knowledge.firewall.nft import parse_nft
from halfopen.knowledge.firewall.ruleset import Ruleset

if TYPE_CHECKING:
    from halfopen.knowledge.firewall.iptables import Family
    from halfopen.model.network import PacketFilter

PROGRAMS: dict[Family, str] = {"ip": "iptables", "ip6": "ip6tables"}
TIMEOUT_S = 1.0
RULES = "packet filter rules"
#: linux/netlink.h, linux/netfilter/nf_tables.h: NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE.
_NETLINK_NETFILTER, _GET_TABLE, _REQUEST, _DUMP, _DONE = 12, 10 << 8 | 1, 1, 0x300, 3
BackEnd = Literal["nft", "legacy"]


def collect(context: NamespaceContext) -> PacketFilter | None:
    """All rules of the namespace; what a program could not print is a gap. None: nothing is known of any rule."""
    seen = _nft(context) if _can_have_rules(context) else Ruleset()
    nft = seen or Ruleset()
    managed = {family for family, _table in managed_by_iptables(nft)}
    saved = [_saved(context, family, "nft") for family in PROGRAMS if family in managed]
    legacy = [_saved(context, family, "legacy") for family in PROGRAMS if _has_legacy_tables(context, family)]
    found = merge(nft, [each for each in saved if each], [each for each in legacy if each])
    # «No rules» would be an exoneration that nobody can give who may not look.
    return None if seen is None and not found.rules and not found.chains else found


def has_nft_tables() -> bool:
    """Whether this thread's namespace has a table of nftables; True where the kernel does not say.

    Asking costs a hundredth of what running nft does, and most containers have none.
    """
    import socket

    request = struct.pack("=IHHIIBBH", 20, _GET_TABLE, _REQUEST | _DUMP, 1, 0, 0, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as asked:
        asked.settimeout(TIMEOUT_S)
        asked.send(request)
        kind = struct.unpack_from("=IH", asked.recv(1 << 16))[1]
    return bool(kind != _DONE)


def _can_have_rules(context: NamespaceContext) -> bool:
    if not context.host.has_module("nf_tables"):
        return False
    try:
        return has_nft_tables()
    except (OSError, struct.error):
        return True  # nft itself will say why


def _nft(context: NamespaceContext) -> Ruleset | None:
    from halfopen.collect.programs import find_program, output_of

    program = find_program("nft")
    try:
        if program is None:
            raise NotAvailableError("nft is not installed")
        # Terse: the elements of a set may be a million addresses, and no rule asks for them.
        return parse_nft(output_of(program, "--terse", "list", "ruleset"))
    except (OSError, NotAvailableError) as error:
        context.missing("rules of nftables", reason(error), blinds=RULES)
        return None


def _has_legacy_tables(context: NamespaceContext, family: Family) -> bool:
    """Whether ip_tables was asked for in this namespace: the file names the tables that were."""
    try:
        return bool(read_text(f"{context.net}/{family}_tables_names").strip())
    except FileNotFoundError:
        return False
    except PermissionError as error:
        context.missing(f"rules of {PROGRAMS[family]}-legacy", reason(error), blinds=RULES)
        return False


def _saved(context: NamespaceContext, family: Family, back_end: BackEnd) -> Ruleset | None:
    """What ``iptables-save`` of one back end prints; the plain name is one or the other, as the administrator chose."""
    from halfopen.collect.programs import find_program, output_of

    name = PROGRAMS[family]
    try:
        for candidate in (f"{name}-{back_end}-save", f"{name}-save"):
            if (program := find_program(candidate)) is not None:
                text = output_of(program, "--counters")
                if is_legacy(text) in {None, back_end == "legacy"}:
                    return parse_iptables_save(text, family)
        raise NotAvailableError(f"{name}-{back_end}-save is not installed")
    except (OSError, NotAvailableError) as error:
        if back_end == "legacy":  # of the other, nft shows the rules as well
            context.missing(f"rules of {name}-legacy", reason(error), blinds=RULES)
        return None


COLLECTOR = Collector("packet_filter", "packet_filter", RULES, collect, blinds=RULES)
