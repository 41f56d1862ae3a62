//! A link between two namespaces that loses, delays and changes packets on purpose, and says what it did to which.
//!
//! Two TUN devices, one in each namespace, and a thread that carries IP packets from one to the other. [`Link`] is what any
//! link may do to any packet (delay, jitter, loss, duplication, reordering, rate, MTU); a [`Fault`] is surgical: «drop the
//! first SYN-ACK of each connection», «strip the window scale option», «answer the SYN with RST». Chance comes from a
//! generator with a seed, so that a run can be had again. It needs no netem.
//!
//! The devices take no offloads, so every packet arrives with its checksums filled in and at most one MTU long.
//!
//! **Limits.** [`engine::QUEUE_MAX`] packets wait in a direction, [`engine::EVENTS_MAX`] events are kept,
//! [`flows::FLOWS_MAX`] connections are told apart; what goes beyond is counted.

pub mod engine;
mod event;
mod fault;
pub mod flows;
mod link;
mod queue;
mod text;
mod tun;

pub use crate::packet::Tcp;
pub use engine::{Relay, Report};
pub use event::{Deed, Event};
pub use fault::{Action, Fault, Pattern};
pub use flows::Kind;
pub use link::Link;
pub use text::SpecError;
pub use tun::Tun;

/// Which way a packet goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// From the first device to the second.
    Forward,
    /// From the second device to the first.
    Backward,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Forward => Self::Backward,
            Self::Backward => Self::Forward,
        }
    }

    /// 0 or 1.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// `forward` or `backward`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }
}
