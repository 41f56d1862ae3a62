//! Which table routes are looked for in: `RTM_GETRULE`, `net/core/fib_rules.c`, `ip rule`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{ip, name};
use crate::failure::Failure;
use crate::netlink::{Attributes, Message, Netlink, Receiver, Request, u8_at, u16_at, u32_at};

/// `struct fib_rule_hdr`: family (1), lengths of the destination's and the source's prefix (1 each), TOS (1), table (1),
/// reserved (2), action (1), flags (4).
const FIXED: usize = 12;
/// `FIB_RULE_INVERT`: `not`.
const INVERTED: u32 = 2;
/// `FRA_*`, `include/uapi/linux/fib_rules.h`.
const DESTINATION: u16 = 1;
const SOURCE: u16 = 2;
const IIF: u16 = 3;
const GOTO: u16 = 4;
const PRIORITY: u16 = 6;
const MARK: u16 = 10;
const SUPPRESS_PREFIX: u16 = 14;
const TABLE: u16 = 15;
const MASK: u16 = 16;
const OIF: u16 = 17;
const L3MDEV: u16 = 19;
const PROTOCOL: u16 = 22;
const PORTS: u16 = 24;
/// From Linux 6.15 on: which bits of the port count. It follows the port, and is all ones unless somebody asked for less.
const PORT_MASK: u16 = 29;
/// Those that are conditions of other kinds, as `ip rule` names them. Masks come with what they are masks of.
const OTHER: [(u16, &str); 7] = [
    (11, "realms"),
    (12, "tun_id"),
    (13, "suppress_ifgroup"),
    (20, "uidrange"),
    (23, "sport"),
    (25, "dscp"),
    (26, "flowlabel"),
];
/// `FR_ACT_*`.
const ACTIONS: [&str; 9] = [
    "unspec",
    "lookup",
    "goto",
    "nop",
    "reserved",
    "reserved",
    "blackhole",
    "unreachable",
    "prohibit",
];

/// One rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Its place in the order.
    pub priority: u32,
    /// Whether it is of IPv6.
    pub v6: bool,
    /// `lookup`, `goto`, `nop`, `blackhole`, `unreachable`, `prohibit`.
    pub action: &'static str,
    /// The table that is looked into.
    pub table: u32,
    /// Where `goto` goes on.
    pub goto: Option<u32>,
    /// It applies to what does not meet its conditions.
    pub inverted: bool,
    /// Source address.
    pub source: Option<(IpAddr, u8)>,
    /// Destination address.
    pub destination: Option<(IpAddr, u8)>,
    /// Mark, and which of its bits count.
    pub mark: Option<(u32, u32)>,
    /// Interface that the packet came by; `lo` for those of this host.
    pub iif: Option<String>,
    /// Interface that the socket is bound to.
    pub oif: Option<String>,
    /// For sockets of a VRF.
    pub l3mdev: bool,
    /// Protocol.
    pub protocol: Option<u8>,
    /// Destination ports, both ends included.
    pub ports: Option<(u16, u16)>,
    /// Routes of a prefix that is not longer do not count.
    pub suppress_prefix_length: Option<u32>,
    /// Names of its other conditions.
    pub other: Vec<&'static str>,
}

#[derive(Default)]
struct Rules(Vec<Rule>);

impl Receiver for Rules {
    fn restart(&mut self) {
        self.0.clear();
    }

    fn message(&mut self, message: &Message<'_>) {
        self.0.extend(parse(message.payload));
    }
}

