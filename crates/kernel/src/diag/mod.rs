//! `sock_diag`: every TCP socket of a network namespace, as the kernel tells it. `net/ipv4/inet_diag.c`.
//!
//! - [`Query`]: what to ask for: states, extensions, local ports.
//! - [`Row`]: one answer, read in place.
//! - [`census`]: all of them, grouped for the questions that rules ask.
//! - [`sockets`]: all of them, one by one.
//!
//! A network namespace sees its own sockets only. The hash of connections is one for the whole machine: each dump walks
//! over all of its buckets, whatever the namespace.

mod address;
mod bytecode;
mod census;
mod query;
mod row;
mod socket;

pub use census::{AcceptQueue, Census, Destination, Listener, Options, Process, Share, StateCounts, census};
pub use query::{Extension, Query, States};
pub use row::Row;
pub use socket::{Socket, sockets};

use crate::failure::Failure;
use crate::netlink::{Consistency, Netlink, Outcome, Receiver, retry};

/// A socket of `NETLINK_SOCK_DIAG` in the namespace of the calling thread.
pub(crate) struct SockDiag(Netlink);

impl SockDiag {
    /// Needs no privilege.
    pub fn open() -> Result<Self, Failure> {
        let open = Netlink::open(libc::NETLINK_SOCK_DIAG);
        open.map(Self).map_err(|error| Failure::new(CANNOT, error))
    }

    /// Asks each of the questions for both families. A kernel without IPv6 answers `ENOENT` for it: no sockets.
    pub fn dump(&mut self, queries: &[Query], receiver: &mut impl Receiver) -> Result<Consistency, Failure> {
        let mut requests = Vec::new();
        for query in queries {
            requests.extend([libc::AF_INET, libc::AF_INET6].map(|family| (family, query.request(family as u8))));
        }
        let all = |receiver: &mut _| {
            let mut outcome = Outcome::Done(Consistency::Whole);
            for (family, request) in &requests {
                match self.0.attempt(request, receiver) {
                    Err(error) if *family == libc::AF_INET6 && error.raw_os_error() == Some(libc::ENOENT) => {}
                    one => outcome = outcome.and(one?),
                }
                if outcome == Outcome::Again {
                    break;
                }
            }
            Ok(outcome)
        };
        retry(receiver, all).map_err(|error| Failure::new(CANNOT, error))
    }
}

const CANNOT: &str = "cannot read the sockets";
