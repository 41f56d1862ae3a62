//! Who holds the sockets.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::StateCounts;
use super::hash::Fold;
use crate::owners::Owners;
use crate::sys::TcpState;

/// Processes that are named for a destination.
const SHARES: usize = 3;
/// For sockets that belong to no destination.
const NONE: u32 = u32::MAX;

/// How many sockets of a destination a process holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// Process id.
    pub pid: u32,
    /// Sockets.
    pub sockets: u32,
}

/// A process with sockets in CLOSE_WAIT.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Its connections by state.
    pub states: StateCounts,
    /// How long the oldest CLOSE_WAIT has heard nothing, milliseconds.
    pub close_wait_oldest_ms: Option<u32>,
}

/// Connections with an inode: (inode, state, destination).
#[derive(Default, Debug)]
pub(super) struct Held(Vec<(u32, TcpState, u32)>);

impl Held {
    #[inline]
    pub fn add(&mut self, inode: u32, state: TcpState, destination: Option<u32>) {
        self.0.push((inode, state, destination.unwrap_or(NONE)));
    }

    /// Adds what another has found, whose destinations have these numbers here.
    pub fn merge(&mut self, other: &Self, numbers: &[u32]) {
        let here = |number: u32| numbers.get(number as usize).copied().unwrap_or(NONE);
        let renumbered = other
            .0
            .iter()
            .map(|&(inode, state, number)| (inode, state, here(number)));
        self.0.extend(renumbered);
    }

    /// For each of the destinations, in their order, the processes with most of its sockets.
    pub fn shares(&self, destinations: &[u32], owners: &Owners) -> Vec<Vec<Share>> {
        let places = destinations.iter().enumerate().map(|(place, &number)| (number, place));
        let places: HashMap<u32, usize, Fold> = places.collect();
        let mut counts: Vec<HashMap<u32, u32, Fold>> = vec![HashMap::default(); destinations.len()];
        for (inode, _, destination) in &self.0 {
            let Some(&place) = places.get(destination) else {
                continue;
            };
            for pid in owners.pids(*inode) {
                *counts[place].entry(pid).or_default() += 1;
            }
        }
        counts.into_iter().map(largest).collect()
    }

    /// The processes with most sockets in CLOSE_WAIT.
    pub fn processes(&self, owners: &Owners, ages: &HashMap<u32, u32, Fold>, most: usize) -> Vec<Process> {
        let mut processes: HashMap<u32, Process, Fold> = HashMap::default();
        for &(inode, state, _) in &self.0 {
            for pid in owners.pids(inode) {
                let process = processes.entry(pid).or_insert_with(|| Process {
                    pid,
                    states: StateCounts::default(),
                    close_wait_oldest_ms: None,
                });
                process.states.add(state);
                if state == TcpState::CloseWait {
                    process.close_wait_oldest_ms = process.close_wait_oldest_ms.max(ages.get(&inode).copied());
                }
            }
        }
        let leaking = |process: &Process| process.states.get(TcpState::CloseWait);
        let mut all: Vec<Process> = processes.into_values().filter(|process| leaking(process) > 0).collect();
        all.sort_by_key(|process| (Reverse(leaking(process)), process.pid));
        all.truncate(most);
        all
    }
}

fn largest(counts: HashMap<u32, u32, Fold>) -> Vec<Share> {
    let mut shares: Vec<Share> = counts
        .into_iter()
        .map(|(pid, sockets)| Share { pid, sockets })
        .collect();
    shares.sort_by_key(|share| (Reverse(share.sockets), share.pid));
    shares.truncate(SHARES);
    shares
}
