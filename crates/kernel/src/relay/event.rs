//! What the relay did to which packet.

use super::Direction;
use super::flows::Kind;
use crate::packet::Tcp;

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    /// A fault, by its place among all that there were.
    Fault(usize),
    /// The link lost it.
    Lost,
    /// The link delivered it twice.
    Duplicated,
    /// It overtook others.
    Reordered,
    /// It was larger than the link's MTU.
    TooLarge,
    /// The link's queue was full.
    QueueFull,
    /// The receiving device did not take it.
    Refused,
}

impl Deed {
    /// `fault`, `lost`, …
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fault(_) => "fault",
            Self::Lost => "lost",
            Self::Duplicated => "duplicated",
            Self::Reordered => "reordered",
            Self::TooLarge => "too_large",
            Self::QueueFull => "queue_full",
            Self::Refused => "refused",
        }
    }
}

/// One deed.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// Nanoseconds since the epoch.
    pub time_ns: i64,
    /// Which way the packet went.
    pub direction: Direction,
    /// What it was.
    pub kind: Kind,
    /// Its segment, where it was TCP.
    pub tcp: Option<Tcp>,
    /// What became of it.
    pub deed: Deed,
}
