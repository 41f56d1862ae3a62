//! What a network namespace knows of the way to others: interfaces, routes and the rules that lead to them, remembered peers, tracked connections.
//!
//! Each is a netlink dump of the namespace of the calling thread. Names of interfaces are hostile text.

mod conntrack;
mod link;
mod metrics;
mod route;
mod rule;

use std::net::IpAddr;

pub use conntrack::{Tracked, tracked};
pub use link::{Interface, interfaces};
pub use metrics::{PeerMetrics, peer_metrics};
pub use route::{Route, routes};
pub use rule::{Rule, rules};

/// An address of 4 or 16 bytes in network order.
fn ip(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(v4));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

/// A zero-terminated name.
fn name(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
