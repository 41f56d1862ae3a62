//! What is left of a frame: captured bytes, and how many there were on the wire.

use crate::Frame;

/// The bytes of one layer and of everything inside it.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a> {
    /// What was captured of it.
    pub data: &'a [u8],
    /// How long it was on the wire; never less than `data`.
    pub wire: usize,
    /// Known to go on elsewhere: a first fragment, or a packet whose header claims more than the wire had.
    pub partial: bool,
}

impl<'a> Bytes<'a> {
    /// A whole frame. A file that claims fewer bytes on the wire than it holds is not believed.
    pub fn of(frame: &Frame<'a>) -> Self {
        Self {
            data: frame.data,
            wire: (frame.wire_len as usize).max(frame.data.len()),
            partial: false,
        }
    }

    /// Takes a header of `N` bytes off; `None` when less was captured.
    #[inline]
    pub fn split<const N: usize>(self) -> Option<(&'a [u8; N], Self)> {
        let (head, data) = self.data.split_first_chunk::<N>()?;
        Some((
            head,
            Self {
                data,
                wire: self.wire - N,
                ..self
            },
        ))
    }

    /// Without the first `n` bytes; `None` when less was captured.
    #[inline]
    pub fn skip(self, n: usize) -> Option<Self> {
        let data = self.data.get(n..)?;
        Some(Self {
            data,
            wire: self.wire - n,
            ..self
        })
    }

    /// Without what follows the first `n` bytes (padding, trailers).
    #[inline]
    pub fn limit(self, n: usize) -> Self {
        Self {
            data: self.data.get(..n).unwrap_or(self.data),
            wire: self.wire.min(n),
            ..self
        }
    }
}

/// Two bytes at `at`, network order.
pub(super) fn be16(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..)?.first_chunk().map(|b| u16::from_be_bytes(*b))
}
