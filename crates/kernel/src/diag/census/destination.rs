//! Where this host connects to: connections by local address, remote address and remote port.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use super::super::address::Address;
use super::super::row::Row;
use super::StateCounts;
use super::hash::Fold;
use super::process::Share;
use crate::sys::TcpState;

/// All connections from one local address to one remote address and port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destination {
    /// Local address.
    pub source: IpAddr,
    /// Remote address.
    pub destination: IpAddr,
    /// Remote port.
    pub port: u16,
    /// Sockets by state.
    pub states: StateCounts,
    /// Local ports inside the range.
    pub in_range: u32,
    /// Of those, ports of the lower bound's parity.
    pub low_parity: u32,
    /// Of those in the range, sockets in TIME_WAIT by the time that they have been in it: less than 10 s, than 20 s, …,
    /// 50 s and more. A port comes back after 60 s, so that this says how many were closed when.
    pub time_wait_ages: [u32; TIME_WAIT_AGES],
    /// SYN_SENT whose SYN has been sent more than once.
    pub retransmitting: u32,
    /// Milliseconds since the oldest connect() that is not answered.
    pub oldest_syn_ms: Option<u32>,
    /// Sockets whose local port bind() must have chosen.
    pub bound: u32,
    /// Processes with most of its sockets.
    pub shares: Vec<Share>,
}

/// Steps of [`Destination::time_wait_ages`].
pub const TIME_WAIT_AGES: usize = 6;
/// Length of one of them.
const TIME_WAIT_STEP_MS: u32 = TIME_WAIT_MS / TIME_WAIT_AGES as u32;
/// `TCP_TIMEWAIT_LEN`, a constant of the kernel.
const TIME_WAIT_MS: u32 = 60_000;

/// The step that a socket belongs to, by what is left of its time.
#[inline]
fn time_wait_age(expires_ms: u32) -> usize {
    let age_ms = TIME_WAIT_MS.saturating_sub(expires_ms);
    ((age_ms / TIME_WAIT_STEP_MS) as usize).min(TIME_WAIT_AGES - 1)
}

/// What makes a destination.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Key {
    source: Address,
    destination: Address,
    port: u16,
}

impl Key {
    #[inline]
    pub fn of(row: &Row<'_>) -> Self {
        Self {
            source: row.local(),
            destination: row.remote(),
            port: row.remote_port(),
        }
    }
}

impl Hash for Key {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let ((high, low), (remote_high, remote_low)) = (self.source.halves(), self.destination.halves());
        // The upper half is the same for most of them; the port makes no two destinations of one host meet.
        state.write_u64(low ^ high.rotate_left(32));
        state.write_u64(remote_low ^ remote_high.rotate_left(32));
        state.write_u16(self.port);
    }
}

/// Counters of one destination.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Counters {
    states: StateCounts,
    in_range: u32,
    low_parity: u32,
    time_wait_ages: [u32; TIME_WAIT_AGES],
    /// In the range, of the other parity, open, and not told to leave the choice of the port to connect().
    other_parity: u32,
    retransmitting: u32,
}

impl Counters {
    fn merge(&mut self, other: &Self) {
        self.states.add_all(other.states);
        self.in_range += other.in_range;
        self.low_parity += other.low_parity;
        for (age, others) in self.time_wait_ages.iter_mut().zip(other.time_wait_ages) {
            *age += others;
        }
        self.other_parity += other.other_parity;
        self.retransmitting += other.retransmitting;
    }
}

/// All destinations.
#[derive(Debug)]
pub(super) struct Destinations {
    numbers: HashMap<Key, u32, Fold>,
    all: Vec<(Key, Counters)>,
    low: u16,
    high: u16,
}

/// Share of the ports of one parity that may be in use before connect() must be expected to take the others, in percent:
/// it tries all of them in turn, but ports that listeners hold or that are reserved are never given.
const PARITY_FULL_PERCENT: u32 = 90;

