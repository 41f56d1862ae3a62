//! gzip, RFC 1952: one member after another, each header parsed here, each body inflated by flate2.
//!
//! Written out instead of `flate2::MultiGzDecoder` because that drops what one call had inflated before it met damage, and
//! calls zero padding after the last member an error.

use std::io::{self, BufRead, ErrorKind, Read};
use std::sync::atomic::Ordering;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::counts::Damage;

/// ID1, ID2 of a member header, RFC 1952 section 2.3.1.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

mod flag {
    pub const HEADER_CRC: u8 = 0x02;
    pub const EXTRA: u8 = 0x04;
    pub const NAME: u8 = 0x08;
    pub const COMMENT: u8 = 0x10;
    /// Reserved; RFC 1952 section 2.3.1.2: «must give an error indication».
    pub const RESERVED: u8 = 0xe0;
}

/// What a member header has behind the magic number, for the search in rubble: deflate, no reserved flag, what compressors
/// write for effort (XFL) and file system (OS). RFC 1952 section 2.3.1.
fn is_member(head: [u8; 10]) -> bool {
    let [id1, id2, method, flags, _, _, _, _, effort, system] = head;
    [id1, id2] == MAGIC
        && method == 8
        && flags & flag::RESERVED == 0
        && matches!(effort, 0 | 2 | 4)
        && matches!(system, 0..=13 | 255)
}

/// A reader of the inflated bytes. `InvalidData` is damage behind which no member follows, `UnexpectedEof` a stream that was
/// cut off.
pub(super) struct Gunzip<R> {
    input: R,
    damage: Damage,
    inflate: Decompress,
    crc: Crc,
    at: At,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// A member header must follow.
    First,
    /// A member ended: another, zero padding or the end may follow.
    Between,
    Body,
    /// Damage was met, and what came before it handed out: the next member is to be searched.
    Damaged,
}

impl<R: BufRead> Gunzip<R> {
    pub fn new(input: R, damage: Damage) -> Self {
        Self {
            input,
            damage,
            inflate: Decompress::new(false),
            crc: Crc::new(),
            at: At::First,
        }
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// A zero-terminated text of any length, thrown away as it is read.
    fn skip_text(&mut self) -> io::Result<()> {
        while self.bytes::<1>()? != [0] {}
        Ok(())
    }

    fn header(&mut self) -> io::Result<()> {
        let head = self.bytes::<10>()?;
        self.rest_of_header(head)
    }

    fn rest_of_header(&mut self, head: [u8; 10]) -> io::Result<()> {
        let [id1, id2, method, flags, ..] = head;
        if [id1, id2] != MAGIC || method != 8 || flags & flag::RESERVED != 0 {
            return Err(ErrorKind::InvalidData.into());
        }
        if flags & flag::EXTRA != 0 {
            for _ in 0..u16::from_le_bytes(self.bytes()?) {
                self.bytes::<1>()?;
            }
        }
        if flags & flag::NAME != 0 {
            self.skip_text()?;
        }
        if flags & flag::COMMENT != 0 {
            self.skip_text()?;
        }
        if flags & flag::HEADER_CRC != 0 {
            self.bytes::<2>()?;
        }
        self.inflate.reset(false);
        self.crc.reset();
        self.at = At::Body;
        Ok(())
    }

    /// Goes on with the next member behind damage; the error where there is none.
    fn next_member(&mut self) -> io::Result<()> {
        let none = |_| io::Error::from(ErrorKind::InvalidData);
        let mut head = self.bytes::<10>().map_err(none)?;
        while !is_member(head) {
            let [next] = self.bytes::<1>().map_err(none)?;
            head.rotate_left(1);
            head[9] = next;
        }
        self.damage.fetch_add(1, Ordering::Relaxed);
        self.rest_of_header(head)
    }

    /// Checks what stands behind a body: its CRC and its length modulo 2^32.
    fn trailer(&mut self) -> io::Result<()> {
        let crc = u32::from_le_bytes(self.bytes()?);
        let length = u32::from_le_bytes(self.bytes()?);
        self.at = At::Between;
        if crc != self.crc.sum() || length != self.crc.amount() {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(())
    }

    /// Whether another member follows. Zeros (tapes and block devices pad with them) are no damage.
    fn another(&mut self) -> io::Result<bool> {
        loop {
            let ahead = self.input.fill_buf()?;
            let Some(&first) = ahead.first() else {
                return Ok(false);
            };
            if first == MAGIC[0] {
                return Ok(true);
            }
            if first != 0 {
                return Err(ErrorKind::InvalidData.into());
            }
            let zeros = ahead.iter().take_while(|&&b| b == 0).count();
            self.input.consume(zeros);
        }
    }

    /// Damage is no end: another member may follow.
    fn mend(&mut self, step: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        match step(self) {
            Err(error) if error.kind() == ErrorKind::InvalidData => self.at = At::Damaged,
            done => return done,
        }
        Ok(())
    }

    /// Inflates into `out`; 0 when the body ended without yielding more.
    fn body(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let ahead = self.input.fill_buf()?;
            if ahead.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let before = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(ahead, out, FlushDecompress::None);
            let taken = (self.inflate.total_in() - before.0) as usize;
            self.input.consume(taken);
            let count = (self.inflate.total_out() - before.1) as usize;
            self.crc.update(out.get(..count).unwrap_or_default());
            match status {
                Ok(Status::StreamEnd) => {
                    self.trailer().or_else(|e| self.after(count, e))?;
                    return Ok(count);
                }
                Ok(_) if count == 0 && taken > 0 => {}
                Ok(_) if count == 0 => return Err(ErrorKind::InvalidData.into()),
                Ok(_) => return Ok(count),
                Err(_) => return self.after(count, ErrorKind::InvalidData.into()).map(|()| count),
            }
        }
    }

    /// Damage behind `count` good bytes: they are handed out first, and the damage told at the next call.
    fn after(&mut self, count: usize, error: io::Error) -> io::Result<()> {
        if count == 0 || error.kind() == ErrorKind::UnexpectedEof {
            return if count == 0 { Err(error) } else { Ok(()) };
        }
        self.at = At::Damaged;
        Ok(())
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.at {
                At::First => self.header()?,
                At::Between => match self.another() {
                    Ok(false) => return Ok(0),
                    Ok(true) => self.mend(Self::header)?,
                    Err(error) => self.mend(|_| Err(error))?,
                },
                At::Body => {
                    let mut count = 0;
                    self.mend(|gunzip| gunzip.body(out).map(|n| count = n))?;
                    if count > 0 {
                        return Ok(count);
                    }
                }
                At::Damaged => self.next_member()?,
            }
        }
    }
}