/// The rule of a message; none of one for multicast, which has families of its own.
fn parse(payload: &[u8]) -> Option<Rule> {
    let [family, destination_length, source_length, tos, table, _, _, action] = *payload.first_chunk()?;
    let (v6, any) = match i32::from(family) {
        libc::AF_INET => (false, IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        libc::AF_INET6 => (true, IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        _ => return None,
    };
    let prefix = |length: u8| (length > 0).then_some((any, length));
    let mut rule = Rule {
        priority: 0,
        v6,
        action: ACTIONS.get(usize::from(action)).copied().unwrap_or("unspec"),
        table: u32::from(table),
        goto: None,
        inverted: u32_at(payload, 8)? & INVERTED != 0,
        source: prefix(source_length),
        destination: prefix(destination_length),
        mark: None,
        iif: None,
        oif: None,
        l3mdev: false,
        protocol: None,
        ports: None,
        suppress_prefix_length: None,
        other: if tos == 0 { Vec::new() } else { vec!["tos"] },
    };
    for (kind, value) in Attributes::new(payload.get(FIXED..)?) {
        add(&mut rule, kind, value);
    }
    Some(rule)
}

fn add(rule: &mut Rule, kind: u16, value: &[u8]) {
    let number = u32_at(value, 0);
    let mark = rule.mark.unwrap_or((0, u32::MAX));
    match kind {
        DESTINATION => set_address(&mut rule.destination, value),
        SOURCE => set_address(&mut rule.source, value),
        IIF => rule.iif = Some(name(value)),
        OIF => rule.oif = Some(name(value)),
        GOTO => rule.goto = number,
        PRIORITY => rule.priority = number.unwrap_or_default(),
        // Both come together, each alone means nothing: a mark of 0 with a mask of 0 is every mark.
        MARK => rule.mark = number.map(|value| (value, mark.1)),
        MASK => rule.mark = number.map(|mask| (mark.0, mask)),
        TABLE => rule.table = number.unwrap_or_default(),
        L3MDEV => rule.l3mdev = u8_at(value, 0) == Some(1),
        PROTOCOL => rule.protocol = u8_at(value, 0),
        PORTS => rule.ports = u16_at(value, 0).zip(u16_at(value, 2)),
        PORT_MASK if u16_at(value, 0) != Some(u16::MAX) => {
            rule.ports = None;
            rule.other.push("dport");
        }
        SUPPRESS_PREFIX => rule.suppress_prefix_length = number.filter(|&length| length != u32::MAX),
        _ => rule.other.extend(other(kind, number)),
    }
}

fn set_address(prefix: &mut Option<(IpAddr, u8)>, value: &[u8]) {
    if let (Some((address, _)), Some(told)) = (prefix.as_mut(), ip(value)) {
        *address = told;
    }
}

fn other(kind: u16, number: Option<u32>) -> Option<&'static str> {
    // «No group» is written as -1.
    let is_none = number == Some(u32::MAX);
    let found = OTHER.iter().find(|&&(one, _)| one == kind)?;
    (found.1 != "suppress_ifgroup" || !is_none).then_some(found.1)
}

/// The rules of the network namespace of the calling thread, in the order in which they are tried. Needs no privilege.
pub fn rules() -> Result<Vec<Rule>, Failure> {
    let failed = |error| Failure::new("cannot read the routing rules", error);
    let mut netlink = Netlink::open(libc::NETLINK_ROUTE).map_err(failed)?;
    let mut rules = Rules::default();
    // Family 0 is all of them.
    netlink
        .dump(&Request::dump(libc::RTM_GETRULE, &[0; FIXED]), &mut rules)
        .map_err(failed)?;
    rules.0.sort_by_key(|rule| rule.priority);
    Ok(rules.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::attribute;

    /// `not from 10.0.0.0/8 fwmark 0x1/0xff iif eth0 ipproto tcp dport 80-90 uidrange 1-2 lookup 1000 suppress_prefixlength 0`
    fn sample() -> Vec<u8> {
        let mut bytes = vec![2, 0, 8, 0, 252, 0, 0, 1];
        bytes.extend(INVERTED.to_ne_bytes());
        bytes.extend(attribute(TABLE, &1000_u32.to_ne_bytes()));
        bytes.extend(attribute(PRIORITY, &99_u32.to_ne_bytes()));
        bytes.extend(attribute(SOURCE, &[10, 0, 0, 0]));
        bytes.extend(attribute(MARK, &1_u32.to_ne_bytes()));
        bytes.extend(attribute(MASK, &0xff_u32.to_ne_bytes()));
        bytes.extend(attribute(IIF, b"eth0\0"));
        bytes.extend(attribute(PROTOCOL, &[6]));
        bytes.extend(attribute(PORTS, &[80_u16.to_ne_bytes(), 90_u16.to_ne_bytes()].concat()));
        bytes.extend(attribute(20, &[1, 0, 0, 0, 2, 0, 0, 0]));
        bytes.extend(attribute(13, &u32::MAX.to_ne_bytes()));
        bytes.extend(attribute(SUPPRESS_PREFIX, &0_u32.to_ne_bytes()));
        bytes
    }

    #[test]
    fn every_condition_is_read_or_named() {
        let rule = parse(&sample()).expect("a rule");
        assert_eq!(
            (rule.priority, rule.v6, rule.action, rule.table),
            (99, false, "lookup", 1000)
        );
        assert_eq!(rule.source, Some((IpAddr::from([10, 0, 0, 0]), 8)));
        assert_eq!((rule.destination, rule.mark), (None, Some((1, 0xff))));
        assert_eq!((rule.iif.as_deref(), rule.oif.as_deref()), (Some("eth0"), None));
        assert_eq!((rule.protocol, rule.ports), (Some(6), Some((80, 90))));
        assert_eq!((rule.suppress_prefix_length, rule.inverted), (Some(0), true));
        assert_eq!(rule.other, ["uidrange"]);
    }

    #[test]
    fn a_port_of_which_some_bits_count_is_a_condition_of_another_kind() {
        let masked = |mask: u16| {
            let mut bytes = vec![2, 0, 0, 0, 100, 0, 0, 1, 0, 0, 0, 0];
            bytes.extend(attribute(23, &[53_u16.to_ne_bytes(); 2].concat()));
            bytes.extend(attribute(PORTS, &[80_u16.to_ne_bytes(); 2].concat()));
            bytes.extend(attribute(28, &u16::MAX.to_ne_bytes()));
            bytes.extend(attribute(PORT_MASK, &mask.to_ne_bytes()));
            parse(&bytes).map(|rule| (rule.ports, rule.other))
        };
        assert_eq!(masked(u16::MAX), Some((Some((80, 80)), vec!["sport"])));
        assert_eq!(masked(0xfff0), Some((None, vec!["sport", "dport"])));
    }

    #[test]
    fn rules_for_multicast_are_no_rules_and_no_truncation_panics() {
        let mut bytes = sample();
        for length in 0..bytes.len() {
            let _ = parse(&bytes[..length]);
        }
        bytes[0] = 128;
        assert_eq!(parse(&bytes), None);
    }

    #[test]
    fn every_namespace_begins_with_the_tables_local_and_main() {
        let rules = rules().expect("rules");
        let v4: Vec<u32> = rules.iter().filter(|rule| !rule.v6).map(|rule| rule.table).collect();
        assert!(v4.contains(&255) && v4.contains(&254), "{v4:?}");
    }
}
