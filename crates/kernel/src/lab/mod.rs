//! What only a laboratory may do: make network namespaces, and send SYNs that nobody asked for.
//!
//! A namespace of the laboratory carries a mark, the alternative name [`MARK`] of its loopback device. [`flood`] sends only
//! from a thread that is in a marked namespace which is not the process's own, so that no mistake of a caller can let a packet out.

pub mod flood;
mod namespace;

pub use namespace::{NotOurs, create_namespace, ensure_ours, unshare_user};

/// Alternative name of the loopback device that marks a namespace of the laboratory.
pub const MARK: &str = "halfopen-lab";
