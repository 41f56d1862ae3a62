//! Where finished handshakes go.

use crate::Handshake;
use crate::finish::finish;
use crate::flow::Flow;
use crate::lone::{Lone, Unanswered};
use crate::store::{Removed, Whole};

/// A connection that is over, before its record is written out: much smaller, so that another thread can do that.
#[derive(Clone, Debug)]
pub struct Ended(Inner);

#[derive(Clone, Debug)]
enum Inner {
    Lone(Lone),
    Whole(Box<Whole>),
    Evicted(Box<Whole>),
}

impl Ended {
    /// Out of the table.
    pub(crate) fn new(removed: Removed, evicted: bool) -> Self {
        Self(match removed {
            Removed::Lone(mut lone) => {
                if evicted {
                    lone.set_evicted();
                }
                Inner::Lone(lone)
            }
            Removed::Whole(whole) if evicted => Inner::Evicted(whole),
            Removed::Whole(whole) => Inner::Whole(whole),
        })
    }

    /// A lone SYN that was never in the table.
    pub(crate) fn of_syn(flow: &Flow, evicted: bool) -> Self {
        Self::new(Removed::Lone(Lone::pack(flow)), evicted)
    }

    /// What a summary needs of it, where it is one ordinary SYN and nothing else.
    pub fn unanswered(&self) -> Option<Unanswered> {
        match &self.0 {
            Inner::Lone(lone) => lone.unanswered(),
            _ => None,
        }
    }

    /// Its record.
    pub fn record(&self) -> Handshake {
        match &self.0 {
            Inner::Lone(lone) => finish(&lone.unpack(), None, lone.is_evicted()),
            Inner::Whole(whole) => finish(&whole.flow, Some(&whole.detail), false),
            Inner::Evicted(whole) => finish(&whole.flow, Some(&whole.detail), true),
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
