//! Zstandard, RFC 8878: frames and skippable frames in any order, decoded block by block.
//!
//! libzstd drops the output of a call that meets damage, so it is given one block at a time (it says how long the next one
//! is): what came before the damaged block is delivered. The length that it asks for includes the header of the block after;
//! that is held back, because damage to it would take the good block with it.

use std::io::{self, BufRead, ErrorKind, Read};
use std::sync::atomic::Ordering;

use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::counts::Damage;

/// Magic number of a frame, RFC 8878 section 3.1.1.
pub(super) const MAGIC: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();

/// Whether these bytes begin a frame that holds no data, RFC 8878 section 3.1.2; pzstd and seekable files begin with one.
pub(super) const fn is_skippable(head: [u8; 4]) -> bool {
    u32::from_le_bytes(head) & 0xffff_fff0 == 0x184d_2a50
}

/// A reader of the decompressed bytes. `InvalidData` is damage behind which no frame follows, `UnexpectedEof` a stream that was
/// cut off.
///
/// The window is at most 128 MiB (`ZSTD_WINDOWLOG_LIMIT_DEFAULT`, the limit of the `zstd` tool too), whatever the frame asks.
pub(super) struct Unzstd<R> {
    input: R,
    decoder: Decoder<'static>,
    damage: Damage,
    /// Bytes that the decoder wants next; 0 between frames.
    wanted: usize,
}

impl<R: BufRead> Unzstd<R> {
    pub fn new(input: R, damage: Damage) -> io::Result<Self> {
        Ok(Self {
            input,
            decoder: Decoder::new()?,
            damage,
            wanted: 0,
        })
    }

    /// Goes on with the next frame behind damage; the error where there is none.
    fn next_frame(&mut self) -> io::Result<()> {
        let mut head = [0; 4];
        while head != MAGIC {
            let mut next = [0];
            self.input
                .read_exact(&mut next)
                .map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
            head.rotate_left(1);
            head[3] = next[0];
        }
        self.decoder.reinit()?;
        self.damage.fetch_add(1, Ordering::Relaxed);
        self.wanted = self.decoder.run_on_buffers(&MAGIC, &mut [])?.remaining;
        Ok(())
    }
}

/// What libzstd itself asks for at the start of a frame (`ZSTD_startingInputLength`): enough to see how long the header is.
const BETWEEN_FRAMES: usize = 5;

/// RFC 8878 section 3.1.1.2.
const BLOCK_HEADER_LEN: usize = 3;

impl<R: BufRead> Read for Unzstd<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let ahead = self.input.fill_buf()?;
            let at_end = ahead.is_empty();
            let between = self.wanted == 0;
            let limit = if between {
                BETWEEN_FRAMES
            } else {
                self.wanted.saturating_sub(BLOCK_HEADER_LEN).max(1)
            };
            let block = ahead.get(..limit.min(ahead.len())).unwrap_or_default();
            let mut input = InBuffer::around(block);
            let mut output = OutBuffer::around(&mut *out);
            // Also with nothing to read: the decoder may hold bytes that found no room in the last call.
            if at_end && between {
                return Ok(0);
            }
            let Ok(wanted) = self.decoder.run(&mut input, &mut output) else {
                self.next_frame()?;
                continue;
            };
            let (taken, count) = (input.pos(), output.pos());
            self.input.consume(taken);
            self.wanted = wanted;
            if count > 0 {
                return Ok(count);
            }
            if at_end && wanted > 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }
}
