//! Where finished handshakes go.

use crate::Handshake;
use crate::finish::finish;
use crate::flow::Flow;
use crate::lone::{Lone, Unanswered};
use crate::store::{Removed, Whole};

/// A connection that is over, before its record is written out: much smaller, so that another thread can do that.
#[derive(Debug)]
pub struct Ended<'a> {
    removed: Removed<'a>,
    evicted: bool,
}

impl<'a> Ended<'a> {
    /// Out of the table.
    pub(crate) const fn new(removed: Removed<'a>, evicted: bool) -> Self {
        Self { removed, evicted }
    }

    /// A lone SYN that was never in the table.
    pub(crate) fn of_syn(flow: &Flow, evicted: bool) -> Self {
        Self::new(Removed::Lone(Lone::pack(flow)), evicted)
    }

    /// It, as one of an [`EndedList`].
    pub const fn leaving(&self) -> Leaving<'_> {
        let evicted = self.evicted;
        match &self.removed {
            Removed::Lone(lone) => Leaving::lone(lone, evicted),
            Removed::Whole(whole) => Leaving::whole(whole, evicted),
        }
    }

    /// Its record.
    pub fn record(&self) -> Handshake {
        self.leaving().record()
    }
}

/// Connections that are over, in the order in which they ended: each kind in memory of its own, one behind the other.
#[derive(Debug, Default)]
pub struct EndedList {
    lone: Vec<Lone>,
    whole: Vec<Whole>,
    /// For each one: is it a whole one, was it evicted?
    kinds: Vec<(bool, bool)>,
}

impl EndedList {
    /// Adds one.
    pub fn push(&mut self, ended: Ended<'_>) {
        match ended.removed {
            Removed::Lone(lone) => {
                self.kinds.push((false, ended.evicted));
                self.lone.push(lone);
            }
            Removed::Whole(whole) => {
                self.kinds.push((true, ended.evicted));
                self.whole.push(whole.take());
            }
        }
    }

    /// What they take, in lone SYNs.
    pub const fn weight(&self) -> usize {
        self.lone.len() + 4 * self.whole.len()
    }

    /// They, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Leaving<'_>> {
        let (mut lone, mut whole) = (self.lone.iter(), self.whole.iter());
        self.kinds.iter().filter_map(move |&(is_whole, evicted)| {
            Some(if is_whole {
                Leaving::whole(whole.next()?, evicted)
            } else {
                Leaving::lone(lone.next()?, evicted)
            })
        })
    }

    /// Empties it for the next use.
    pub fn clear(&mut self) {
        self.lone.clear();
        self.whole.clear();
        self.kinds.clear();
    }
}

/// A connection that is over, wherever it stands.
#[derive(Clone, Copy, Debug)]
pub struct Leaving<'a> {
    what: What<'a>,
    evicted: bool,
}

#[derive(Clone, Copy, Debug)]
enum What<'a> {
    Lone(&'a Lone),
    Whole(&'a Whole),
}

impl<'a> Leaving<'a> {
    const fn lone(lone: &'a Lone, evicted: bool) -> Self {
        let what = What::Lone(lone);
        Self { what, evicted }
    }

    const fn whole(whole: &'a Whole, evicted: bool) -> Self {
        let what = What::Whole(whole);
        Self { what, evicted }
    }

    /// What a summary needs of it, where it is one ordinary SYN and nothing else.
    pub fn unanswered(&self) -> Option<Unanswered> {
        match self.what {
            What::Lone(lone) => lone.unanswered(self.evicted),
            What::Whole(_) => None,
        }
    }

    /// Its record.
    pub fn record(&self) -> Handshake {
        match self.what {
            What::Lone(lone) => finish(&lone.unpack(), None, self.evicted),
            What::Whole(whole) => finish(&whole.flow, Some(&whole.detail), self.evicted),
        }
    }
}

/// Takes each handshake once, when nothing that is still to come can change it.
pub trait Sink {
    /// Takes one handshake. They come in the order in which they end, which is not the order in which they begin.
    fn handshake(&mut self, handshake: &Handshake);

    /// Takes one before its record is made. A sink that hands it to another thread overrides this.
    fn ended(&mut self, ended: Ended<'_>) {
        self.handshake(&ended.record());
    }
}
