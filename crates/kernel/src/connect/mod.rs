//! One measured `connect()`.
//!
//! [`probe`] opens one connection and reports everything that the kernel knows about its handshake: how long the caller of
//! `connect()` waited, the kernel's own SYN round trip, how many SYNs it took, what the two sides agreed on, and, when it
//! failed, the error number and the ICMP message behind it. With [`Options::fast_open`] data goes into the SYN; with
//! [`Options::await_data`] the probe waits for the server's first byte, which tells a server that does not accept from a
//! network that does not deliver.
//!
//! The clock is read immediately before and after the system calls. `TCP_INFO` is read before `SO_ERROR`, which resets it.

mod data;
mod engine;
mod fast_open;
mod options;
mod result;
mod retransmission;
mod socket;
mod wait;

pub use engine::{probe, probe_until};
pub use fast_open::{FastOpenFailure, FastOpenReport};
pub use options::{AwaitData, Options};
pub use result::{DataEnd, DataReport, Negotiated, Outcome, Probe, RttValidity, SetupError};
pub use retransmission::{LinearTimeouts, RetransmitWait, WaitMethod};
pub use socket::{bind_again, configure, source_socket};
pub use wait::Stop;
