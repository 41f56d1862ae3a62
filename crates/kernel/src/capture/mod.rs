//! Packets of TCP handshakes from the kernel's packet socket into a capture file. packet(7).
//!
//! - [`Filter`]: what the kernel hands over, as a program of classic BPF that it runs before it copies anything.
//! - [`Capture`]: a socket, a thread that reads it, and the file it writes.
//!
//! The file is pcap with nanoseconds and LINKTYPE_LINUX_SLL2, whatever the interfaces are: each packet carries its
//! interface and direction. VLAN tags are in it, too, though the kernel takes them off before a socket sees the packet.
//!
//! What a packet socket shows is what came from the wire before any packet filter (a SYN in it is no proof that TCP saw
//! it), and what went out behind the packet filter. A bridge, bond or tunnel shows a packet several times where all
//! interfaces are captured.

mod cooked;
mod filter;
mod program;
mod run;
mod socket;

pub use filter::{Filter, FilterError, What};
pub use run::{Capture, Limits, Report};
