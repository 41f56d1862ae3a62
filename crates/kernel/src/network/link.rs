//! Interfaces and their addresses: `RTM_GETLINK`, `RTM_GETADDR`, rtnetlink(7).

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{ip, name};
use crate::failure::Failure;
use crate::netlink::{Attributes, Message, Netlink, Receiver, Request, u8_at, u32_at};

/// `struct ifinfomsg`: family (1), padding (1), type (2), index (4), flags (4), change (4).
const LINK_FIXED: usize = 16;
/// `struct ifaddrmsg`: family (1), prefix length (1), flags (1), scope (1), index (4).
const ADDRESS_FIXED: usize = 8;
/// `IFF_LOWER_UP`, `include/uapi/linux/if.h`: `netif_carrier_ok()`.
const LOWER_UP: u32 = 1 << 16;
/// `IFLA_EXT_MASK`, and `RTEXT_FILTER_SKIP_STATS` in it: no counters, which are most of an answer.
const EXT_MASK: (u16, u32) = (29, 1 << 3);

/// One interface.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Interface {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Administratively up.
    pub up: bool,
    /// There is somebody at the other end of the wire, as far as the driver knows. What leaves without it is thrown away.
    pub carrier: bool,
    /// Bytes of the longest packet.
    pub mtu: Option<u32>,
    /// Addresses with the lengths of their prefixes.
    pub addresses: Vec<(IpAddr, u8)>,
}

#[derive(Default)]
struct Links(BTreeMap<u32, Interface>);

impl Receiver for Links {
    fn restart(&mut self) {
        self.0.clear();
    }

    fn message(&mut self, message: &Message<'_>) {
        if let Some(link) = link(message.payload) {
            self.0.insert(link.index, link);
        }
    }
}

fn link(payload: &[u8]) -> Option<Interface> {
    let flags = u32_at(payload, 8)?;
    let mut interface = Interface {
        index: u32_at(payload, 4)?,
        up: flags & libc::IFF_UP as u32 != 0,
        carrier: flags & LOWER_UP != 0,
        ..Interface::default()
    };
    for (kind, value) in Attributes::new(payload.get(LINK_FIXED..)?) {
        match kind {
            libc::IFLA_IFNAME => interface.name = name(value),
            libc::IFLA_MTU => interface.mtu = u32_at(value, 0),
            _ => {}
        }
    }
    Some(interface)
}

#[derive(Default)]
struct Addresses(Vec<(u32, IpAddr, u8)>);

impl Receiver for Addresses {
    fn restart(&mut self) {
        self.0.clear();
    }

    fn message(&mut self, message: &Message<'_>) {
        self.0.extend(address(message.payload));
    }
}

/// (interface, address, length of the prefix). Of a point-to-point link `IFA_LOCAL` is ours and `IFA_ADDRESS` the peer's;
/// IPv6 has only the latter.
fn address(payload: &[u8]) -> Option<(u32, IpAddr, u8)> {
    let (prefix, index) = (u8_at(payload, 1)?, u32_at(payload, 4)?);
    let attributes = Attributes::new(payload.get(ADDRESS_FIXED..)?);
    let local = attributes.clone().find(libc::IFA_LOCAL);
    let found = local.or_else(|| attributes.find(libc::IFA_ADDRESS))?;
    Some((index, ip(found)?, prefix))
}

/// All interfaces of the network namespace of the calling thread, by number. Needs no privilege.
pub fn interfaces() -> Result<Vec<Interface>, Failure> {
    let failed = |error| Failure::new("cannot read the interfaces", error);
    let mut netlink = Netlink::open(libc::NETLINK_ROUTE).map_err(failed)?;
    let (mut links, mut addresses) = (Links::default(), Addresses::default());
    let request = Request::dump(libc::RTM_GETLINK, &[0; LINK_FIXED]).with(EXT_MASK.0, &EXT_MASK.1.to_ne_bytes());
    netlink.dump(&request, &mut links).map_err(failed)?;
    let request = Request::dump(libc::RTM_GETADDR, &[0; ADDRESS_FIXED]);
    netlink.dump(&request, &mut addresses).map_err(failed)?;
    for (index, address, prefix) in addresses.0 {
        if let Some(interface) = links.0.get_mut(&index) {
            interface.addresses.push((address, prefix));
        }
    }
    Ok(links.0.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_truncation_panics() {
        let mut payload = vec![0; LINK_FIXED];
        payload.extend([7, 0, 3, 0, b'l', b'o', 0, 0, 8, 0, 4, 0, 0x10, 0x27, 0, 0]);
        assert_eq!(
            link(&payload).map(|l| (l.name, l.mtu)),
            Some(("lo".into(), Some(10_000)))
        );
        let mut other = vec![2, 8, 0, 0, 1, 0, 0, 0];
        other.extend([8, 0, 2, 0, 127, 0, 0, 1]);
        assert_eq!(address(&other), Some((1, IpAddr::from([127, 0, 0, 1]), 8)));
        for length in 0..payload.len() {
            let _ = (link(&payload[..length]), address(&other[..length.min(other.len() - 1)]));
        }
    }
}
