//! VLAN tags and tunnels around a packet, interned: a flow key holds a 32-bit number instead of a list.

use std::collections::HashMap;

use crate::Address;

/// A number for one distinct [`Encap`]; 0 is «none». The low half is the place in the [`EncapTable`], the high half the
/// place of what [`EncapId::network`] returns, so that a tracker needs no table to tell connections apart.
/// The highest bit is never set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct EncapId(pub u32);

impl EncapId {
    /// Neither tags nor tunnels.
    pub const NONE: EncapId = EncapId(0);

    /// The part that is the same in both directions of a connection: without MPLS, which penultimate hop popping
    /// (RFC 3031 section 3.16) leaves out in one of them, and without priority tags (VLAN 0), which only one end may
    /// send. Two segments of one connection have the same network even where their encapsulations differ.
    #[must_use]
    pub const fn network(self) -> Self {
        let place = self.0 >> 16;
        Self(place << 16 | place)
    }
}

/// One layer that was taken off.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Tunnel {
    /// MPLS label stack. Labels differ by direction, so they are not part of the identity.
    Mpls,
    /// PPP over Ethernet, with its session.
    Pppoe(u16),
    /// IPv4 in IPv4 or IPv4 in IPv6 (protocol 4).
    Ipip(Outer),
    /// IPv6 in IPv4 (6in4) or IPv6 in IPv6 (protocol 41).
    Ip6ip(Outer),
    /// GRE, with its key.
    Gre(Outer, Option<u32>),
    /// VXLAN, with its network identifier.
    Vxlan(Outer, u32),
    /// GENEVE, with its network identifier.
    Geneve(Outer, u32),
    /// GTP-U, the user plane of mobile networks. Each direction has its own TEID, so it is not part of the identity.
    Gtpu(Outer),
    /// Teredo: IPv6 in UDP in IPv4, RFC 4380.
    Teredo(Outer),
    /// L2TP version 2. Each direction has its own tunnel and session numbers, so they are not part of the identity.
    L2tp(Outer),
}

/// The outer endpoints of an IP tunnel, the smaller first, so that both directions are the same tunnel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Outer(pub Address, pub Address);

impl Outer {
    /// Orders the two ends.
    pub fn new(a: Address, b: Address) -> Self {
        if a <= b { Self(a, b) } else { Self(b, a) }
    }
}

impl Tunnel {
    /// The name in the record's `tunnel` field.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Mpls => "mpls",
            Self::Pppoe(_) => "pppoe",
            Self::Ipip(_) => "ipip",
            Self::Ip6ip(_) => "ip6ip",
            Self::Gre(..) => "gre",
            Self::Vxlan(..) => "vxlan",
            Self::Geneve(..) => "geneve",
            Self::Gtpu(_) => "gtpu",
            Self::Teredo(_) => "teredo",
            Self::L2tp(_) => "l2tp",
        }
    }
}

/// Everything that was around a TCP packet's innermost IP header, outermost first.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Encap {
    /// VLAN identifiers (802.1Q, 802.1ad) of the outermost frame, outermost first.
    pub vlan: Vec<u16>,
    /// Tunnels, outermost first.
    pub tunnels: Vec<Tunnel>,
    /// VLAN identifiers inside a tunnel: part of the identity, not of the record's `vlan`.
    pub inner_vlan: Vec<u16>,
}

impl Encap {
    /// What of it tells connections apart, see [`EncapId::network`].
    fn network(&self) -> Self {
        let tags = |list: &[u16]| list.iter().copied().filter(|&tag| tag != 0).collect();
        Self {
            vlan: tags(&self.vlan),
            tunnels: self.tunnels.iter().filter(|&t| *t != Tunnel::Mpls).cloned().collect(),
            inner_vlan: tags(&self.inner_vlan),
        }
    }

    /// Forgets everything, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.vlan.clear();
        self.tunnels.clear();
        self.inner_vlan.clear();
    }
}

