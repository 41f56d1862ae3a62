//! Routes of every table with their metrics: `RTM_GETROUTE`, rtnetlink(7).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::ip;
use super::link::interfaces;
use crate::failure::Failure;
use crate::netlink::{Attributes, Message, Netlink, Receiver, Request, u16_at, u32_at};

/// `struct rtmsg`: family (1), lengths of the prefixes (2), TOS (1), table (1), protocol (1), scope (1), type (1), flags (4).
const FIXED: usize = 12;
/// `struct rtnexthop`: length (2), flags (1), weight (1), interface (4).
const NEXT_HOP: usize = 8;
/// `RTPROT_KERNEL`: made by the kernel for an interface's own address.
const BY_KERNEL: u8 = 2;
/// `RTAX_*` from number 1 on, as `ip route` names them. Empty: `RTAX_LOCK`, which says of the others that they stay, and
/// `RTAX_CC_ALGO`, which is no number.
const METRICS: [&str; 17] = [
    "",
    "mtu",
    "window",
    "rtt",
    "rttvar",
    "ssthresh",
    "cwnd",
    "advmss",
    "reordering",
    "hoplimit",
    "initcwnd",
    "features",
    "rto_min",
    "initrwnd",
    "quickack",
    "",
    "fastopen_no_cookie",
];

/// `RTN_*`.
const KINDS: [&str; 12] = [
    "unspec",
    "unicast",
    "local",
    "broadcast",
    "anycast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
    "throw",
    "nat",
    "xresolve",
];

/// One route; one for each next hop of a multipath route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// Where it goes to, and the length of the prefix.
    pub destination: (IpAddr, u8),
    /// `unicast`, `blackhole`…
    pub kind: &'static str,
    /// Number of the interface.
    pub index: Option<u32>,
    /// Name of the interface.
    pub interface: Option<String>,
    /// Next hop.
    pub gateway: Option<IpAddr>,
    /// Preferred source address.
    pub source: Option<IpAddr>,
    /// Table.
    pub table: u32,
    /// Priority.
    pub metric: Option<u32>,
    /// Metrics by name, as the kernel keeps them.
    pub attributes: Vec<(&'static str, u32)>,
}

/// The first so many, and how many there were.
struct Routes {
    most: usize,
    kept: Vec<Route>,
    seen: usize,
}

impl Receiver for Routes {
    fn restart(&mut self) {
        self.kept.clear();
        self.seen = 0;
    }

    fn message(&mut self, message: &Message<'_>) {
        for route in parse(message.payload).into_iter().flatten() {
            self.seen += 1;
            if self.kept.len() < self.most {
                self.kept.push(route);
            }
        }
    }
}

/// The routes of a message; none of one that is only a cached decision, or that the kernel made for its own address.
fn parse(payload: &[u8]) -> Option<Vec<Route>> {
    let [family, length, _, _, table, protocol, _, kind] = *payload.first_chunk()?;
    let flags = u32_at(payload, 8)?;
    if flags & libc::RTM_F_CLONED != 0 || is_own_address(table, protocol, kind) {
        return None;
    }
    let any = if i32::from(family) == libc::AF_INET6 {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    } else {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    };
    let mut route = Route {
        destination: (any, length),
        kind: KINDS.get(usize::from(kind)).copied().unwrap_or("unspec"),
        index: None,
        interface: None,
        gateway: None,
        source: None,
        table: u32::from(table),
        metric: None,
        attributes: Vec::new(),
    };
    let mut hops = Vec::new();
    for (kind, value) in Attributes::new(payload.get(FIXED..)?) {
        match kind {
            libc::RTA_DST => route.destination.0 = ip(value)?,
            libc::RTA_PRIORITY => route.metric = u32_at(value, 0),
            libc::RTA_PREFSRC => route.source = ip(value),
            libc::RTA_TABLE => route.table = u32_at(value, 0)?,
            libc::RTA_METRICS => route.attributes = metrics(value),
            libc::RTA_MULTIPATH => hops = next_hops(value),
            _ => set_hop(&mut route, kind, value),
        }
    }
    let along = |(index, attributes): (u32, Attributes<'_>)| {
        let mut one = Route {
            index: Some(index),
            ..route.clone()
        };
        attributes.for_each(|(kind, value)| set_hop(&mut one, kind, value));
        one
    };
    if hops.is_empty() {
        return Some(vec![route]);
    }
    Some(hops.into_iter().map(along).collect())
}

fn is_own_address(table: u8, protocol: u8, kind: u8) -> bool {
    let is_address = matches!(
        kind,
        libc::RTN_LOCAL | libc::RTN_BROADCAST | libc::RTN_ANYCAST | libc::RTN_MULTICAST
    );
    table == libc::RT_TABLE_LOCAL && protocol == BY_KERNEL && is_address
}

