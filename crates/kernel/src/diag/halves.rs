//! A dump of very many sockets in two threads: what costs is the kernel's work on each row, and it does that on the processor
//! that asks.
//!
//! Each thread has a netlink socket and asks for one half, told apart by a port: a port of a socket in the hash of
//! connections never changes, so that each is in exactly one half. Which port, and where to cut, a sample tells: a server's
//! connections differ in the remote port, a client's in the local one. The order of a dump is that of a hash, which makes its
//! beginning a fair sample.
//!
//! Before Linux 6.9 the kernel makes one such dump at a time (`inet_diag_table_mutex`): there one thread asks for all.

use std::sync::OnceLock;
use std::{fs, thread};

use super::bytecode::Side;
use super::row::Row;
use super::{Query, SockDiag};
use crate::failure::Failure;
use crate::netlink::{Consistency, Message, Receiver};

/// Fewer sockets are read by one thread: that takes some 4 ms.
const MANY: u64 = 10_000;
/// Rows that are looked at: a half is known to a few percent then.
const SAMPLE: usize = 600;
/// The smaller part must have that share of the sample, in percent; else one thread does it all.
const WORTH_PERCENT: usize = 20;

/// The kernel that makes two dumps at the same time («inet_diag: allow concurrent operations»). What
/// a distribution has brought into an older one is only not made use of.
const CONCURRENT: (u32, u32) = (6, 9);

/// The two halves of a query where that is worth it. `sockets` are there, as far as is known.
pub(super) fn halves(query: &Query, sockets: Option<u64>) -> Result<Option<[Query; 2]>, Failure> {
    if sockets.is_none_or(|sockets| sockets < MANY) || !can_help() {
        return Ok(None);
    }
    let mut sample = Sample::default();
    SockDiag::open()?.dump(std::slice::from_ref(query), &mut sample)?;
    Ok(sample.cut().map(|(side, first)| query.halves(side, first)))
}

/// Whether there are two processors for it, and a kernel that uses them.
fn can_help() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let alone = thread::available_parallelism().is_ok_and(|processors| processors.get() == 1);
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        !alone && version(&release).is_some_and(|version| version >= CONCURRENT)
    })
}

/// `6.18.44-foo`
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|byte: char| !byte.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Both dumps at the same time, in the network namespace of the calling thread.
pub(super) fn dump<R: Receiver + Send>(queries: &[Query; 2], receivers: [&mut R; 2]) -> Result<Consistency, Failure> {
    let [one, other] = queries;
    let [first, second] = receivers;
    // A thread begins in the namespace of the one that makes it.
    thread::scope(|scope| {
        let beside = scope.spawn(|| SockDiag::open()?.dump(std::slice::from_ref(other), second));
        let here = SockDiag::open()?.dump(std::slice::from_ref(one), first);
        let beside = beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok(here?.and(beside?))
    })
}

/// Ports of the first sockets of a dump.
#[derive(Default, Debug)]
struct Sample {
    local: Vec<u16>,
    remote: Vec<u16>,
}

impl Receiver for Sample {
    fn restart(&mut self) {
        *self = Self::default();
    }

    fn message(&mut self, message: &Message<'_>) {
        if let Some(row) = Row::parse(message.payload) {
            self.local.push(row.local_port());
            self.remote.push(row.remote_port());
        }
    }

    fn is_full(&self) -> bool {
        self.local.len() >= SAMPLE
    }
}

impl Sample {
    /// Where to cut: on the side where the parts are closest to each other.
    fn cut(self) -> Option<(Side, u16)> {
        let total = self.local.len();
        let sides = [(Side::Local, self.local), (Side::Remote, self.remote)];
        let cuts = sides.map(|(side, ports)| middle(ports).map(|(first, smaller)| (smaller, side, first)));
        let (smaller, side, first) = cuts.into_iter().flatten().max_by_key(|&(smaller, ..)| smaller)?;
        (smaller * 100 >= total * WORTH_PERCENT).then_some((side, first))
    }
}

