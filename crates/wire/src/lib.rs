//! # wire: bytes to segments
//!
//! The lowest layer. It knows file formats and packet formats and nothing else: no connection, no clock, no socket.
//!
//! - [`capture`] turns a file, a pipe or several files into [`Frame`]s: pcap, pcapng, gzip, zstd.
//! - [`decode`] turns a [`Frame`] into a [`Segment`]: link layers, tags, tunnels, IP, TCP, and ICMP errors.
//! - [`defect`] names and counts everything that was wrong on the way.
//!
//! **Limits.** Captures are hostile input. Nothing here panics, reads past its slice, or allocates by a length field
//! alone; every depth and every buffer has a constant beside it that bounds it. Malformed input is a counted
//! [`Defect`], never an error that ends the reading while something readable is left.
//!
//! **Architecture Invariant:** this crate depends on no other crate of ours, contains no `unsafe`, and never reads a clock.
#![forbid(unsafe_code)]

pub mod address;
pub mod capture;
pub mod decode;
pub mod defect;
pub mod encap;
pub mod frame;
pub mod segment;

pub use address::Address;
pub use decode::Decoder;
pub use defect::{Defect, Defects};
pub use encap::{Encap, EncapId, EncapTable, Tunnel};
pub use frame::{Frame, LinkType};
pub use segment::{FastOpenOption, Flags, IcmpError, Packet, Segment, SynOptions};