/// What may stand in a route or in one of its next hops.
fn set_hop(route: &mut Route, kind: u16, value: &[u8]) {
    match kind {
        libc::RTA_OIF => route.index = u32_at(value, 0),
        libc::RTA_GATEWAY => route.gateway = ip(value),
        // An IPv4 route through an IPv6 neighbour: family (2), address.
        libc::RTA_VIA => route.gateway = value.get(2..).and_then(ip),
        _ => {}
    }
}

fn next_hops(mut bytes: &[u8]) -> Vec<(u32, Attributes<'_>)> {
    let mut hops = Vec::new();
    while let (Some(length), Some(index)) = (u16_at(bytes, 0), u32_at(bytes, 4)) {
        let length = usize::from(length);
        let Some(attributes) = bytes.get(NEXT_HOP..length) else {
            break;
        };
        hops.push((index, Attributes::new(attributes)));
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    hops
}

fn metrics(bytes: &[u8]) -> Vec<(&'static str, u32)> {
    let named = |(kind, value): (u16, &[u8])| {
        let name = *METRICS.get(usize::from(kind).checked_sub(1)?)?;
        let number = u32_at(value, 0)?;
        (!name.is_empty()).then_some((name, number))
    };
    Attributes::new(bytes).filter_map(named).collect()
}

/// The routes of every table of the network namespace of the calling thread, at most so many, and how many there are
/// beyond. Without those that the kernel made for addresses of its interfaces. Needs no privilege.
pub fn routes(most: usize) -> Result<(Vec<Route>, usize), Failure> {
    let failed = |error| Failure::new("cannot read the routes", error);
    let names: HashMap<u32, String> = interfaces()?.into_iter().map(|one| (one.index, one.name)).collect();
    let mut netlink = Netlink::open(libc::NETLINK_ROUTE).map_err(failed)?;
    let mut routes = Routes {
        most,
        kept: Vec::new(),
        seen: 0,
    };
    // Family 0 is all of them.
    netlink
        .dump(&Request::dump(libc::RTM_GETROUTE, &[0; FIXED]), &mut routes)
        .map_err(failed)?;
    for route in &mut routes.kept {
        route.interface = route.index.and_then(|index| names.get(&index).cloned());
    }
    Ok((routes.kept, routes.seen.saturating_sub(most)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::attribute;

    fn hop(index: u32, attributes: &[u8]) -> Vec<u8> {
        let mut bytes = ((NEXT_HOP + attributes.len()) as u16).to_ne_bytes().to_vec();
        bytes.extend([0, 0]);
        bytes.extend(index.to_ne_bytes());
        bytes.extend(attributes);
        bytes
    }

    /// `default via {192.0.2.1 dev 3, inet6 fe80::1 dev 4} metric 100 rto_min 50 fastopen_no_cookie 1`
    fn sample() -> Vec<u8> {
        let via: [u8; 18] = [10, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let metrics = [
            attribute(13, &50_u32.to_ne_bytes()),
            attribute(16, b"bbr\0"),
            attribute(17, &1_u32.to_ne_bytes()),
            attribute(99, &1_u32.to_ne_bytes()),
        ];
        let hops = [
            hop(3, &attribute(libc::RTA_GATEWAY, &[192, 0, 2, 1])),
            hop(4, &attribute(libc::RTA_VIA, &via)),
        ];
        let mut bytes = vec![2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
        bytes.extend(attribute(libc::RTA_PRIORITY, &100_u32.to_ne_bytes()));
        bytes.extend(attribute(libc::RTA_METRICS, &metrics.concat()));
        bytes.extend(attribute(libc::RTA_MULTIPATH, &hops.concat()));
        bytes
    }

    #[test]
    fn a_multipath_route_is_one_route_a_next_hop() {
        let routes = parse(&sample()).expect("a route");
        let gateways: Vec<_> = routes
            .iter()
            .map(|r| (r.index, r.gateway.map(|g| g.to_string())))
            .collect();
        assert_eq!(
            gateways,
            [(Some(3), Some("192.0.2.1".into())), (Some(4), Some("fe80::1".into()))]
        );
        for route in routes {
            assert_eq!((route.kind, route.table, route.metric), ("unicast", 254, Some(100)));
            assert_eq!(route.attributes, [("rto_min", 50), ("fastopen_no_cookie", 1)]);
        }
    }

    #[test]
    fn no_truncation_panics() {
        let bytes = sample();
        for length in 0..bytes.len() {
            let _ = parse(&bytes[..length]);
        }
    }

    #[test]
    fn own_addresses_and_cached_decisions_are_no_routes() {
        let own = [2, 32, 0, 0, 255, BY_KERNEL, 254, 2, 0, 0, 0, 0];
        assert_eq!(parse(&own), None);
        let by_hand = [2, 8, 0, 0, 255, 3, 254, 2, 0, 0, 0, 0];
        assert_eq!(parse(&by_hand).map(|all| all[0].kind), Some("local"));
        let mut cached = [2, 32, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
        cached[8..].copy_from_slice(&libc::RTM_F_CLONED.to_ne_bytes());
        assert_eq!(parse(&cached), None);
    }
}
