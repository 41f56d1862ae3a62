//! The census: every TCP socket of a network namespace, counted where it belongs.
//!
//! Three questions to the kernel: the listeners (cheap: they have a hash of their own), then all other sockets without
//! extensions, then, only where there is something whose age matters, those with `TCP_INFO`. The answers are aggregated
//! while they arrive, those of very many sockets in two threads; of a connection nothing is kept but, where processes are
//! wanted, its inode and state.

mod age;
mod connections;
mod destination;
mod hash;
mod listener;
mod process;
mod size;

use age::Ages;
use connections::Connections;
use listener::Listeners;

pub use destination::Destination;
pub use listener::{AcceptQueue, Listener};
pub use process::{Process, Share};

use super::{Extension, Query, SockDiag, States};
use crate::failure::Failure;
use crate::netlink::Consistency;
use crate::owners::Owners;
use crate::sys::TcpState;

/// Sockets in each state, by [`TcpState::number`].
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct StateCounts([u32; 13]);

impl StateCounts {
    #[inline]
    fn add(&mut self, state: TcpState) {
        self.0[usize::from(state.number())] += 1;
    }

    fn add_all(&mut self, others: Self) {
        for (count, other) in self.0.iter_mut().zip(others.0) {
            *count += other;
        }
    }

    /// How many are in a state.
    pub fn get(&self, state: TcpState) -> u32 {
        self.0[usize::from(state.number())]
    }

    /// All of them.
    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }

    /// Every state that has one.
    pub fn iter(&self) -> impl Iterator<Item = (TcpState, u32)> + '_ {
        let counts = TcpState::ALL.into_iter().map(|state| (state, self.get(state)));
        counts.filter(|&(_, count)| count > 0)
    }
}

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// `ip_local_port_range`, both ends included.
    pub port_range: (u16, u16),
    /// Destinations that are given, those with most sockets.
    pub max_destinations: usize,
    /// Processes with sockets in CLOSE_WAIT that are given.
    pub max_processes: usize,
    /// Who holds which socket; without it, nobody is named.
    pub owners: Option<&'a Owners>,
}

/// All that was found.
#[derive(Debug)]
pub struct Census {
    /// Sockets by state.
    pub states: StateCounts,
    /// By port, then address.
    pub listeners: Vec<Listener>,
    /// Most sockets first.
    pub destinations: Vec<Destination>,
    /// How many there were beyond that.
    pub destinations_left_out: usize,
    /// Processes with sockets in CLOSE_WAIT, most first.
    pub processes: Vec<Process>,
    /// Sockets in closing states that no process holds.
    pub orphans: StateCounts,
    /// Half-open requests whose listener is gone.
    pub stale_syn_recv: u32,
    /// Whether the kernel reported that it changed while it was read.
    pub consistency: Consistency,
}

/// Counts the sockets of the network namespace of the calling thread. Needs no privilege.
pub fn census(options: &Options<'_>) -> Result<Census, Failure> {
    let mut diag = SockDiag::open()?;
    let mut listeners = Listeners::default();
    let listening = States::of(&[TcpState::Listen]);
    let first = diag.dump(&[Query::new(listening).and(Extension::Memory)], &mut listeners)?;
    listeners.index();

    let mut connections = Connections::new(&listeners, options);
    // The hash is one for all namespaces: finding nothing in it takes as long as there are sockets of others in it.
    let second = match size::hashed_sockets() {
        Some(0) => Consistency::Whole,
        sockets => connections.read(&mut diag, Query::new(States::ALL.without(listening)), sockets)?,
    };

    let questions = connections.questions();
    let mut ages = Ages::new(&listeners);
    if !questions.is_empty() {
        diag.dump(&questions, &mut ages)?;
    }
    Ok(connections.finish(&ages, first.and(second)))
}
