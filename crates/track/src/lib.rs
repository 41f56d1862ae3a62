//! # track: segments and time to handshakes
//!
//! The middle layer: an observer on the path. It sees segments of both directions, some of them lost, doubled or out of
//! order, and says of every attempt to open a connection how it ended and how long each part took.
//!
//! - [`state`] is THE table; `classify` holds the numbers of a segment against its flow; `effect`
//!   (with `syns`, `syn_acks`, `acks`, `closing`) and `walk` write what it says.
//! - [`tracker`] joins each segment to its flow; `books` begin and end flows, number them, and keep the table bounded.
//! - [`record`] is the result: one [`Handshake`] an attempt, `halfopen.handshake/1`.
//! - [`sink`] takes them; [`summary`] is the sink that turns many into numbers, with [`quantiles`].
//!
//! **Architecture Invariant:** the clock is always an argument (the packets' own time); no file, no socket, no Python.
#![forbid(unsafe_code)]

mod acks;
mod believed;
mod books;
mod classify;
mod closing;
mod copied;
mod detail;
mod effect;
mod fetch;
mod fingerprint;
mod finish;
mod flow;
mod frame_ref;
mod half;
mod held;
mod index;
mod key;
mod linger;
mod lone;
mod named;
mod packed;
mod past;
pub mod quantiles;
pub mod record;
mod reorder;
mod ring;
pub mod sink;
mod slab;
pub mod state;
mod store;
mod stray;
mod stream;
pub mod summary;
mod syn_acks;
mod syns;
mod talkers;
pub mod tracker;
mod walk;
mod witness;

pub use books::{Limits, TrackStats};
pub use fetch::{Fetch, Unfetched};
pub use key::{Key, KeyHasher};
pub use lone::Unanswered;
pub use record::{Anomalies, Anomaly, Close, FastOpen, Handshake, Outcome, Side, SideOptions, TimeWait};
pub use sink::{Ended, EndedList, Leaving, Sink};
pub use summary::Summary;
pub use tracker::Tracker;
pub use witness::{Step, Witness};
