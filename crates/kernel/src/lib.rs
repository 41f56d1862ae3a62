//! # kernel: sockets and the kernel
//!
//! The only crate with `unsafe`: `sock_diag`, packet rings, the connect engine and eBPF live here, each as a module.
//!
//! - [`capture`]: packets of handshakes into a file.
//! - [`connect`]: one measured `connect()`, with what the kernel knows about it.
//! - [`lab`]: namespaces, and SYNs from nowhere inside them.
//! - [`load`]: many of them, as fast as asked.
//! - [`serve`]: the other end, with every knob of the handshake.
//! - [`relay`]: a link between two namespaces that loses and changes packets on purpose.
//! - [`diag`]: every TCP socket of a network namespace.
//! - [`netns`], [`owners`]: into other namespaces, and who holds a socket.
//! - [`network`]: interfaces, routes, remembered peers, tracked connections.
//! - [`settings`]: what `/proc/sys` holds.
//! - [`netlink`]: how the kernel is asked.
//! - [`sys`]: the system calls and structures that they share.
//!
//! **Architecture Invariant:** every `unsafe` block argues its SAFETY; this crate and `track` never see each other.

pub mod capture;
pub mod connect;
pub mod diag;
pub mod failure;
pub mod lab;
pub mod load;
pub mod memory;
pub mod netlink;
pub mod netns;
pub mod network;
pub mod owners;
pub mod packet;
pub mod policy;
mod random;
pub mod relay;
pub mod serve;
pub mod settings;
pub mod sys;
