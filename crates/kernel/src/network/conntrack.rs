//! How many connections the packet filter tracks, and of what kind: a ctnetlink dump of which nothing is kept.
//! `include/uapi/linux/netfilter/nfnetlink_conntrack.h`.

use std::path::Path;

use crate::failure::Failure;
use crate::netlink::{Attributes, Message, Netlink, Receiver, Request, u8_at};

/// `NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET`.
const GET: u16 = 1 << 8 | 1;
/// `struct nfgenmsg`: family (1; 0 is all of them), version (1), resource (2).
const FIXED: usize = 4;
/// Where the number of entries of the calling thread's namespace stands; no file, no connection tracking.
const COUNT: &str = "/proc/sys/net/netfilter/nf_conntrack_count";

/// `CTA_*`.
mod attribute {
    pub const ORIGINAL: u16 = 1;
    pub const STATUS: u16 = 3;
    /// In `ORIGINAL`: `CTA_TUPLE_PROTO`; in that, `CTA_PROTO_NUM`.
    pub const TUPLE_PROTOCOL: u16 = 2;
    pub const PROTOCOL_NUMBER: u16 = 1;
}

/// `IPS_SEEN_REPLY`, `IPS_ASSURED`.
const SEEN_REPLY: u32 = 1 << 1;
const ASSURED: u32 = 1 << 2;

/// Entries, counted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tracked {
    /// All of them.
    pub entries: u64,
    /// Those that a full table does not evict.
    pub assured: u64,
    /// Those that have not been answered.
    pub unreplied: u64,
    /// Those of TCP.
    pub tcp: u64,
}

impl Receiver for Tracked {
    fn restart(&mut self) {
        *self = Self::default();
    }

    fn message(&mut self, message: &Message<'_>) {
        let Some(bytes) = message.payload.get(FIXED..) else {
            return;
        };
        let attributes = Attributes::new(bytes);
        let status = attributes.clone().find(attribute::STATUS).map_or(0, status);
        self.entries += 1;
        self.assured += u64::from(status & ASSURED != 0);
        self.unreplied += u64::from(status & SEEN_REPLY == 0);
        self.tcp += u64::from(protocol(attributes) == Some(libc::IPPROTO_TCP as u8));
    }
}

/// In network order.
fn status(value: &[u8]) -> u32 {
    value.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn protocol(attributes: Attributes<'_>) -> Option<u8> {
    let tuple = Attributes::new(attributes.find(attribute::ORIGINAL)?);
    let protocol = Attributes::new(tuple.find(attribute::TUPLE_PROTOCOL)?);
    u8_at(protocol.find(attribute::PROTOCOL_NUMBER)?, 0)
}

/// Counts the table of the network namespace of the calling thread; `None` where it has more than `most` entries, which
/// would take long. Needs `CAP_NET_ADMIN`. Where connections are not tracked, nothing is asked: asking would load modules.
pub fn tracked(most: u64) -> Result<Option<Tracked>, Failure> {
    let failed = |error| Failure::new("cannot read the tracked connections", error);
    let count = std::fs::read_to_string(Path::new(COUNT)).map_err(failed)?;
    if count.trim().parse::<u64>().is_ok_and(|count| count > most) {
        return Ok(None);
    }
    let mut netlink = Netlink::open(libc::NETLINK_NETFILTER).map_err(failed)?;
    let mut tracked = Tracked::default();
    netlink
        .dump(&Request::dump(GET, &[0; FIXED]), &mut tracked)
        .map_err(failed)?;
    Ok(Some(tracked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_truncation_panics_or_counts_what_is_not_there() {
        let mut payload = vec![2, 0, 0, 0];
        payload.extend([16, 0, 1, 0x80, 12, 0, 2, 0x80, 5, 0, 1, 0, 6, 0, 0, 0]);
        payload.extend([8, 0, 3, 0, 0, 0, 0, 6]);
        let count = |payload| {
            let mut tracked = Tracked::default();
            let message = Message {
                kind: GET,
                flags: 0,
                sequence: 0,
                payload,
            };
            tracked.message(&message);
            tracked
        };
        let whole = Tracked {
            entries: 1,
            assured: 1,
            unreplied: 0,
            tcp: 1,
        };
        assert_eq!(count(&payload), whole);
        for length in 0..payload.len() {
            assert_eq!(count(&payload[..length]).assured, 0);
        }
    }
}
