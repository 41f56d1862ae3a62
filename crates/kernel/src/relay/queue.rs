//! Packets under way, by the time at which they arrive.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::Direction;

/// A packet under way.
#[derive(Debug)]
pub struct Parcel {
    /// When it arrives, monotonic nanoseconds.
    pub due_ns: u64,
    /// Which way it goes.
    pub direction: Direction,
    /// The packet.
    pub bytes: Vec<u8>,
    order: u64,
}

impl PartialEq for Parcel {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Parcel {}

impl PartialOrd for Parcel {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Parcel {
    /// The heap gives the greatest: the earliest, and of two the one that came first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due_ns, other.order).cmp(&(self.due_ns, self.order))
    }
}

/// The packets under way.
#[derive(Debug, Default)]
pub struct Queue {
    heap: BinaryHeap<Parcel>,
    order: u64,
    waiting: [usize; 2],
}

impl Queue {
    /// How many wait in a direction.
    pub fn waiting(&self, direction: Direction) -> usize {
        self.waiting[direction.index()]
    }

    /// Adds one.
    pub fn push(&mut self, due_ns: u64, direction: Direction, bytes: Vec<u8>) {
        self.order += 1;
        self.waiting[direction.index()] += 1;
        self.heap.push(Parcel {
            due_ns,
            direction,
            bytes,
            order: self.order,
        });
    }

    /// Takes the next one that is due.
    pub fn pop_due(&mut self, now_ns: u64) -> Option<Parcel> {
        if self.heap.peek()?.due_ns > now_ns {
            return None;
        }
        let parcel = self.heap.pop()?;
        self.waiting[parcel.direction.index()] -= 1;
        Some(parcel)
    }

    /// When the next one is due.
    pub fn next_due_ns(&self) -> Option<u64> {
        self.heap.peek().map(|parcel| parcel.due_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;
    use crate::relay::Direction::{Backward, Forward};

    #[test]
    fn what_is_due_comes_out_in_the_order_of_its_time_then_of_its_arrival() {
        let mut queue = Queue::default();
        for (due, name) in [(30, b"c"), (10, b"a"), (20, b"b"), (20, b"B")] {
            queue.push(due, if due == 30 { Backward } else { Forward }, name.to_vec());
        }
        assert_eq!((queue.waiting(Forward), queue.next_due_ns()), (3, Some(10)));
        let mut due = Vec::new();
        while let Some(parcel) = queue.pop_due(20) {
            due.extend(parcel.bytes);
        }
        assert_eq!(due, b"abB");
        assert_eq!((queue.waiting(Forward), queue.waiting(Backward)), (0, 1));
    }
}
