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
mod halves;
mod query;
mod row;
mod socket;

pub use census::{AcceptQueue, Census, Destination, Listener, Options, Process, Share, StateCounts, census};
pub use query::{Extension, Query, States};
pub use row::Row;
pub use socket::{Socket, sockets};

use std::io;

use crate::failure::Failure;
use crate::netlink::{Consistency, Netlink, Outcome, Receiver, Request, retry};

/// A socket of `NETLINK_SOCK_DIAG` in the namespace of the calling thread.
pub(crate) struct SockDiag(Netlink);

impl SockDiag {
    /// Needs no privilege.
    pub fn open() -> Result<Self, Failure> {
        let open = Netlink::open(libc::NETLINK_SOCK_DIAG);
        open.map(Self).map_err(|error| Failure::new(CANNOT, error))
    }

    /// Asks each of the questions for both families: in one walk over the hash where the kernel still answers the older
    /// message, which is a sixth less work on a host with many connections, else in one walk for each.
    pub fn dump(&mut self, queries: &[Query], receiver: &mut impl Receiver) -> Result<Consistency, Failure> {
        let joint: Vec<Request> = queries.iter().map(Query::of_both_families).collect();
        let joint = retry(receiver, |receiver| self.all(&joint, receiver));
        let answer = match joint {
            Err(error) if is_unknown(&error) => {
                let single: Vec<Request> = queries.iter().flat_map(each_family).collect();
                retry(receiver, |receiver| self.all(&single, receiver))
            }
            answer => answer,
        };
        answer.map_err(|error| Failure::new(CANNOT, error))
    }

    fn all(&mut self, requests: &[Request], receiver: &mut impl Receiver) -> io::Result<Outcome> {
        let mut outcome = Outcome::Done(Consistency::Whole);
        for request in requests {
            match self.0.attempt(request, receiver) {
                // A kernel without IPv6 has no handler for it: no sockets.
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) && requests.len() > 1 => {}
                one => outcome = outcome.and(one?),
            }
            if outcome == Outcome::Again {
                break;
            }
        }
        Ok(outcome)
    }
}

fn each_family(query: &Query) -> [Request; 2] {
    [libc::AF_INET, libc::AF_INET6].map(|family| query.of_family(family as u8))
}

/// Whether the kernel does not know the message.
fn is_unknown(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EINVAL | libc::ENOENT | libc::EOPNOTSUPP)
    )
}

const CANNOT: &str = "cannot read the sockets";

#[cfg(test)]
pub(crate) mod tests {
    use std::net::{Ipv6Addr, TcpListener};

    use super::*;
    use crate::netlink::Message;
    use crate::sys::TcpState;

    /// Keeps what names each socket.
    #[derive(Default)]
    pub struct Cookies(pub Vec<u64>);

    impl Receiver for Cookies {
        fn restart(&mut self) {
            self.0.clear();
        }

        fn message(&mut self, message: &Message<'_>) {
            self.0.extend(Row::parse(message.payload).map(|row| row.cookie()));
        }
    }

    /// Other tests open and close sockets meanwhile: looked at are those that were there before and after.
    #[test]
    fn one_walk_for_both_families_finds_what_one_for_each_finds() {
        let _kept = [
            TcpListener::bind("127.0.0.1:0").expect("a listener"),
            TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).expect("a listener"),
        ];
        let query = Query::new(States::of(&[TcpState::Listen]));
        let mut diag = SockDiag::open().expect("sock_diag");
        let mut ask = |requests: &[Request]| {
            let mut found = Cookies::default();
            diag.all(requests, &mut found).expect("an answer");
            found.0
        };
        let before = ask(&each_family(&query));
        let joint = ask(&[query.of_both_families()]);
        let after = ask(&each_family(&query));
        let lasting: Vec<u64> = before.into_iter().filter(|cookie| after.contains(cookie)).collect();
        assert!(lasting.len() >= 2);
        assert!(lasting.iter().all(|cookie| joint.contains(cookie)));
    }
}
