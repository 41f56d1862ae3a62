//! Where finished handshakes go.

use crate::Handshake;
use crate::finish::finish;
use crate::flow::Flow;
use crate::lone::{Lone, Unanswered};
use crate::store::Removed;

/// A connection that is over, before its record is written out: much smaller, so that another thread can do that.
#[derive(Clone, Debug)]
pub struct Ended {
    removed: Removed,
    evicted: bool,
}

impl Ended {
    /// Out of the table.
    pub(crate) const fn new(removed: Removed, evicted: bool) -> Self {
        Self { removed, evicted }
    }

    /// A lone SYN that was never in the table.
    pub(crate) fn of_syn(flow: &Flow, evicted: bool) -> Self {
        Self::new(Removed::Lone(Lone::pack(flow)), evicted)
    }

    /// Reads what its record will be made of, so that the processor fetches it; the result means nothing. For a whole group
    /// first, as their lines lie far apart.
    pub fn touch(&self) -> u64 {
        match &self.removed {
            Removed::Lone(_) => 0,
            Removed::Whole(whole) => whole.touch(),
        }
    }

    /// What a summary needs of it, where it is one ordinary SYN and nothing else.
    pub fn unanswered(&self) -> Option<Unanswered> {
        match &self.removed {
            Removed::Lone(lone) => lone.unanswered(self.evicted),
            Removed::Whole(_) => None,
        }
    }

    /// Its record.
    pub fn record(&self) -> Handshake {
        match &self.removed {
            Removed::Lone(lone) => finish(&lone.unpack(), None, self.evicted),
            Removed::Whole(whole) => finish(&whole.flow, Some(&whole.detail), self.evicted),
        }
    }
}

/// Takes each handshake once, when nothing that is still to come can change it.
pub trait Sink {
    /// Takes one handshake. They come in the order in which they end, which is not the order in which they begin.
    fn handshake(&mut self, handshake: &Handshake);

    /// Takes one before its record is made. A sink that hands it to another thread overrides this.
    fn ended(&mut self, ended: Ended) {
        self.handshake(&ended.record());
    }
}
