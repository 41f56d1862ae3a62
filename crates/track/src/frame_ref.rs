//! Where a packet is, in 8 bytes.

use std::num::NonZeroU64;

use halfopen_wire::Segment;

/// A frame number and the file it is in, in 8 bytes: 47 bits of number, one that says that it has no time of its own, 16 of
/// file. Frames are counted from 1, so that an `Option` of it is no larger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameRef(NonZeroU64);

impl FrameRef {
    const UNTIMED: u64 = 1 << 47;

    /// Of a frame with a time. Files beyond the 65 535th share the last number: their frames are still right within their file.
    pub const fn new(file: u32, frame: u64) -> Self {
        let file = if file > 0xFFFF { 0xFFFF } else { file as u64 };
        match NonZeroU64::new(file << 48 | frame & (Self::UNTIMED - 1)) {
            Some(all) => Self(all),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// Where a segment is.
    pub const fn of(segment: &Segment) -> Self {
        let new = Self::new(segment.file, segment.frame);
        if segment.timed {
            new
        } else {
            Self(new.0.saturating_add(Self::UNTIMED))
        }
    }

    /// Whether its time is known.
    pub const fn is_timed(self) -> bool {
        self.0.get() & Self::UNTIMED == 0
    }

    /// Index of the file.
    pub const fn file(self) -> u32 {
        (self.0.get() >> 48) as u32
    }

    /// 1-based number within it.
    pub const fn frame(self) -> u64 {
        self.0.get() & (Self::UNTIMED - 1)
    }
}
