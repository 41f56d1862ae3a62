//! Netlink: framing, requests, and dumps that are read whole. `include/uapi/linux/netlink.h`.
//!
//! **Architecture Invariant:** lengths inside a message never lead outside it; what does not fit ends the walk.

mod bytes;
mod generic;
mod message;
mod request;
mod socket;

pub use bytes::{u8_at, u16_at, u16_be_at, u32_at, u64_at};
pub use generic::{GENERIC_HEADER, generic_family, generic_header};
pub use message::{Attributes, Message, Messages};
pub use request::{Request, attribute};
pub use socket::{Consistency, Netlink, Outcome, Receiver, retry};