/// The port at which the upper half begins, and how many the smaller half has; none where all are the same.
fn middle(mut ports: Vec<u16>) -> Option<(u16, usize)> {
    ports.sort_unstable();
    let median = *ports.get(ports.len() / 2)?;
    // Before the median's equals, or behind them.
    let cuts = [
        ports.partition_point(|&port| port < median),
        ports.partition_point(|&port| port <= median),
    ];
    let smaller = |&cut: &usize| cut.min(ports.len() - cut);
    let cut = cuts.into_iter().max_by_key(smaller)?;
    let first = *ports.get(cut)?;
    (cut > 0).then(|| (first, smaller(&cut)))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use socket2::SockRef;

    use super::*;
    use crate::diag::States;
    use crate::diag::tests::Cookies;
    use crate::sys::TcpState;

    /// Of the sockets that this test made: others come and go meanwhile.
    #[test]
    fn each_socket_is_in_exactly_one_half() {
        let server = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let address = server.local_addr().expect("its address");
        let pairs: Vec<(TcpStream, TcpStream)> = (0..50)
            .map(|_| {
                let client = TcpStream::connect(address).expect("a connection");
                (client, server.accept().expect("its other end").0)
            })
            .collect();
        let mut ports: Vec<u16> = pairs
            .iter()
            .map(|(one, _)| one.local_addr().expect("one").port())
            .collect();
        ports.sort_unstable();
        let query = Query::new(States::of(&[TcpState::Established]));
        for (side, first) in [
            (Side::Local, ports[25]),
            (Side::Remote, ports[25]),
            (Side::Local, address.port()),
        ] {
            let (mut below, mut from) = (Cookies::default(), Cookies::default());
            dump(&query.halves(side, first), [&mut below, &mut from]).expect("both halves");
            for stream in pairs.iter().flat_map(|(one, other)| [one, other]) {
                let cookie = SockRef::from(stream).cookie().expect("a cookie");
                let found = [&below, &from].map(|half| half.0.iter().filter(|&&one| one == cookie).count());
                let (local, remote) = (stream.local_addr().expect("one"), stream.peer_addr().expect("one"));
                let port = if side == Side::Local {
                    local.port()
                } else {
                    remote.port()
                };
                let expected = if port < first { [1, 0] } else { [0, 1] };
                assert_eq!(found, expected, "{local} {remote} {side:?} {first}");
            }
        }
    }

    fn sample(pairs: impl Iterator<Item = (u16, u16)>) -> Sample {
        let (local, remote) = pairs.unzip();
        Sample { local, remote }
    }

    #[test]
    fn a_server_is_cut_by_the_remote_port_and_a_client_by_the_local_one() {
        let server = sample((0..600).map(|n| (443, 33_000 + n)));
        assert_eq!(server.cut(), Some((Side::Remote, 33_300)));
        let client = sample((0..600).map(|n| (33_000 + n, 443)));
        assert_eq!(client.cut(), Some((Side::Local, 33_300)));
    }

    #[test]
    fn both_ends_on_one_host_are_cut_between_server_and_client() {
        let both = sample((0..600).map(|n| {
            if n % 2 == 0 {
                (443, 33_000 + n)
            } else {
                (33_000 + n, 443)
            }
        }));
        assert_eq!(both.cut(), Some((Side::Remote, 33_000)));
    }

    #[test]
    fn versions_are_compared_by_number() {
        let concurrent = |release| version(release).is_some_and(|version| version >= CONCURRENT);
        for release in ["6.9.0", "6.18.44-fc-v669\n", "6.10-rc1", "10.0"] {
            assert!(concurrent(release), "{release}");
        }
        for release in ["6.8.12-generic", "5.14.0-503.el9", "4.18", "", "6", "next"] {
            assert!(!concurrent(release), "{release}");
        }
    }

    #[test]
    fn what_cannot_be_halved_is_not() {
        assert_eq!(sample((0..600).map(|_| (443, 50_000))).cut(), None);
        assert_eq!(sample(std::iter::empty()).cut(), None);
        let lopsided = sample((0..600).map(|n| (443, if n < 60 { 33_000 } else { 50_000 })));
        assert_eq!(lopsided.cut(), None);
    }

    #[test]
    fn many_equals_go_to_the_side_that_is_short() {
        assert_eq!(middle(vec![1, 5, 5, 5, 9, 9, 9]), Some((9, 3)));
        assert_eq!(middle(vec![1, 1, 1, 5, 5, 5, 9]), Some((5, 3)));
        assert_eq!(middle(vec![0, 0, 7, 7]), Some((7, 2)));
    }
}
