//! Everything that does not listen: each row to its listener, to its destination, or to the orphans.

use super::super::row::Row;
use super::super::{SockDiag, halves};
use super::age::Ages;
use super::destination::{Destination, Destinations};
use super::listener::{AcceptQueue, Listener, Listeners};
use super::process::{Held, Share};
use super::{Census, Extension, Options, Query, StateCounts, States};
use crate::failure::Failure;
use crate::netlink::{Consistency, Message, Receiver};
use crate::sys::TcpState;

/// What a listener's row counts of its connections.
#[derive(Clone, Copy, Default, Debug)]
struct Behind {
    half_open: u32,
    half_open_retransmitted: u32,
    queued: AcceptQueue,
}

impl Behind {
    fn merge(&mut self, other: &Self) {
        self.half_open += other.half_open;
        self.half_open_retransmitted += other.half_open_retransmitted;
        self.queued.established += other.queued.established;
        self.queued.close_wait += other.queued.close_wait;
        self.queued.unread_bytes_max = self.queued.unread_bytes_max.max(other.queued.unread_bytes_max);
    }
}

/// The counters while rows arrive.
#[derive(Debug)]
pub(super) struct Connections<'a> {
    listeners: &'a Listeners,
    options: &'a Options<'a>,
    states: StateCounts,
    orphans: StateCounts,
    stale_syn_recv: u32,
    behind: Vec<Behind>,
    destinations: Destinations,
    held: Held,
}

impl<'a> Connections<'a> {
    pub fn new(listeners: &'a Listeners, options: &'a Options<'a>) -> Self {
        Self {
            listeners,
            options,
            states: StateCounts::default(),
            orphans: StateCounts::default(),
            stale_syn_recv: 0,
            behind: vec![Behind::default(); listeners.all.len()],
            destinations: Destinations::new(options.port_range),
            held: Held::default(),
        }
    }

    /// Counts all that a query finds, of which there are so many `sockets` as far as is known.
    pub fn read(&mut self, diag: &mut SockDiag, query: Query, sockets: Option<u64>) -> Result<Consistency, Failure> {
        let Some(queries) = halves::halves(&query, sockets)? else {
            return diag.dump(&[query], self);
        };
        let mut other = Self::new(self.listeners, self.options);
        let consistency = halves::dump(&queries, [self, &mut other])?;
        self.merge(&other);
        Ok(consistency)
    }

    /// Adds what another counted of other sockets.
    fn merge(&mut self, other: &Self) {
        self.states.add_all(other.states);
        self.orphans.add_all(other.orphans);
        self.stale_syn_recv += other.stale_syn_recv;
        for (behind, others) in self.behind.iter_mut().zip(&other.behind) {
            behind.merge(others);
        }
        let numbers = self.destinations.merge(&other.destinations);
        self.held.merge(&other.held, &numbers);
    }

    #[inline]
    fn add(&mut self, row: &Row<'_>) {
        let state = row.state();
        self.states.add(state);
        let listener = self.listeners.of(row);
        let inode = row.inode();
        let number = match (listener, state) {
            (Some(number), _) => {
                if inode == 0 {
                    self.add_behind(number, row, state);
                }
                None
            }
            (None, TcpState::SynRecv) if inode == 0 => {
                self.stale_syn_recv += 1;
                None
            }
            (None, TcpState::Close) => None,
            (None, _) => Some(self.destinations.add(row, state)),
        };
        if inode == 0 {
            self.add_orphan(state);
        } else if self.options.owners.is_some() {
            self.held.add(inode, state, number);
        }
    }

    #[inline]
    fn add_orphan(&mut self, state: TcpState) {
        use TcpState::{Closing, FinWait1, FinWait2, LastAck};
        if matches!(state, FinWait1 | FinWait2 | LastAck | Closing) {
            self.orphans.add(state);
        }
    }

