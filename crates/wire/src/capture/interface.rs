//! The interfaces that a pcapng section describes.

use super::MAX_INTERFACES;
use super::field::{u16_at, u32_at};
use super::timestamp::Clock;

/// What an Interface Description Block says that matters for reading packets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interface {
    pub link: u32,
    /// 0 for no limit.
    pub snaplen: u32,
    pub clock: Clock,
}

mod option {
    pub const END: u16 = 0;
    /// `if_tsresol`, one byte.
    pub const TIME_RESOLUTION: u16 = 9;
    /// `if_tsoffset`, signed seconds in 64 bits.
    pub const TIME_OFFSET: u16 = 14;
}

impl Interface {
    /// Reads the body of the block; the second value tells whether its options contradict their lengths.
    pub fn parse(body: &[u8], big_endian: bool) -> Option<(Self, bool)> {
        let mut interface = Self {
            link: u32::from(u16_at(body, 0, big_endian)?),
            snaplen: u32_at(body, 4, big_endian)?,
            clock: Clock::default(),
        };
        let is_whole = interface.read_options(body.get(8..)?, big_endian).is_some();
        Some((interface, !is_whole))
    }

    /// `None` when an option reaches beyond the block.
    fn read_options(&mut self, mut options: &[u8], big_endian: bool) -> Option<()> {
        while !options.is_empty() {
            let code = u16_at(options, 0, big_endian)?;
            let len = usize::from(u16_at(options, 2, big_endian)?);
            if code == option::END {
                break;
            }
            let value = options.get(4..4 + len)?;
            match (code, value) {
                (option::TIME_RESOLUTION, &[resolution]) => self.clock.set_resolution(resolution),
                (option::TIME_OFFSET, _) => {
                    if let Ok(seconds) = value.try_into() {
                        let read = if big_endian {
                            i64::from_be_bytes
                        } else {
                            i64::from_le_bytes
                        };
                        self.clock.set_offset(read(seconds));
                    }
                }
                _ => {}
            }
            // The last padding may be missing: some writers leave it out before the end of the block.
            options = options.get(4 + len.next_multiple_of(4)..).unwrap_or_default();
        }
        Some(())
    }
}

/// The interfaces of the current section, numbered over the whole file.
#[derive(Default, Debug)]
pub(super) struct Interfaces {
    list: Vec<Interface>,
    /// Interfaces of the sections before.
    base: u32,
}

impl Interfaces {
    /// A new section begins: it numbers its own interfaces from 0.
    pub fn next_section(&mut self) {
        self.base = self.base.saturating_add(self.list.len() as u32);
        self.list.clear();
    }

    /// Adds one; beyond [`MAX_INTERFACES`] it stays unknown.
    pub fn push(&mut self, interface: Interface) {
        if self.list.len() < MAX_INTERFACES {
            self.list.push(interface);
        }
    }

    /// The interface of that number in the section, and its number in the file.
    #[inline]
    pub fn get(&self, local: u32) -> Option<(&Interface, u32)> {
        let interface = self.list.get(local as usize)?;
        Some((interface, self.base.saturating_add(local)))
    }
}
