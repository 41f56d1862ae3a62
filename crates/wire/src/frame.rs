//! What a capture file yields: the bytes of one frame and when, where and as what they were seen.

/// A link-layer type, in the numbers of the pcap LINKTYPE registry (<https://www.tcpdump.org/linktypes.html>).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LinkType(pub u32);

/// One captured frame, borrowed from the reader's buffer.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Capture time, nanoseconds since the epoch. Negative only where the file says so.
    pub time_ns: i64,
    /// Whether `time_ns` is the frame's own. If not, it is that of the frame before, and only says in which order they came.
    pub timed: bool,
    /// 1-based number of the frame in its file, as Wireshark counts.
    pub number: u64,
    /// Index of the file in the order in which the inputs were given.
    pub file: u32,
    /// How to read `data`.
    pub link: LinkType,
    /// Which interface of the file saw it (pcapng interface, 0 otherwise). A link layer that names the interface
    /// itself (SLL2) overrides this in the [`crate::Segment`].
    pub interface: u32,
    /// Length on the wire, bytes, as the file claims; `data` may be shorter (snaplen).
    pub wire_len: u32,
    /// The captured bytes.
    pub data: &'a [u8],
}
