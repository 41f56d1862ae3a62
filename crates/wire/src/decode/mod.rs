//! Frame to [`Packet`]: link layer, tags, tunnels, IP, TCP, and the segment that an ICMP error quotes.
//!
//! One file a layer; each is a few methods on [`Walk`], the decoding of one frame. A layer takes its header off and calls
//! the next one, so the path of an ordinary segment is three calls deep and allocates nothing.
//!
//! **Limits.** Everything that could repeat has a constant: [`MAX_TUNNELS`], [`MAX_TAGS`], `MAX_LABELS`,
//! `MAX_EXTENSIONS`, `MAX_ROUTES`. A frame is never read past its slice: headers are taken as fixed-size arrays.
//!
//! **Lengths.** Three lengths disagree in real captures: what was captured, what the file says was on the wire, and what
//! the headers claim. Headers win where they claim less (the rest is padding); the wire wins where they claim more, and
//! that is counted as [`Defect::IpMalformed`], unless the missing bytes are known to be in another fragment.

mod bytes;
mod checksum;
mod cooked;
mod encaps;
mod ethernet;
mod gre;
mod icmp;
mod ip;
mod mpls;
mod options;
mod ppp;
mod tcp;
mod udp;

use crate::{Defect, Defects, EncapTable, Frame, Packet};
use bytes::Bytes;
use encaps::Encaps;

/// The most tunnels inside one another that are followed. Real networks nest three (GTP-U over VXLAN over MPLS).
pub const MAX_TUNNELS: usize = 8;

/// The most VLAN tags of one frame, inside and outside of tunnels, that are followed.
pub const MAX_TAGS: usize = 8;

/// What the decoder may be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Verify the checksums of IPv4 and TCP. Off by default: a sender that leaves them to its network card is captured
    /// before they are filled in.
    pub verify_checksums: bool,
}

/// Decodes frames, one after the other. It remembers nothing but the encapsulations that it met.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    options: Options,
    encaps: Encaps,
}

impl Decoder {
    /// A decoder with an empty [`EncapTable`].
    pub fn new(options: Options) -> Self {
        Self {
            options,
            encaps: Encaps::default(),
        }
    }

    /// What `frame` means to a handshake. Whatever is wrong with it is counted in `defects`.
    pub fn decode(&mut self, frame: &Frame<'_>, defects: &mut Defects) -> Packet {
        let mut packet = Packet::Other;
        self.decode_into(frame, defects, &mut packet);
        packet
    }

    /// The same, written where it is to stay: a packet is large enough that copying it costs as much as decoding it. False
    /// when the frame is [`Packet::Other`]; then `packet` is left as it was.
    pub fn decode_into(&mut self, frame: &Frame<'_>, defects: &mut Defects, packet: &mut Packet) -> bool {
        self.encaps.reset();
        let mut walk = Walk {
            frame,
            interface: frame.interface,
            verify: self.options.verify_checksums,
            defects,
            encaps: &mut self.encaps,
            packet,
        };
        walk.link(Bytes::of(frame)) == Found::Packet
    }

    /// The encapsulations behind the numbers in the packets.
    pub fn encaps(&self) -> &EncapTable {
        self.encaps.table()
    }
}

/// The decoding of one frame.
struct Walk<'w> {
    frame: &'w Frame<'w>,
    interface: u32,
    verify: bool,
    defects: &'w mut Defects,
    encaps: &'w mut Encaps,
    /// Where the result goes.
    packet: &'w mut Packet,
}

/// What a frame leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// What stands in [`Walk::packet`].
    Packet,
    /// [`Packet::Other`].
    Nothing,
}

impl Walk<'_> {
    /// Dispatches on the number in the LINKTYPE registry, <https://www.tcpdump.org/linktypes.html>.
    fn link(&mut self, b: Bytes<'_>) -> Found {
        match self.frame.link.0 {
            1 => self.ethernet(b),
            // RAW is 101 in files; 12 and 14 are what DLT_RAW is on most systems and on OpenBSD, and some programs
            // write the DLT number as it is.
            12 | 14 | 101 | 228 | 229 => self.raw_ip(b),
            0 => self.null(b),
            108 => self.loopback(b),
            113 => self.linux_sll(b),
            276 => self.linux_sll2(b),
            9 => self.ppp(b),
            50 => self.ppp_serial(b),
            51 => self.pppoe(b),
            104 => self.cisco_hdlc(b),
            166 | 204 => self.ppp_with_direction(b),
            100 => self.llc(b),
            239 => self.nflog(b),
            _ => self.lost(Defect::UnknownLinkType),
        }
    }

    /// Counts `defect`: the frame says no more.
    #[cold]
    fn lost(&mut self, defect: Defect) -> Found {
        self.defects.add(defect);
        Found::Nothing
    }
}