    fn add_behind(&mut self, number: u32, row: &Row<'_>, state: TcpState) {
        let behind = &mut self.behind[number as usize];
        match state {
            TcpState::SynRecv => {
                behind.half_open += 1;
                behind.half_open_retransmitted += u32::from(row.retransmissions() > 0);
            }
            TcpState::Established => {
                behind.queued.established += 1;
                behind.queued.unread_bytes_max = behind.queued.unread_bytes_max.max(row.receive_queue());
            }
            TcpState::CloseWait => {
                behind.queued.close_wait += 1;
                // The FIN has a sequence number of its own.
                let unread = row.receive_queue().saturating_sub(1);
                behind.queued.unread_bytes_max = behind.queued.unread_bytes_max.max(unread);
            }
            _ => {}
        }
    }

    /// What to ask about ages; nothing, where nothing waits.
    pub fn questions(&self) -> Vec<Query> {
        let mut questions = Vec::new();
        let waiting = [TcpState::SynSent, TcpState::CloseWait].map(|state| self.states.get(state));
        if waiting != [0, 0] {
            let states = States::of(&[TcpState::SynSent, TcpState::CloseWait]);
            questions.push(Query::new(states).and(Extension::Info));
        }
        let with_queue =
            |(index, behind): (usize, &Behind)| (behind.queued.established > 0).then(|| self.listeners.all[index].port);
        let mut ports: Vec<u16> = self.behind.iter().enumerate().filter_map(with_queue).collect();
        ports.dedup();
        if !ports.is_empty() {
            let states = States::of(&[TcpState::Established]);
            questions.push(Query::new(states).and(Extension::Info).on_ports(&ports));
        }
        questions
    }

    /// Everything put together.
    pub fn finish(mut self, ages: &Ages<'_>, consistency: Consistency) -> Census {
        for _ in &self.listeners.all {
            self.states.add(TcpState::Listen);
        }
        let (destinations, destinations_left_out) = self.describe_destinations(ages);
        Census {
            listeners: self.describe_listeners(ages),
            destinations,
            destinations_left_out,
            processes: self.options.owners.map_or_else(Vec::new, |owners| {
                self.held
                    .processes(owners, &ages.close_wait, self.options.max_processes)
            }),
            states: self.states,
            orphans: self.orphans,
            stale_syn_recv: self.stale_syn_recv,
            consistency,
        }
    }

    fn describe_listeners(&self, ages: &Ages<'_>) -> Vec<Listener> {
        let mut all = self.listeners.all.clone();
        for (index, (listener, behind)) in all.iter_mut().zip(&self.behind).enumerate() {
            listener.syn_queue = behind.half_open;
            listener.syn_queue_retransmitted = behind.half_open_retransmitted;
            if behind.queued.established + behind.queued.close_wait > 0 {
                let oldest_ms = ages.queued.get(&(index as u32)).copied();
                listener.queued = Some(AcceptQueue {
                    oldest_ms,
                    ..behind.queued
                });
            }
            if let Some(owners) = self.options.owners {
                listener.pids = owners.pids(listener.inode).collect();
            }
        }
        all
    }

    fn describe_destinations(&self, ages: &Ages<'_>) -> (Vec<Destination>, usize) {
        let (largest, left_out) = self.destinations.largest(self.options.max_destinations);
        let mut shares = match self.options.owners {
            Some(owners) => self.held.shares(&largest, owners),
            None => vec![Vec::new(); largest.len()],
        };
        let describe = |(&number, shares): (&u32, &mut Vec<Share>)| {
            self.destinations.describe(number, &ages.syn, std::mem::take(shares))
        };
        (largest.iter().zip(&mut shares).map(describe).collect(), left_out)
    }
}

impl Receiver for Connections<'_> {
    fn restart(&mut self) {
        *self = Self::new(self.listeners, self.options);
    }

    #[inline]
    fn message(&mut self, message: &Message<'_>) {
        if let Some(row) = Row::parse(message.payload) {
            self.add(&row);
        }
    }
}