impl Destinations {
    pub fn new((low, high): (u16, u16)) -> Self {
        Self {
            numbers: HashMap::default(),
            all: Vec::new(),
            low,
            high,
        }
    }

    /// Counts a socket; the number of its destination.
    #[inline]
    pub fn add(&mut self, row: &Row<'_>, state: TcpState) -> u32 {
        let number = self.number(Key::of(row));
        let counters = &mut self.all[number as usize].1;
        counters.states.add(state);
        let port = row.local_port();
        if (self.low..=self.high).contains(&port) {
            counters.in_range += 1;
            if state == TcpState::TimeWait {
                counters.time_wait_ages[time_wait_age(row.expires_ms())] += 1;
            }
            if (port ^ self.low) & 1 == 0 {
                counters.low_parity += 1;
            } else if row.bind_address_no_port() == Some(false) {
                counters.other_parity += 1;
            }
        }
        if state == TcpState::SynSent && row.retransmissions() > 0 {
            counters.retransmitting += 1;
        }
        number
    }

    /// Adds what another has counted of other sockets; for each of its numbers, the one here.
    pub fn merge(&mut self, other: &Self) -> Vec<u32> {
        let merge = |(key, counters): &(Key, Counters)| {
            let number = self.number(*key);
            self.all[number as usize].1.merge(counters);
            number
        };
        other.all.iter().map(merge).collect()
    }

    #[inline]
    fn number(&mut self, key: Key) -> u32 {
        let all = &mut self.all;
        *self.numbers.entry(key).or_insert_with(|| {
            all.push((key, Counters::default()));
            all.len() as u32 - 1
        })
    }

    /// The numbers of those with most sockets, most first; and how many there are beyond.
    pub fn largest(&self, most: usize) -> (Vec<u32>, usize) {
        let mut numbers: Vec<u32> = (0..self.all.len() as u32).collect();
        numbers.sort_by_cached_key(|&number| {
            let (key, counters) = &self.all[number as usize];
            (u32::MAX - counters.states.total(), *key)
        });
        let left_out = numbers.len().saturating_sub(most);
        numbers.truncate(most);
        (numbers, left_out)
    }

    /// One of them, as it is given away.
    pub fn describe(&self, number: u32, syn_ages: &HashMap<Key, u32, Fold>, shares: Vec<Share>) -> Destination {
        let (key, counters) = &self.all[number as usize];
        Destination {
            source: key.source.to_ip(),
            destination: key.destination.to_ip(),
            port: key.port,
            states: counters.states,
            in_range: counters.in_range,
            low_parity: counters.low_parity,
            time_wait_ages: counters.time_wait_ages,
            retransmitting: counters.retransmitting,
            oldest_syn_ms: syn_ages.get(key).copied(),
            bound: self.bound(counters),
            shares,
        }
    }

    /// connect() takes ports of the lower bound's parity while there are any, bind() to port 0 the others
    /// (`__inet_hash_connect`, `inet_csk_find_open_port`): until those are used up, the others were chosen by bind().
    fn bound(&self, counters: &Counters) -> u32 {
        let of_parity = u32::from(self.high.saturating_sub(self.low)) / 2 + 1;
        let is_full = counters.low_parity * 100 >= of_parity * PARITY_FULL_PERCENT;
        if is_full { 0 } else { counters.other_parity }
    }
}

#[cfg(test)]
mod tests {
    use super::time_wait_age;

    #[test]
    fn time_wait_is_counted_in_steps_of_ten_seconds() {
        // The timer of a socket may be set a little longer than the 60 s, and may be overdue.
        let steps: Vec<usize> = [60_004, 60_000, 50_001, 50_000, 9_999, 0]
            .into_iter()
            .map(time_wait_age)
            .collect();
        assert_eq!(steps, [0, 0, 0, 1, 5, 5]);
    }
}
