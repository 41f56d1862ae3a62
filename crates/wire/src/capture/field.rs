//! Numbers in pcapng blocks, in the byte order of their section; `None` where the block ends before.

/// 16 bits.
#[inline]
pub(super) fn u16_at(bytes: &[u8], at: usize, big_endian: bool) -> Option<u16> {
    let word = *bytes.get(at..)?.first_chunk()?;
    Some(if big_endian {
        u16::from_be_bytes(word)
    } else {
        u16::from_le_bytes(word)
    })
}

/// 32 bits.
#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize, big_endian: bool) -> Option<u32> {
    let word = *bytes.get(at..)?.first_chunk()?;
    Some(if big_endian {
        u32::from_be_bytes(word)
    } else {
        u32::from_le_bytes(word)
    })
}
