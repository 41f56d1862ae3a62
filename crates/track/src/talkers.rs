//! Hosts that sent segments of connections from before the capture: they are there, whatever else goes unanswered.

use std::collections::HashSet;

use halfopen_wire::Address;

/// Addresses that are remembered; those that come after are not. Some 100 KiB.
const LIMIT: usize = 4096;

/// The hosts.
#[derive(Debug, Default)]
pub struct Talkers {
    hosts: HashSet<Address>,
    /// The last two senders, mostly the two ends of one connection: nearly every segment is theirs.
    last: [Option<Address>; 2],
}

impl Talkers {
    /// Notes the sender of a segment.
    pub fn add(&mut self, sender: Address) {
        if self.last.contains(&Some(sender)) {
            return;
        }
        self.last = [Some(sender), self.last[0]];
        if self.hosts.len() < LIMIT {
            self.hosts.insert(sender);
        }
    }

    /// Them, in order.
    pub fn list(&self) -> Vec<Address> {
        let mut list: Vec<Address> = self.hosts.iter().copied().collect();
        list.sort_unstable();
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_once_and_not_more_than_so_many() {
        let mut talkers = Talkers::default();
        for last in [1, 2, 1, 2, 3, 1] {
            talkers.add(Address::from_v4([10, 0, 0, last]));
        }
        assert_eq!(talkers.list().len(), 3);
        for i in 0..2 * LIMIT as u32 {
            talkers.add(Address::from_v4(i.to_be_bytes()));
        }
        assert_eq!(talkers.list().len(), LIMIT);
    }
}
