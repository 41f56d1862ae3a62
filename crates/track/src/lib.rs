//! # track: segments and time to handshakes
//!
//! The middle layer: an observer on the path. It sees segments of both directions, some of them lost, doubled or out of
//! order, and says of every attempt to open a connection how it ended and how long each part took.
//!
//! - [`record`] is the result: one [`Handshake`] an attempt, `halfopen.handshake/1`.
//! - [`sink`] takes them; [`summary`] is the sink that turns many into numbers, with [`quantiles`].
//!
//! **Architecture Invariant:** the clock is always an argument (the packets' own time); no file, no socket, no Python.
#![forbid(unsafe_code)]

pub mod quantiles;
pub mod record;
pub mod sink;
pub mod summary;

pub use record::{Anomalies, Anomaly, Close, FastOpen, Handshake, Outcome, Side, SideOptions, TimeWait};
pub use sink::Sink;
pub use summary::Summary;
