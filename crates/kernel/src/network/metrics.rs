//! What the kernel remembers of peers, `tcp_metrics`: `net/ipv4/tcp_metrics.c`. Fast Open cookies are seen, never read.

use std::net::IpAddr;

use super::ip;
use crate::failure::Failure;
use crate::netlink::{
    Attributes, GENERIC_HEADER, Message, Netlink, Receiver, Request, generic_family, generic_header, u16_at, u32_at,
    u64_at,
};
use crate::sys::segments_arrived;

/// `TCP_METRICS_CMD_GET`.
const GET: u8 = 1;

/// `TCP_METRICS_ATTR_*`.
mod attribute {
    pub const ADDRESS_V4: u16 = 1;
    pub const ADDRESS_V6: u16 = 2;
    pub const AGE: u16 = 3;
    pub const VALUES: u16 = 6;
    pub const FAST_OPEN_MSS: u16 = 7;
    pub const FAST_OPEN_SYN_DROPS: u16 = 8;
    pub const FAST_OPEN_COOKIE: u16 = 10;
    pub const SOURCE_V4: u16 = 11;
    pub const SOURCE_V6: u16 = 12;
}

/// `enum tcp_metric_index`, plus one. Of the round trip the kernel keeps eighths of a microsecond, of its variation quarters.
mod value {
    pub const RTT_US: u16 = 6;
    pub const RTTVAR_US: u16 = 7;
}

/// One peer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerMetrics {
    /// The peer.
    pub destination: IpAddr,
    /// Our address.
    pub source: Option<IpAddr>,
    /// Since it was written, milliseconds.
    pub age_ms: Option<u64>,
    /// Smoothed round trip, microseconds.
    pub rtt_us: Option<u32>,
    /// Its variation, microseconds.
    pub rttvar_us: Option<u32>,
    /// There is a Fast Open cookie.
    pub fast_open_cookie: bool,
    /// SYNs with data lost in a row.
    pub fast_open_syn_losses: u16,
    /// Segment size that came with the cookie.
    pub fast_open_mss: Option<u16>,
}

#[derive(Default)]
struct Peers(Vec<PeerMetrics>);

impl Receiver for Peers {
    fn restart(&mut self) {
        self.0.clear();
    }

    fn message(&mut self, message: &Message<'_>) {
        self.0.extend(parse(message.payload));
    }
}

fn parse(payload: &[u8]) -> Option<PeerMetrics> {
    let attributes = Attributes::new(payload.get(GENERIC_HEADER..)?);
    let destination = |(kind, value)| match kind {
        attribute::ADDRESS_V4 | attribute::ADDRESS_V6 => ip(value),
        _ => None,
    };
    let mut peer = PeerMetrics {
        destination: attributes.clone().find_map(destination)?,
        source: None,
        age_ms: None,
        rtt_us: None,
        rttvar_us: None,
        fast_open_cookie: false,
        fast_open_syn_losses: 0,
        fast_open_mss: None,
    };
    for (kind, value) in attributes {
        match kind {
            attribute::SOURCE_V4 | attribute::SOURCE_V6 => peer.source = ip(value),
            attribute::AGE => peer.age_ms = u64_at(value, 0),
            attribute::VALUES => set_values(&mut peer, value),
            attribute::FAST_OPEN_COOKIE => peer.fast_open_cookie = true,
            attribute::FAST_OPEN_SYN_DROPS => peer.fast_open_syn_losses = u16_at(value, 0).unwrap_or(0),
            attribute::FAST_OPEN_MSS => peer.fast_open_mss = u16_at(value, 0),
            _ => {}
        }
    }
    Some(peer)
}

fn set_values(peer: &mut PeerMetrics, bytes: &[u8]) {
    for (kind, value) in Attributes::new(bytes) {
        match kind {
            value::RTT_US => peer.rtt_us = u32_at(value, 0).map(|eighths| eighths / 8),
            value::RTTVAR_US => peer.rttvar_us = u32_at(value, 0).map(|quarters| quarters / 4),
            _ => {}
        }
    }
}

/// What the network namespace of the calling thread remembers, the youngest first, at most so many, and how many there
/// are beyond. Needs no privilege.
pub fn peer_metrics(most: usize) -> Result<(Vec<PeerMetrics>, usize), Failure> {
    // The table is one for all namespaces, and walked as a whole; what is in it came with segments.
    if segments_arrived() == Some(0) {
        return Ok((Vec::new(), 0));
    }
    let failed = |error| Failure::new("cannot read tcp_metrics", error);
    let mut netlink = Netlink::open(libc::NETLINK_GENERIC).map_err(failed)?;
    let family = generic_family(&mut netlink, "tcp_metrics").map_err(failed)?;
    let mut peers = Peers::default();
    netlink
        .dump(&Request::dump(family, &generic_header(GET)), &mut peers)
        .map_err(failed)?;
    let mut peers = peers.0;
    peers.sort_by_key(|peer| (peer.age_ms, peer.destination));
    let left_out = peers.len().saturating_sub(most);
    peers.truncate(most);
    Ok((peers, left_out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_truncation_panics_and_the_cookie_is_not_kept() {
        let mut payload = generic_header(GET).to_vec();
        payload.extend([8, 0, 1, 0, 192, 0, 2, 1]);
        payload.extend([12, 0, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        payload.extend([20, 0, 6, 0x80, 8, 0, 6, 0, 72, 0, 0, 0, 8, 0, 7, 0, 16, 0, 0, 0]);
        payload.extend([6, 0, 8, 0, 2, 0, 0, 0, 12, 0, 10, 0, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4]);
        let peer = parse(&payload).expect("a peer");
        assert_eq!((peer.fast_open_cookie, peer.fast_open_syn_losses), (true, 2));
        assert_eq!((peer.rtt_us, peer.rttvar_us, peer.age_ms), (Some(9), Some(4), Some(1)));
        for length in 0..payload.len() {
            let _ = parse(&payload[..length]);
        }
    }
}