/// Interns [`Encap`]s. Bounded: past [`EncapTable::LIMIT`] distinct values everything new maps to the last one.
#[derive(Clone, Debug)]
pub struct EncapTable {
    list: Vec<Encap>,
    index: HashMap<Encap, EncapId>,
}

impl Default for EncapTable {
    fn default() -> Self {
        Self {
            list: vec![Encap::default()],
            index: HashMap::from([(Encap::default(), EncapId::NONE)]),
        }
    }
}

impl EncapTable {
    /// The most distinct encapsulations that are told apart (a hostile file could make up one for each packet). Two places
    /// fit into an [`EncapId`] and leave its highest bit to whoever keeps one.
    pub const LIMIT: usize = 1 << 15;

    /// The number of `encap`, made if it is new.
    pub fn intern(&mut self, encap: &Encap) -> EncapId {
        if let Some(&id) = self.index.get(encap) {
            return id;
        }
        let network = encap.network();
        if network == *encap {
            return self.insert(encap, None);
        }
        let network = self.intern(&network);
        self.insert(encap, Some(network))
    }

    /// Adds a value that is not there yet; without a `network` it is its own.
    fn insert(&mut self, encap: &Encap, network: Option<EncapId>) -> EncapId {
        let last = self.list.len() as u32 - 1;
        if self.list.len() >= Self::LIMIT {
            return network.unwrap_or(EncapId(last << 16 | last));
        }
        let place = last + 1;
        let id = EncapId(network.map_or(place, |n| n.0 >> 16) << 16 | place);
        self.list.push(encap.clone());
        self.index.insert(encap.clone(), id);
        id
    }

    /// How many distinct encapsulations there are, «none» included.
    #[allow(clippy::len_without_is_empty)] // it never is
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The encapsulation behind a number that [`EncapTable::intern`] returned.
    pub fn get(&self, id: EncapId) -> &Encap {
        &self.list[(id.0 as usize & 0xffff).min(self.list.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mpls_and_priority_tags_do_not_tell_connections_apart() {
        let mut table = EncapTable::default();
        let plain = Encap {
            vlan: vec![7],
            ..Encap::default()
        };
        let labelled = Encap {
            vlan: vec![0, 7],
            tunnels: vec![Tunnel::Mpls],
            inner_vlan: vec![],
        };
        let other = Encap {
            vlan: vec![8],
            ..Encap::default()
        };
        let (b, a, c) = (table.intern(&labelled), table.intern(&plain), table.intern(&other));
        assert_ne!(a, b);
        assert_eq!(a.network(), b.network());
        assert_ne!(a.network(), c.network());
        assert_eq!((table.get(a), table.get(b), table.get(c)), (&plain, &labelled, &other));
        assert_eq!(table.get(b.network()), &plain);
        assert_eq!(table.intern(&labelled), b);
    }

    #[test]
    fn nothing_but_labels_is_the_plain_network() {
        let mut table = EncapTable::default();
        let labelled = Encap {
            tunnels: vec![Tunnel::Mpls],
            ..Encap::default()
        };
        let id = table.intern(&labelled);
        assert_ne!(id, EncapId::NONE);
        assert_eq!(id.network(), EncapId::NONE);
    }

    #[test]
    fn a_full_table_maps_the_new_to_the_last() {
        let mut table = EncapTable::default();
        let encap = |n: u32| Encap {
            tunnels: vec![Tunnel::Vxlan(
                Outer::new(Address::from_v4([1; 4]), Address::from_v4([2; 4])),
                n,
            )],
            ..Encap::default()
        };
        let ids: Vec<EncapId> = (0..EncapTable::LIMIT as u32 + 5)
            .map(|n| table.intern(&encap(n)))
            .collect();
        assert_eq!(table.list.len(), EncapTable::LIMIT);
        assert_eq!(table.get(ids[100]), &encap(100));
        assert_eq!(ids.last(), ids.get(EncapTable::LIMIT - 2));
        assert!(ids.iter().all(|id| id.0 >> 31 == 0));
    }
}
