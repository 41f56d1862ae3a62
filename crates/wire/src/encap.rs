//! VLAN tags and tunnels around a packet, interned: a flow key holds a 32-bit number instead of a list.

use std::collections::HashMap;

use crate::Address;

/// A number for one distinct [`Encap`]; 0 is «none».
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct EncapId(pub u32);

impl EncapId {
    /// Neither tags nor tunnels.
    pub const NONE: EncapId = EncapId(0);
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
    /// The most distinct encapsulations that are told apart (a hostile file could make up one for each packet).
    pub const LIMIT: usize = 1 << 16;

    /// The number of `encap`, made if it is new.
    pub fn intern(&mut self, encap: &Encap) -> EncapId {
        if let Some(&id) = self.index.get(encap) {
            return id;
        }
        if self.list.len() >= Self::LIMIT {
            return EncapId(self.list.len() as u32 - 1);
        }
        let id = EncapId(self.list.len() as u32);
        self.list.push(encap.clone());
        self.index.insert(encap.clone(), id);
        id
    }

    /// The encapsulation behind a number that [`EncapTable::intern`] returned.
    pub fn get(&self, id: EncapId) -> &Encap {
        &self.list[(id.0 as usize).min(self.list.len() - 1)]
    }
}
