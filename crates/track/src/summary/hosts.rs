//! Endpoints taken together by address: «10.0.0.7 never answers» is about a host, whatever its ports.

use std::collections::BTreeMap;

use halfopen_wire::Address;

use super::distinct::Distinct;
use super::endpoints::Endpoint;
use super::tally::Tally;

/// One server address.
#[derive(Debug)]
pub struct Host {
    /// Which.
    pub address: Address,
    /// Distinct ports tried.
    pub ports: u64,
    /// One of them.
    pub port: u16,
    /// Counts over all ports.
    pub tally: Tally,
    /// Clients of all ports.
    pub clients: Distinct,
}

/// All hosts, by address.
pub fn hosts(rows: &[Endpoint]) -> Vec<Host> {
    let mut hosts: BTreeMap<Address, Host> = BTreeMap::new();
    for row in rows {
        let host = hosts.entry(row.server.address).or_insert_with(|| Host {
            address: row.server.address,
            ports: 0,
            port: row.server.port,
            tally: Tally::default(),
            clients: Distinct::default(),
        });
        host.ports += 1;
        host.tally.merge(&row.activity.tally);
        host.clients.merge(&row.activity.connected);
        host.clients.merge(&row.activity.failed);
    }
    hosts.into_values().collect()
}
