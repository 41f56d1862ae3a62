//! Where finished handshakes go.

use halfopen_wire::Address;

use crate::Handshake;
use crate::finish::finish;
use crate::flow::Flow;
use crate::half::Half;
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
        Self::new(Removed::Rare(Box::new(flow.clone())), evicted)
    }

    /// It, as one of an [`EndedList`].
    pub const fn leaving(&self) -> Leaving<'_> {
        let what = match &self.removed {
            Removed::Lone(lone, wide) => What::Lone(lone, *wide),
            Removed::Rare(flow) => What::Rare(flow),
            Removed::Half(half) => What::Half(half),
            Removed::Whole(whole) => What::Whole(whole),
        };
        let evicted = self.evicted;
        Leaving { what, evicted }
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
    /// Of those over IPv6.
    wide: Vec<u128>,
    rare: Vec<Flow>,
    half: Vec<Half>,
    whole: Vec<Whole>,
    /// For each one: of which kind is it, was it evicted?
    kinds: Vec<(Kind, bool)>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Lone,
    Rare,
    Half,
    Whole,
}

impl EndedList {
    /// Adds one.
    pub fn push(&mut self, ended: Ended<'_>) {
        let kind = match ended.removed {
            Removed::Lone(lone, wide) => {
                self.lone.push(*lone);
                if lone.is_v6() {
                    self.wide.push(wide);
                }
                Kind::Lone
            }
            Removed::Rare(flow) => {
                self.rare.push(*flow);
                Kind::Rare
            }
            Removed::Half(half) => {
                self.half.push(half.clone());
                Kind::Half
            }
            Removed::Whole(whole) => {
                self.whole.push(whole.take());
                Kind::Whole
            }
        };
        self.kinds.push((kind, ended.evicted));
    }

    /// What they take, in lone SYNs.
    pub const fn weight(&self) -> usize {
        self.lone.len() + 4 * (self.rare.len() + self.half.len() + self.whole.len())
    }

    /// They, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Leaving<'_>> {
        let (mut lone, mut wide) = (self.lone.iter(), self.wide.iter());
        let (mut rare, mut half, mut whole) = (self.rare.iter(), self.half.iter(), self.whole.iter());
        self.kinds.iter().filter_map(move |&(kind, evicted)| {
            let what = match kind {
                Kind::Lone => {
                    let lone = lone.next()?;
                    let wide = if lone.is_v6() { *wide.next()? } else { 0 };
                    What::Lone(lone, wide)
                }
                Kind::Rare => What::Rare(rare.next()?),
                Kind::Half => What::Half(half.next()?),
                Kind::Whole => What::Whole(whole.next()?),
            };
            Some(Leaving { what, evicted })
        })
    }

    /// Those of which more than a SYN was seen, in their order.
    pub fn wholes(&self) -> impl Iterator<Item = Leaving<'_>> {
        // Evicted or not: that is not asked of them.
        let evicted = false;
        self.whole.iter().map(move |whole| Leaving {
            what: What::Whole(whole),
            evicted,
        })
    }

    /// Empties it for the next use.
    pub fn clear(&mut self) {
        self.lone.clear();
        self.wide.clear();
        self.rare.clear();
        self.half.clear();
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
    Lone(&'a Lone, u128),
    Rare(&'a Flow),
    Half(&'a Half),
    Whole(&'a Whole),
}

impl Leaving<'_> {
    /// What a summary needs of it, where it is one ordinary SYN and nothing else.
    pub fn unanswered(&self) -> Option<Unanswered> {
        match self.what {
            What::Lone(lone, wide) => Some(lone.unanswered(wide, self.evicted)),
            What::Rare(_) | What::Half(_) | What::Whole(_) => None,
        }
    }

    /// Whether it is one of [`EndedList::wholes`].
    pub const fn is_whole(&self) -> bool {
        matches!(self.what, What::Whole(_))
    }

    /// The endpoint that it was for, where that can be told at once.
    pub fn server(&self) -> Option<(Address, u16)> {
        match self.what {
            What::Whole(Whole { flow, .. }) | What::Rare(flow) => Some(flow.key.end(!flow.is(Flow::CLIENT_LOW))),
            What::Lone(..) | What::Half(_) => None,
        }
    }

    /// Its record.
    pub fn record(&self) -> Handshake {
        match self.what {
            What::Lone(lone, wide) => finish(&lone.unpack(wide), None, self.evicted),
            What::Rare(flow) => finish(flow, None, self.evicted),
            What::Half(half) => {
                let (flow, detail) = half.unpack();
                finish(&flow, Some(&detail), self.evicted)
            }
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
